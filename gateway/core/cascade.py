"""What a cascade asks of an answer before it is good enough not to be asked for again higher up.

A cascade is a ladder of deployments. The first one's answer is looked at before the client sees
any of it; one that falls short of a check is set aside, and the next rung is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

#: The largest number of samples that the check `agreement` may ask for.
MOST_SAMPLES = 9
#: Share of the words of two answers in prose that must be the same for them to say the same.
ALIKE = 0.5

#: What the ledger and the audit log write beside an attempt that passed, or that was a sample.
PASSED = "passed"
SAMPLE = "sample"


class Checks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which checks an answer must pass.

    `schema`: it obeys the JSON schema that was asked for; `tools`: its calls name known tools,
    and their arguments parse and obey; `refusal`: it is no refusal; `truncated`: it is neither
    empty nor cut before the caller's own cap; `logprob`: the mean natural logarithm of its
    tokens' probabilities is not below this; `agreement`: more than half of so many samples say
    the same.
    """

    schema: bool = False
    tools: bool = False
    refusal: bool = False
    truncated: bool = False
    logprob: float | None = None
    agreement: int = 0

    def words(self) -> tuple[str, ...]:
        """The checks as a policy writes them, such as `schema` and `logprob -0.8`."""
        plain = [
            name for name in ("schema", "tools", "refusal", "truncated") if getattr(self, name)
        ]
        if self.logprob is not None:
            plain.append(f"logprob {self.logprob:g}")
        if self.agreement:
            plain.append(f"agreement {self.agreement}")
        return tuple(plain)


#: The checks of a cascade that names none: they cost nothing but the wait.
USUAL_CHECKS = Checks(schema=True, tools=True, refusal=True, truncated=True)


class Cascade(msgspec.Struct, frozen=True, kw_only=True):
    """The ladder of a route, lowest rung first, and what an answer must pass on all but the top."""

    ladder: tuple[str, ...]
    checks: Checks


class Gist(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer comes to: `exact` for what must be the same, else the `words` of its prose."""

    exact: str = ""
    words: frozenset[str] = frozenset()


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was looked at: the check that it `failed`, empty for none, and its gist."""

    failed: str = ""
    gist: Gist = Gist()


def alike(one: Gist, other: Gist) -> bool:
    """Whether two answers say the same."""
    if one.exact or other.exact:
        return one.exact == other.exact
    either = one.words | other.words
    return not either or len(one.words & other.words) >= ALIKE * len(either)


def majority(gists: Sequence[Gist], samples: int) -> int | None:
    """The place of the first answer that more than half of all `samples` say; None for none."""
    for place, gist in enumerate(gists):
        if 2 * _same(gist, gists) > samples:
            return place
    return None


def out_of_reach(gists: Sequence[Gist], samples: int) -> bool:
    """Whether no answer can have a majority any more, whatever the samples still to come say."""
    most = max((_same(gist, gists) for gist in gists), default=0)
    return 2 * (most + samples - len(gists)) <= samples


def _same(gist: Gist, gists: Sequence[Gist]) -> int:
    return sum(alike(gist, other) for other in gists)
