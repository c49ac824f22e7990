"""A real Redis, for whatever tests ask for one: a server for each module, emptied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedis, open_embedded
from gateway.stores.endpoint import open_client


@pytest.fixture(scope="module")
def redis_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder under which the module's server keeps its files."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(redis_home: Path) -> Iterator[EmbeddedRedis]:
    """One embedded server for the module."""
    embedded = open_embedded(redis_home)
    yield embedded
    embedded.close()


@pytest.fixture(scope="module")
def redis_url(server: EmbeddedRedis) -> str:
    """Where that server is; its database is emptied by nobody."""
    return server.url


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    """A blocking client on an empty database."""
    with open_client(server.url) as opened:
        opened.flushall()
        yield opened


@pytest.fixture
async def connection(client: redis.Redis, server: EmbeddedRedis) -> AsyncIterator[RedisConnection]:
    """A multiplexed connection to an empty database, patient enough for a busy machine."""
    opened = RedisConnection(server.url, timeout_seconds=5.0)
    await opened.open()
    yield opened
    await opened.close()
