"""Two answers to one request that a judge has scored, as they are kept for calibration.

No text is kept: of the prompt only what the difficulty model sees of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two answers: who gave it, the quality that was predicted of it, and its score.

    Both are from 0 to 1; what use has taught does not count in the prediction.
    """

    deployment: str
    predicted: float
    score: float
    self_hosted: bool = False


class JudgedPair(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose answers were compared at `at` (epoch seconds).

    `served` was the caller's answer and `copied` the copy's; `served_first` says in which order
    they were shown. `features` are those of the prompt, packed; see
    `gateway.classify.difficulty_kept`.
    """

    request_id: str
    at: float
    task: str
    judge: str
    served: Scored
    copied: Scored
    served_first: bool
    features: bytes


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A pair told by which of the two deployments is the weak one."""

    weak: Scored
    strong: Scored
    pair: JudgedPair


def compared(pairs: Iterable[JudgedPair], weak: str = "", strong: str = "") -> list[Compared]:
    """The pairs by their weak and strong deployment, in the order given.

    Of two deployments the weak one is whose predicted quality is lower over all of their pairs, or
    else the self-hosted one; pairs of two of which neither is weaker are left out.

    Args:
        pairs: to be told apart.
        weak: the weak one's name, where it is not to be found out; other pairs are left out.
        strong: likewise.
    """
    pairs = list(pairs)
    leaning = _leaning(pairs)
    found = []
    for pair in pairs:
        names = {pair.served.deployment, pair.copied.deployment}
        if not {weak, strong} - {""} <= names:
            continue
        lower = weak or next(iter(names - {strong}), "") if weak or strong else ""
        lower = lower or leaning.get(frozenset(names), "")
        if lower == pair.served.deployment:
            found.append(Compared(weak=pair.served, strong=pair.copied, pair=pair))
        elif lower == pair.copied.deployment:
            found.append(Compared(weak=pair.copied, strong=pair.served, pair=pair))
    return found


def _leaning(pairs: Iterable[JudgedPair]) -> Mapping[frozenset[str], str]:
    """The weak one of every two deployments; empty where neither is."""
    sums: dict[frozenset[str], dict[str, float]] = {}
    home: dict[str, bool] = {}
    for pair in pairs:
        names = frozenset((pair.served.deployment, pair.copied.deployment))
        both = sums.setdefault(names, dict.fromkeys(names, 0.0))
        for one in (pair.served, pair.copied):
            both[one.deployment] += one.predicted
            home[one.deployment] = one.self_hosted
    found: dict[frozenset[str], str] = {}
    for names, both in sums.items():
        low, high = min(both, key=both.__getitem__), max(both, key=both.__getitem__)
        if both[high] - both[low] > 1e-9 * max(1.0, both[high]):
            found[names] = low
        else:
            own = [name for name in names if home[name]]
            found[names] = own[0] if len(own) == 1 and len(names) > 1 else ""
    return found
