"""The breakers of all deployments, shared between gateways through the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import time
from typing import Protocol

from gateway.core.errors import StoreUnavailable
from gateway.core.failure import AttemptFailure
from gateway.core.health import Breaker, after_failure, after_success


class BreakerStore(Protocol):
    """Where gateways tell each other which breakers are open."""

    async def publish(self, name: str, breaker: Breaker) -> None:
        """Share one breaker's state."""
        ...

    async def load(self) -> Mapping[str, Breaker]:
        """The breakers that any gateway has opened and that have not closed since."""
        ...


class HealthBoard:
    """Breakers by deployment name: this gateway's own failures and what the others report."""

    def __init__(self, store: BreakerStore) -> None:
        self._store = store
        self._publishing: set[asyncio.Task[None]] = set()
        self.breakers: dict[str, Breaker] = {}

    def succeeded(self, name: str) -> None:
        """A call to the deployment worked."""
        known = self.breakers.get(name)
        if known is None:
            return
        self.breakers[name] = after_success(known)
        if known.open_until:
            self._publish(name)
        if self.breakers[name] == Breaker():
            del self.breakers[name]

    def failed(self, name: str, failure: AttemptFailure) -> None:
        """A call to the deployment failed; only failures of its own count."""
        if not failure.unhealthy:
            return
        known = self.breakers.get(name, Breaker())
        self.breakers[name] = after_failure(known, time())
        if self.breakers[name].open_until != known.open_until:
            self._publish(name)

    async def refresh(self) -> None:
        """Take over what other gateways have learnt."""
        shared = await self._store.load()
        for name, theirs in shared.items():
            ours = self.breakers.get(name, Breaker())
            if theirs.open_until > ours.open_until:
                self.breakers[name] = theirs
        for name, ours in list(self.breakers.items()):
            if ours.open_until and name not in shared and ours.open_until < time():
                # Another gateway's call worked, so it closed the breaker for all.
                del self.breakers[name]

    def _publish(self, name: str) -> None:
        task = asyncio.ensure_future(self._share(name, self.breakers[name]))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _share(self, name: str, breaker: Breaker) -> None:
        try:
            await self._store.publish(name, breaker)
        except StoreUnavailable:
            return  # each gateway still has its own view
