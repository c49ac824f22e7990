"""How much of each budget is used, as this gateway last heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from gateway.core.budgets import BudgetCounter, BudgetUse

#: How old a figure may be before a request asks the store again; seconds.
_FRESH_SECONDS = 1.0
#: Scopes remembered before the oldest half is forgotten.
_MOST_SCOPES = 10_000

Ask = Callable[[str, Sequence[BudgetCounter]], Awaitable[Sequence[BudgetUse]]]


class BudgetView:
    """A short-lived copy of the budgets' use, for the `budget_used` condition of policies."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._shares: dict[tuple[str, str, str, int], tuple[float, float]] = {}

    def learn(self, org: str, used: Sequence[BudgetUse]) -> None:
        """Take over the figures that a granted hold brought along."""
        now = monotonic()
        if len(self._shares) > _MOST_SCOPES:
            for key in list(self._shares)[: _MOST_SCOPES // 2]:
                del self._shares[key]
        for use in used:
            self._shares[org, use.scope, use.per, use.cap_nanousd] = (use.share, now)

    def known(self, org: str, counters: Sequence[BudgetCounter]) -> float:
        """The largest used share as it was last heard, however long ago."""
        keys = [(org, one.scope, one.per, one.cap_nanousd) for one in counters]
        return max((self._shares.get(key, (0.0, 0.0))[0] for key in keys), default=0.0)

    async def used(self, org: str, counters: Sequence[BudgetCounter]) -> float:
        """The largest used share, 0.., over these budgets of an org."""
        if not counters:
            return 0.0
        fresh = monotonic() - _FRESH_SECONDS
        keys = [(org, one.scope, one.per, one.cap_nanousd) for one in counters]
        if any(self._shares.get(key, (0.0, -1.0))[1] < fresh for key in keys):
            self.learn(org, await self._ask(org, counters))
        return max(self._shares.get(key, (0.0, 0.0))[0] for key in keys)
