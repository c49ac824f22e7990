"""Breaker states in Redis, so that one gateway's bad experience spares the others theirs."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from gateway.core.health import LONGEST_OPEN_SECONDS, Breaker
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.replies import fields_in

#: How long a state is worth anything after its pause ended, in seconds.
_REMEMBERED_SECONDS = LONGEST_OPEN_SECONDS


class BreakerStore:
    """Publishes and loads breakers by deployment name.

    Methods raise `gateway.core.errors.StoreUnavailable` when Redis does not answer; fallback
    goes on with what the gateway itself saw.
    """

    def __init__(
        self, connection: RedisConnection, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._connection = connection
        self._wall = wall

    async def publish(self, name: str, breaker: Breaker) -> None:
        """Tell the other gateways; a closed breaker is forgotten."""
        if breaker.open_until == 0.0:
            await self._connection.execute("HDEL", names.BREAKERS, name, idempotent=True)
            return
        entry = msgspec.json.encode(breaker)
        await self._connection.execute("HSET", names.BREAKERS, name, entry, idempotent=True)
        expiry = int(2 * LONGEST_OPEN_SECONDS + _REMEMBERED_SECONDS)
        await self._connection.execute("EXPIRE", names.BREAKERS, expiry, idempotent=True)

    async def load(self) -> dict[str, Breaker]:
        """The breakers that are open, or were until a short while ago."""
        reply = await self._connection.execute("HGETALL", names.BREAKERS, idempotent=True)
        oldest = self._wall() - _REMEMBERED_SECONDS
        found = {
            name: msgspec.json.decode(entry, type=Breaker)
            for name, entry in fields_in(reply).items()
        }
        return {name: breaker for name, breaker in found.items() if breaker.open_until > oldest}
