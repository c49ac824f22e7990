"""Keeps a session, user, app, team or key with the deployment that served it.

It is a wish, never a rule: what may not serve is no candidate, and when the store is away, the
strategy's own order counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from gateway.core.decision import Decision
from gateway.core.errors import StoreUnavailable
from gateway.stores.sticking import StickingStore


class Sticking:
    """Remembers in the background and looks up before a decision."""

    def __init__(self, store: StickingStore) -> None:
        self._store = store
        self._keeping: set[asyncio.Task[None]] = set()

    async def kept(self, org: str, names: Iterable[str]) -> Mapping[str, str]:
        """The deployment that last served, by route, for all of these names (`session:4711`)."""
        wanted = [name for name in names if name]
        if not wanted:
            return {}
        try:
            found = await asyncio.gather(*(self._store.load(org, name) for name in wanted))
        except StoreUnavailable:
            return {}
        return {route: deployment for one in found for route, deployment in one.items()}

    def served(self, org: str, decision: Decision, deployment: str) -> None:
        """Note which deployment served; nobody waits for it."""
        if decision.keep:
            task = asyncio.ensure_future(self._keep(org, decision, deployment))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def close(self) -> None:
        """Finish what is being noted."""
        await asyncio.gather(*self._keeping)

    async def _keep(self, org: str, decision: Decision, deployment: str) -> None:
        try:
            await self._store.keep(org, decision.keep, decision.route, deployment)
        except StoreUnavailable:
            return  # the next request is ordered as if it were the first
