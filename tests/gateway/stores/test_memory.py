"""Levels of conversations are shared, only rise, and are forgotten in time."""

from __future__ import annotations

import redis

from gateway.core.sensitivity import Sensitivity
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.memory import MEMORY_SECONDS, MemoryStore


async def test_a_level_rises_and_never_falls(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """Each turn lets it live for another day; other orgs and conversations know nothing of it."""
    store = MemoryStore(connection)

    assert await store.known("acme", "c1") == Sensitivity.PUBLIC
    await store.remember("acme", "c1", Sensitivity.CONFIDENTIAL)
    await store.remember("acme", "c1", Sensitivity.INTERNAL)
    assert await store.known("acme", "c1") == Sensitivity.CONFIDENTIAL
    await store.remember("acme", "c1", Sensitivity.RESTRICTED)
    assert await store.known("acme", "c1") == Sensitivity.RESTRICTED
    assert await store.known("acme", "c2") == Sensitivity.PUBLIC
    assert await store.known("other", "c1") == Sensitivity.PUBLIC
    assert 0 < client.ttl(names.conversation_level("acme", "c1")) <= MEMORY_SECONDS
