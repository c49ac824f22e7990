"""Breakers are shared between gateways and forgotten in time."""

from __future__ import annotations

import redis

from gateway.core.health import Breaker
from gateway.stores import names
from gateway.stores.breakers import BreakerStore
from gateway.stores.connection import RedisConnection

NOW = 1_790_000_000.0


async def test_an_open_breaker_is_seen_by_other_gateways_until_it_closes(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """What one gateway publishes another one loads; closing forgets it."""
    store = BreakerStore(connection, wall=lambda: NOW)
    breaker = Breaker(failures=0, open_until=NOW + 20.5, openings=2)
    await store.publish("frontier", breaker)
    await store.publish("house", Breaker(open_until=NOW + 5))
    seen = await store.load()
    expires = client.ttl(names.BREAKERS)
    await store.publish("house", Breaker())

    assert seen == {"frontier": breaker, "house": Breaker(open_until=NOW + 5)}
    assert expires > 0
    assert await store.load() == {"frontier": breaker}


async def test_a_breaker_from_long_ago_is_not_loaded(connection: RedisConnection) -> None:
    """A state whose pause ended minutes ago says nothing about today."""
    await BreakerStore(connection, wall=lambda: NOW).publish("old", Breaker(open_until=NOW + 1))

    assert await BreakerStore(connection, wall=lambda: NOW + 60).load() != {}
    assert await BreakerStore(connection, wall=lambda: NOW + 600).load() == {}
