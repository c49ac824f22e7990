"""Which deployment last served whoever sticks to one, by route, shared by all gateways."""

from __future__ import annotations

import asyncio
from hashlib import sha256

from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.replies import fields_in

#: How long a deployment is remembered after it last served, in seconds. Longer than vendors keep
#: prompt caches (minutes, up to an hour), which is what sticking is mostly for.
STICKING_SECONDS = 3600


class StickingStore:
    """Remembers deployments by name.

    Methods raise `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    async def load(self, org: str, who: str) -> dict[str, str]:
        """The deployments by route id."""
        name = names.sticking(org, _digest(who))
        reply = await self._connection.execute("HGETALL", name, idempotent=True)
        return {route: held.decode() for route, held in fields_in(reply).items()}

    async def keep(self, org: str, who: str, route: str, deployment: str) -> None:
        """Remember who served, for another while."""
        name = names.sticking(org, _digest(who))
        await asyncio.gather(
            self._connection.execute("HSET", name, route, deployment, idempotent=True),
            self._connection.execute("EXPIRE", name, STICKING_SECONDS, idempotent=True),
        )


def _digest(who: str) -> str:
    return sha256(who.encode()).hexdigest()[:32]
