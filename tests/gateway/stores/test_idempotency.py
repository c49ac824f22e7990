"""Claims, answers and their ends, on a real Redis."""

from __future__ import annotations

import asyncio

import redis

from gateway.stores.connection import RedisConnection
from gateway.stores.idempotency import KEPT_SECONDS, Claim, Entry, IdempotencyStore

PEPPER = b"a pepper of enough bytes"
HEADERS = [(b"content-type", b"application/json")]


def store_on(connection: RedisConnection, pepper: bytes = PEPPER) -> IdempotencyStore:
    return IdempotencyStore(connection, pepper)


async def claimed(store: IdempotencyStore, fingerprint: bytes = b"f", lease: float = 15.0) -> Claim:
    found = await store.claim("acme", "owner", "key", fingerprint, lease)
    assert isinstance(found, Claim)
    return found


async def found_by(store: IdempotencyStore) -> Entry:
    found = await store.claim("acme", "owner", "key", b"other", 15.0)
    assert isinstance(found, Entry)
    return found


async def test_of_many_at_once_one_gets_the_claim(connection: RedisConnection) -> None:
    """The others are told that it runs, and what its request was."""
    store = store_on(connection)
    found = await asyncio.gather(
        *(store.claim("acme", "owner", "key", b"%d" % n, 15.0) for n in range(20))
    )

    (claim,) = (one for one in found if isinstance(one, Claim))
    others = [one for one in found if isinstance(one, Entry)]
    assert len(others) == 19
    assert all(one.running and one.fingerprint == claim.fingerprint for one in others)


async def test_an_answer_is_kept_for_a_day_and_is_unreadable_in_the_database(
    connection: RedisConnection, client: redis.Redis
) -> None:
    """Status, headers and body come back; Redis holds neither key nor body in the clear."""
    store = store_on(connection)
    await store.keep(await claimed(store), 200, HEADERS, b"a private answer")

    found = await found_by(store)
    assert (found.status, found.headers, found.body) == (200, tuple(HEADERS), b"a private answer")
    (name,) = client.keys()  # type: ignore[misc]
    assert name.startswith(b"fairlead:{acme}:once:")
    assert b"private" not in client.get(name)  # type: ignore[operator]
    assert 0 <= KEPT_SECONDS * 1000 - client.pttl(name) < 60_000  # type: ignore[operator]


async def test_owners_and_orgs_never_meet_under_the_same_key(connection: RedisConnection) -> None:
    """Another principal's key of the same name is its own."""
    store = store_on(connection)
    await claimed(store)

    assert isinstance(await store.claim("acme", "someone else", "key", b"f", 15.0), Claim)
    assert isinstance(await store.claim("rival", "owner", "key", b"f", 15.0), Claim)


async def test_a_claim_that_is_not_renewed_ends_and_its_old_owner_can_do_nothing(
    connection: RedisConnection,
) -> None:
    """A dead gateway blocks nobody; a slow one does not overwrite its successor."""
    store = store_on(connection)
    lost = await claimed(store, lease=0.02)
    await asyncio.sleep(0.05)
    successor = await claimed(store)

    assert not await store.renew(lost, 15.0)
    assert not await store.keep(lost, 200, HEADERS, b"late")
    assert not await store.release(lost)
    assert (await found_by(store)).running
    assert await store.renew(successor, 15.0)


async def test_a_released_claim_is_free(connection: RedisConnection) -> None:
    """Whoever comes next is the first again."""
    store = store_on(connection)
    assert await store.release(await claimed(store))

    await claimed(store, b"another request")


async def test_what_another_pepper_sealed_is_worth_nothing(connection: RedisConnection) -> None:
    """It is claimed over instead of blocking its key for a day."""
    old = store_on(connection, b"the pepper of last year")
    await old.keep(await claimed(old), 200, HEADERS, b"old")

    new = store_on(connection)
    claim = await claimed(new)
    assert await new.keep(claim, 200, HEADERS, b"new")
