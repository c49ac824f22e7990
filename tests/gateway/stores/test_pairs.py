"""Judged pairs: sealed, bounded, told with later ratings in place of the judge's scores."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from gateway.core.judged import JudgedPair, Scored
from gateway.stores import names, pairs
from gateway.stores.connection import RedisConnection
from gateway.stores.pairs import KEPT_SECONDS, PairStore

PEPPER = b"a pepper of enough bytes"


@pytest.fixture
def org() -> str:
    return f"org-{uuid4().hex[:8]}"


def pair(number: int, at: float = 1000.0) -> JudgedPair:
    return JudgedPair(
        request_id=f"req_{number}",
        at=at,
        task="code",
        judge="umpire",
        served=Scored(deployment="house", predicted=0.5, score=0.25, self_hosted=True),
        copied=Scored(deployment="larger", predicted=0.9, score=0.75),
        served_first=True,
        features=b"marimba",
    )


async def test_what_was_kept_is_told_in_order(connection: RedisConnection, org: str) -> None:
    """Whole pages of it, and by nobody but this org."""
    store = PairStore(connection, PEPPER)
    kept = [pair(number) for number in range(450)]
    for one in kept:
        await store.keep(org, one)

    assert (await store.load(org)).pairs == tuple(kept)
    assert (await store.load(org + "-other")).pairs == ()


async def test_a_rating_replaces_the_score_of_the_served_answer(
    connection: RedisConnection, org: str
) -> None:
    """The last one counts, and the copy's score stays."""
    store = PairStore(connection, PEPPER)
    await store.keep(org, pair(1))
    await store.keep(org, pair(2))
    for score in (0.0, 1.0):
        await store.rate(org, "req_1", score)
    first, second = (await store.load(org)).pairs

    assert (first.served.score, first.copied.score) == (1.0, 0.75)
    assert second == pair(2)


async def test_entries_open_only_with_the_pepper_and_for_their_org(
    connection: RedisConnection, org: str
) -> None:
    """A copy of Redis tells nothing, and an entry that was moved elsewhere is counted as none."""
    store = PairStore(connection, PEPPER)
    await store.keep(org, pair(1))
    reply = await connection.execute("XRANGE", names.judged_pairs(org), "-", "+")
    sealed = reply[0][1][1]  # type: ignore[index]
    await connection.execute("XADD", names.judged_pairs("rival" + org), "*", "entry", sealed)  # type: ignore[arg-type]
    moved = await store.load("rival" + org)
    other = await PairStore(connection, b"another pepper, long enough").load(org)

    assert b"marimba" not in sealed  # type: ignore[operator]
    assert b"house" not in sealed  # type: ignore[operator]
    assert [(one.pairs, one.unreadable) for one in (moved, other)] == [((), 1), ((), 1)]


async def test_there_are_never_too_many_nor_too_old(
    connection: RedisConnection, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest go first, and what is too old is deleted and not told."""
    monkeypatch.setattr(pairs, "MOST_KEPT", 3)
    store = PairStore(connection, PEPPER)
    for number in range(5):
        await store.keep(org, pair(number))
    found = await store.load(org)

    assert [one.request_id for one in found.pairs] == ["req_2", "req_3", "req_4"]
    later = PairStore(connection, PEPPER, clock=lambda: 4e9 + KEPT_SECONDS)
    assert (await later.load(org)).pairs == ()
    await later.keep(org, pair(9))
    # Entries bear the time of the server, which for that clock is long ago.
    assert await connection.execute("XLEN", names.judged_pairs(org)) == 0


async def test_all_of_an_org_can_be_forgotten(connection: RedisConnection, org: str) -> None:
    """And others keep theirs."""
    store = PairStore(connection, PEPPER)
    await store.keep(org, pair(1))
    await store.keep(org + "-other", pair(2))

    assert await store.forget(org) == 1
    assert (await store.load(org)).pairs == ()
    assert len((await store.load(org + "-other")).pairs) == 1


async def test_pairs_since_a_moment(connection: RedisConnection, org: str) -> None:
    """A moment in the future leaves none."""
    store = PairStore(connection, PEPPER)
    await store.keep(org, pair(1))

    assert (await store.load(org, since=4e9)).pairs == ()
    assert len((await store.load(org, since=1e9)).pairs) == 1


async def test_pairs_before_a_moment(connection: RedisConnection, org: str) -> None:
    """A rating of them counts although it came later."""
    store = PairStore(connection, PEPPER)
    await store.keep(org, pair(1))
    await asyncio.sleep(0.05)
    moment = time.time()
    await asyncio.sleep(0.05)
    await store.keep(org, pair(2))
    await store.rate(org, "req_1", 1.0)
    (told,) = (await store.load(org, until=moment)).pairs
    other = PairStore(connection, b"another pepper, long enough")

    assert (told.request_id, told.served.score) == ("req_1", 1.0)
    assert (await store.load(org, since=moment)).pairs == (pair(2),)
    assert (await other.load(org, until=moment)).unreadable == 1
