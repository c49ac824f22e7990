"""Keeps the thresholds of routes that have a target: counts here, shared once a second.

While Redis is away a gateway goes on with what it knew and what it sees itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time

from gateway.core.errors import StoreUnavailable
from gateway.core.money import MILLION
from gateway.core.periods import period_end, period_of
from gateway.core.targets import Aim, Bin, Tally, Target, threshold_of
from gateway.stores.targets import TargetStore
from policies.compiled import CompiledPolicy

#: After so many requests seen here the threshold is taken anew, also between two exchanges.
_FRESH_REQUESTS = 50


class Targets:
    """The tallies of all targeted routes as this gateway knows them."""

    def __init__(self, store: TargetStore, clock: Callable[[], float] = time) -> None:
        self._store = store
        self._clock = clock
        self._boards: dict[tuple[str, Target], _Board] = {}

    def thresholds(self, policy: CompiledPolicy) -> Mapping[str, float]:
        """The threshold of each targeted route of a policy."""
        return {
            route: self._board(route, target).threshold(self._clock())
            for route, target in policy.targets.items()
        }

    def decided(self, policy: CompiledPolicy, aim: Aim | None) -> None:
        """Count a request that was decided by a targeted route."""
        if aim is not None:
            self._board(aim.route, policy.targets[aim.route]).count(aim)

    def spent(self, policy: CompiledPolicy, aim: Aim | None, nanousd: int) -> None:
        """Count what a request of a targeted route has cost in the end."""
        if aim is not None:
            self._board(aim.route, policy.targets[aim.route]).pending.spent += nanousd

    async def share(self, policy: CompiledPolicy) -> None:
        """Tell what was counted here and learn what all others counted.

        Raises:
            StoreUnavailable: what was counted is told the next time.
        """
        for route, target in policy.targets.items():
            await self._board(route, target).share(self._store, route, self._clock())

    def _board(self, route: str, target: Target) -> _Board:
        board = self._boards.get((route, target))
        if board is None:
            board = self._boards[route, target] = _Board(target)
        return board


class _Pending:
    """What was counted and not told yet."""

    def __init__(self) -> None:
        self.requests = self.fixed = self.debt = self.spent = 0
        self.bins: dict[int, Bin] = {}

    def add_bin(self, place: int, one: Bin) -> None:
        held = self.bins.get(place, Bin(0, 0, 0))
        self.bins[place] = Bin(
            held.requests + one.requests, held.low + one.low, held.high + one.high
        )

    def tally(self) -> Tally:
        return Tally(
            requests=self.requests,
            fixed=self.fixed,
            debt=self.debt,
            bins=self.bins,
            spent_nanousd=self.spent,
        )

    def add(self, other: _Pending) -> None:
        self.requests += other.requests
        self.fixed += other.fixed
        self.debt += other.debt
        self.spent += other.spent
        for place, one in other.bins.items():
            self.add_bin(place, one)


class _Board:
    """One route: what all have counted, what was counted here since, and the threshold of both."""

    def __init__(self, target: Target) -> None:
        self.pending = _Pending()
        self._target = target
        self._known = Tally()
        self._threshold: float | None = None
        self._since = 0

    def count(self, aim: Aim) -> None:
        pending = self.pending
        pending.requests += 1
        if aim.free:
            pending.add_bin(aim.place, Bin(1, aim.low, aim.high))
        else:
            pending.fixed += aim.value
        if self._target.kind != "spend":
            pending.debt += round(self._target.goal * MILLION) - aim.value
        self._since += 1
        if self._since >= _FRESH_REQUESTS:
            self._threshold = None

    def threshold(self, now: float) -> float:
        if self._threshold is None:
            left = (period_end(self._target.per, now) or now) - now if self._target.per else 0.0
            self._threshold = threshold_of(self._target, self._joined(), left)
            self._since = 0
        return self._threshold

    async def share(self, store: TargetStore, route: str, now: float) -> None:
        told, self.pending = self.pending, _Pending()
        period = period_of(self._target.per, now) if self._target.per else "-"
        try:
            self._known = await store.add(route, self._target.kind, told.tally(), period)
        except StoreUnavailable:
            self.pending.add(told)
            raise
        self._threshold = None

    def _joined(self) -> Tally:
        """What is known of all, with what was counted here since."""
        known, here = self._known, self.pending
        bins = _Pending()
        for place, one in (*known.bins.items(), *here.bins.items()):
            bins.add_bin(place, one)
        return Tally(
            requests=known.requests + here.requests,
            fixed=known.fixed + here.fixed,
            debt=known.debt + here.debt,
            bins=bins.bins,
            spent_nanousd=known.spent_nanousd + here.spent,
            per_second=known.per_second,
        )
