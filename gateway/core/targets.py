"""A route's aim in terms an admin understands, and the difficulty threshold that reaches it.

A targeted route has two ways to serve a request: weak first, or strong first. Whoever is at least
as hard as the threshold is served strong first. What is aimed at is the mean over all requests of
a value (a share, a quality, a cost) that each way gives a request, so the threshold follows from
how many requests there are at each difficulty and what both ways are worth there.

Rules of this file:
- values are whole numbers: millionths for shares and qualities, nano-USD for costs;
- requests of one difficulty are told apart by a number drawn from their ids, so that any share
  can be reached, however many requests look alike;
- what has gone wrong so far is made good slowly: the debt shifts the aim, and never by much.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.money import MILLION

#: Steps of difficulty that are told apart.
BINS = 200
#: Requests after which the tally is halved, so that it follows the traffic.
HALVE_AT = 2048
#: So many requests' worth of values at most are made good, within so many requests.
HORIZON = 500
#: The difficulties of a mixed load as the shipped model judges it, at every twentieth part:
#: 400 prompts of each of the six public sets (see ops/docs/difficulty.md).
COLD_DIFFICULTIES = (
    *(0.087, 0.203, 0.235, 0.27, 0.292, 0.308, 0.322, 0.335, 0.345, 0.357, 0.371),
    *(0.384, 0.404, 0.428, 0.464, 0.519, 0.567, 0.607, 0.653, 0.767, 0.974),
)
#: How many requests that distribution counts as, while fewer have been seen.
COLD_WEIGHT = 50


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a route aims at.

    `kind` is frontier_share, quality or spend. `goal` is the share of requests that are served
    strong first, the mean predicted quality (both 0..1), or nano-USD for each period `per`.
    """

    kind: str
    goal: float
    per: str = ""

    def words(self) -> str:
        """The target as a policy writes it."""
        if self.kind == "spend":
            return f"spend {self.goal / 1e9:g} USD per {self.per}"
        return f"{self.kind} {self.goal * 100:g}%"


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What a targeted route decided about one request.

    `place` is the step of its difficulty; `low` and `high` what weak first and strong first are
    worth; `free` says that both were possible, and `strong` which it was.
    """

    route: str
    place: int
    low: int
    high: int
    free: bool
    strong: bool

    @property
    def value(self) -> int:
        """What the way that was taken is worth."""
        return self.high if self.strong else self.low


class Bin(msgspec.Struct, frozen=True):
    """The free requests of one step: how many, and the sums of what both ways are worth."""

    requests: int
    low: int
    high: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a route's requests, older ones counting less.

    `requests` are all of them, `fixed` the sum of the values of those that had no choice, and
    `debt` what the values so far fall short of the target (unless it is spend). `spent_nanousd`
    belongs to the period under way, and `per_second` is how often requests come.
    """

    requests: int = 0
    fixed: int = 0
    debt: int = 0
    bins: Mapping[int, Bin] = {}
    spent_nanousd: int = 0
    per_second: float = 0.0


def place_of(difficulty: float) -> int:
    """The step of a difficulty."""
    return max(0, min(BINS - 1, int(difficulty * BINS)))


def goal_of(target: Target, tally: Tally, seconds_left: float = 0.0) -> float:
    """The mean value that the next requests should have.

    Args:
        seconds_left: of the period that money is spent in.
    """
    if target.kind == "spend":
        left = max(0.0, target.goal - tally.spent_nanousd)
        # Until it is known how many requests come, none of them may spend it all.
        expected = tally.per_second * seconds_left
        return left / max(1.0, expected) if tally.per_second > 0 else 0.0
    swing = min(target.goal, 1.0 - target.goal) * 0.9
    owed = tally.debt / HORIZON / MILLION
    return (target.goal + max(-swing, min(swing, owed))) * MILLION


def threshold_of(target: Target, tally: Tally, seconds_left: float = 0.0) -> float:
    """The difficulty, 0..1, from which on requests are served strong first; 1 for none.

    It lies within a step; `gateway.core.targets.reaches` says what that means.
    """
    known = _with_cold_start(target, tally)
    wanted = goal_of(target, tally, seconds_left) * known.requests - known.fixed
    missing = wanted - sum(one.low for one in known.bins.values())
    if missing <= 0:
        return 1.0
    for place in sorted(known.bins, reverse=True):
        one = known.bins[place]
        gain = max(0, one.high - one.low)
        if gain > 0 and gain >= missing:
            return (place + 1 - missing / gain) / BINS
        missing -= gain
    return 0.0


def reaches(difficulty: float, drawn: float, threshold: float) -> bool:
    """Whether a request is served strong first; `drawn` within (0, 1) is its own number."""
    return place_of(difficulty) + drawn >= threshold * BINS


def cold_start(target: Target) -> Tally:
    """What is supposed of a route that nobody has asked yet; nothing where money is the aim."""
    if target.kind == "spend":
        return Tally()
    bins: dict[int, Bin] = {}
    for number in range(COLD_WEIGHT):
        at = (number + 0.5) / COLD_WEIGHT * (len(COLD_DIFFICULTIES) - 1)
        below, above = COLD_DIFFICULTIES[int(at)], COLD_DIFFICULTIES[int(at) + 1]
        difficulty = below + (above - below) * (at - int(at))
        low = 0 if target.kind == "frontier_share" else int((1 - difficulty) * MILLION)
        place = place_of(difficulty)
        held = bins.get(place, Bin(0, 0, 0))
        bins[place] = Bin(held.requests + 1, held.low + low, held.high + MILLION)
    return Tally(requests=COLD_WEIGHT, bins=bins)


def _with_cold_start(target: Target, tally: Tally) -> Tally:
    """The tally, filled up with what is supposed while it is small."""
    lacking = COLD_WEIGHT - tally.requests
    if lacking <= 0:
        return tally
    supposed = cold_start(target)
    part = lacking / COLD_WEIGHT
    bins = dict(tally.bins)
    for place, one in supposed.bins.items():
        held = bins.get(place, Bin(0, 0, 0))
        bins[place] = Bin(
            held.requests,
            held.low + round(one.low * part),
            held.high + round(one.high * part),
        )
    requests = tally.requests + round(supposed.requests * part)
    return msgspec.structs.replace(tally, requests=requests, bins=bins)
