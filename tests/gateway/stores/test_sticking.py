"""Who served whom is shared, hidden and forgotten in time."""

from __future__ import annotations

import redis

from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.sticking import STICKING_SECONDS, StickingStore


async def test_what_one_gateway_notes_another_one_finds(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """By route, for an hour; an org sees only its own, and no session id is stored in clear."""
    store = StickingStore(connection)
    await store.keep("acme", "session:4711", "all", "house")
    await store.keep("acme", "session:4711", "hard", "frontier")
    await store.keep("acme", "session:4711", "all", "tiny")
    (stored,) = client.keys(names.sticking("acme", "*").replace("{", "?").replace("}", "?"))

    assert await store.load("acme", "session:4711") == {"all": "tiny", "hard": "frontier"}
    assert await store.load("acme", "session:4712") == {}
    assert await store.load("other", "session:4711") == {}
    assert b"4711" not in stored
    assert 0 < client.ttl(stored) <= STICKING_SECONDS
