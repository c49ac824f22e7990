"""Stored responses: found by their org alone, unreadable in Redis, gone after a day."""

from __future__ import annotations

import msgspec
import pytest
import redis

from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.responses import KEPT_SECONDS, ResponseStore, StoredResponse

PEPPER = b"a pepper of more than 16 bytes"
SECRET = "the patient's name is Ada"


def turn(response_id: str = "resp_1", **fields: object) -> StoredResponse:
    known: dict[str, object] = {
        "id": response_id,
        "items": (msgspec.Raw(msgspec.json.encode({"role": "user", "content": SECRET})),),
        "response": msgspec.Raw(b'{"id":"resp_1","output":[]}'),
        "earlier": ("resp_0",),
        "sensitivity": 2,
    }
    return StoredResponse(**{**known, **fields})  # type: ignore[arg-type]


@pytest.fixture
def store(connection: RedisConnection) -> ResponseStore:  # type: ignore[override]
    """A store on an empty database."""
    return ResponseStore(connection, PEPPER)


async def test_what_was_kept_is_found(store: ResponseStore) -> None:
    """By its own id, and by those of its items, to the byte."""
    await store.keep("acme", turn(), ["msg_1", "fc_1"])

    assert await store.find("acme", "resp_1") == turn()
    assert await store.find_by_item("acme", "fc_1") == turn()
    assert await store.find_all("acme", ["resp_2", "resp_1"]) == [None, turn()]
    assert await store.find_by_item("acme", "msg_2") is None


async def test_another_org_finds_nothing(store: ResponseStore) -> None:
    """Not by the response's id, not by an item's, and it cannot delete it."""
    await store.keep("acme", turn(), ["msg_1"])

    assert await store.find("other", "resp_1") is None
    assert await store.find_by_item("other", "msg_1") is None
    assert not await store.forget("other", "resp_1")
    assert await store.find("acme", "resp_1") == turn()


async def test_redis_holds_nothing_readable(store: ResponseStore, client: redis.Redis) -> None:
    """Neither what was said nor what was answered can be read from a copy of the database."""
    await store.keep("acme", turn(), ["msg_1"])
    kept = b"".join(client.get(key) or b"" for key in client.scan_iter())  # type: ignore[union-attr, misc]

    assert SECRET.encode() not in kept
    assert b"Ada" not in kept
    assert b"output" not in kept


async def test_a_record_moved_to_another_org_or_id_is_not_opened(
    store: ResponseStore, client: redis.Redis
) -> None:
    """Each record is bound to the place it was sealed for."""
    await store.keep("acme", turn())
    sealed = client.get(names.stored_response("acme", "resp_1"))
    client.set(names.stored_response("other", "resp_1"), sealed)  # type: ignore[arg-type]
    client.set(names.stored_response("acme", "resp_9"), sealed)  # type: ignore[arg-type]

    assert await store.find("other", "resp_1") is None
    assert await store.find("acme", "resp_9") is None


@pytest.mark.parametrize("damaged", [b"", b"short", b"x" * 200])
async def test_a_damaged_record_is_none(
    store: ResponseStore, client: redis.Redis, damaged: bytes
) -> None:
    """It counts as missing, never as an error."""
    client.set(names.stored_response("acme", "resp_1"), damaged)

    assert await store.find("acme", "resp_1") is None


async def test_another_pepper_opens_nothing(
    store: ResponseStore, connection: RedisConnection
) -> None:
    """Without the secret beside the database the records are noise."""
    await store.keep("acme", turn())

    assert (
        await ResponseStore(connection, b"another pepper, as long").find("acme", "resp_1") is None
    )


async def test_responses_live_a_day_after_their_last_use(
    store: ResponseStore, client: redis.Redis
) -> None:
    """Memory is not an archive; but a conversation that goes on stays whole."""
    name = names.stored_response("acme", "resp_1")
    await store.keep("acme", turn(), ["msg_1"])
    kept_for = client.ttl(name)
    client.expire(name, 5)
    await store.find("acme", "resp_1")

    assert KEPT_SECONDS - 5 <= kept_for <= KEPT_SECONDS  # type: ignore[operator]
    assert client.ttl(name) > 5  # type: ignore[operator]
    assert client.ttl(names.stored_item("acme", "msg_1")) > 5  # type: ignore[operator]


async def test_a_forgotten_response_is_gone(store: ResponseStore) -> None:
    """At once, also by way of its items."""
    await store.keep("acme", turn(), ["msg_1"])

    assert await store.forget("acme", "resp_1")
    assert not await store.forget("acme", "resp_1")
    assert await store.find("acme", "resp_1") is None
    assert await store.find_by_item("acme", "msg_1") is None


@pytest.mark.parametrize("odd", ["", "a b", "x" * 300, "resp_1}:{other", "é", "resp\n1"])
async def test_what_cannot_be_an_id_is_not_looked_up(
    store: ResponseStore, client: redis.Redis, odd: str
) -> None:
    """Ids come from clients and backends; none reaches into another key."""
    await store.keep("acme", turn(odd), [odd])

    assert client.dbsize() == 0
    assert await store.find("acme", odd) is None
    assert not await store.forget("acme", odd)


async def test_all_keys_of_an_org_share_a_slot(store: ResponseStore, client: redis.Redis) -> None:
    """So they are together in a cluster."""
    await store.keep("acme", turn(), ["msg_1"])
    keys = list(client.scan_iter())

    assert len(keys) == 2
    assert all(b"{acme}" in key for key in keys)
