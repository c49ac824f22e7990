"""A worker follows the registered documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from gateway.core.errors import StoreUnavailable
from gateway.core.findings import SensitivityRules
from gateway.runtime.classifiers import LARGE_REQUEST, Classifiers, open_classifiers
from gateway.runtime.fingerprints import FingerprintFollower
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedis, open_embedded
from gateway.stores.fingerprints import FingerprintBook, document, hasher

PEPPER = b"0123456789abcdef"
TEXT = "The western plant is sold in autumn; the price is settled and the works council waits. " * 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server of its own for each test: one of them ends it."""
    embedded = open_embedded(tmp_path)
    yield embedded
    embedded.close()


@pytest.fixture
def classifiers() -> Iterator[Classifiers]:
    opened = open_classifiers()
    yield opened
    opened.close()


def _kinds(classifiers: Classifiers, text: str = TEXT) -> list[str]:
    judged = classifiers.text_judge()(text, SensitivityRules())
    return [one.type for one in judged.findings]


async def test_both_classifiers_follow(
    client: redis.Redis, connection: RedisConnection, classifiers: Classifiers, tmp_path: Path
) -> None:
    """What is registered is looked for in small and large requests, until it is removed."""
    follower = FingerprintFollower(connection, PEPPER, classifiers)
    await follower.look()
    assert _kinds(classifiers) == []

    book = FingerprintBook(client, tmp_path)
    made = document("plant.txt", TEXT, hasher(PEPPER), 1.0)
    assert made is not None
    book.add([made])
    await follower.look()
    large = TEXT + "nothing else to be said here, " * (LARGE_REQUEST // 30)

    assert _kinds(classifiers) == ["fingerprint"]
    assert _kinds(classifiers, large) == ["fingerprint"]
    book.remove(["plant.txt"])
    await follower.look()
    assert _kinds(classifiers) == []


async def test_what_was_known_stays_known_while_redis_is_away(
    client: redis.Redis, connection: RedisConnection, classifiers: Classifiers, tmp_path: Path
) -> None:
    """A lost connection opens no door."""
    follower = FingerprintFollower(connection, PEPPER, classifiers)
    made = document("plant.txt", TEXT, hasher(PEPPER), 1.0)
    assert made is not None
    FingerprintBook(client, tmp_path).add([made])
    await follower.look()
    client.shutdown(nosave=True)

    with pytest.raises(StoreUnavailable):
        await follower.look()
    assert _kinds(classifiers) == ["fingerprint"]
