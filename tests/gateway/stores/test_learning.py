"""Evidence about deployments: counted once, replaced, taken back."""

from __future__ import annotations

from uuid import uuid4

import pytest

from gateway.core.learning import KEPT_DAYS, Day
from gateway.stores.connection import RedisConnection
from gateway.stores.learning import LearningStore, Served

HOUSE = Served(deployment="house", task="code", predicted=700_000)


@pytest.fixture
def org() -> str:
    return f"org-{uuid4().hex[:8]}"


async def test_a_rating_is_counted_once_and_a_later_one_replaces_it(
    connection: RedisConnection, org: str
) -> None:
    """Whoever changes their mind leaves one answer behind, on the day it was first counted."""
    store = LearningStore(connection)
    await store.remember(org, "req_1", HOUSE, 60)
    first = await store.rate(org, "req_1", HOUSE, 1.0, 20_000)
    second = await store.rate(org, "req_1", HOUSE, 0.25, 20_001)
    (learnt,) = await store.load(org)

    assert (first, second) == (True, True)
    assert (learnt.deployment, learnt.task, learnt.version) == ("house", "code", 2)
    assert learnt.days == {20_000: Day(1, 250_000, 700_000)}


async def test_what_nobody_knows_cannot_be_rated(connection: RedisConnection, org: str) -> None:
    """Neither an unknown request nor one of another org."""
    store = LearningStore(connection)
    await store.remember(org, "req_1", HOUSE, 60)

    assert await store.served(org, "req_2") is None
    assert await store.served("other", "req_1") is None
    assert not await store.rate("other", "req_1", HOUSE, 1.0, 20_000)
    assert await store.load("other") == []


async def test_checks_are_counted_without_a_request(connection: RedisConnection, org: str) -> None:
    """Each is an answer of its own, beside those that were rated."""
    store = LearningStore(connection)
    for score in (0.0, 0.7):
        await store.count(org, HOUSE, score, 20_000)
    (learnt,) = await store.load(org)

    assert learnt.days == {20_000: Day(2, 700_000, 1_400_000)}


async def test_days_can_be_taken_back_exactly(connection: RedisConnection, org: str) -> None:
    """What was learnt between days is as if it had never been; other deployments keep theirs."""
    store = LearningStore(connection)
    other = Served(deployment="frontier", task="code", predicted=900_000)
    for number in (20_000, 20_001, 20_002):
        await store.count(org, HOUSE, 0.0, number)
        await store.count(org, other, 1.0, number)
    taken = await store.forget(org, "house", 20_001)
    frontier, house = await store.load(org)

    assert taken == 2
    assert list(house.days) == [20_000]
    assert list(frontier.days) == [20_000, 20_001, 20_002]
    assert await store.forget(org, "house", until_day=20_000) == 0
    assert await store.forget(org, "frontier", 20_000, 20_002) == 2
    assert list((await store.load(org))[0].days) == [20_002]
    assert await store.forget(org, "house") == 1
    assert [one.deployment for one in await store.load(org)] == ["frontier"]


async def test_days_that_are_too_old_are_dropped(connection: RedisConnection, org: str) -> None:
    """The first answer of a day sweeps."""
    store = LearningStore(connection)
    await store.count(org, HOUSE, 1.0, 20_000)
    await store.count(org, HOUSE, 1.0, 20_000 + KEPT_DAYS + 1)
    (learnt,) = await store.load(org)

    assert list(learnt.days) == [20_000 + KEPT_DAYS + 1]


async def test_a_judge_is_counted_apart_and_only_once(
    connection: RedisConnection, org: str
) -> None:
    """A second verdict on the same request is none; a copy's answer needs no request."""
    store = LearningStore(connection)
    await store.remember(org, "req_1", HOUSE, 60)
    first = await store.judge(org, HOUSE, 0.5, 20_000, "req_1")
    second = await store.judge(org, HOUSE, 1.0, 20_000, "req_1")
    await store.judge(org, HOUSE, 0.25, 20_000)
    unknown = await store.judge(org, HOUSE, 1.0, 20_000, "req_2")
    (learnt,) = await store.load(org)

    assert (first, second, unknown) == (True, False, False)
    assert learnt.days == {
        20_000: Day(judged=2, judged_score=750_000, judged_predicted=1_400_000),
    }


@pytest.mark.parametrize("first", ["judge", "rate"])
async def test_a_rating_takes_the_place_of_a_verdict(
    connection: RedisConnection, org: str, first: str
) -> None:
    """Whichever came first, and however often the rating changes."""
    store = LearningStore(connection)
    await store.remember(org, "req_1", HOUSE, 60)
    if first == "judge":
        await store.judge(org, HOUSE, 0.5, 20_000, "req_1")
    await store.rate(org, "req_1", HOUSE, 1.0, 20_001)
    if first == "rate":
        assert not await store.judge(org, HOUSE, 0.5, 20_001, "req_1")
    await store.rate(org, "req_1", HOUSE, 0.0, 20_002)
    (learnt,) = await store.load(org)

    assert {number: one for number, one in learnt.days.items() if one != Day()} == {
        20_001: Day(1, 0, 700_000)
    }


@pytest.mark.parametrize("again", [0.0, 0.5])
async def test_a_second_opinion_about_what_was_taken_back_is_a_first_one(
    connection: RedisConnection, org: str, again: float
) -> None:
    """It does not take away what no longer counts, even where others were counted since."""
    store = LearningStore(connection)
    for name in ("req_1", "req_2"):
        await store.remember(org, name, HOUSE, 60)
    await store.rate(org, "req_1", HOUSE, 1.0, 20_000)
    await store.judge(org, HOUSE, 1.0, 20_000, "req_2")
    await store.forget(org, "house")
    await store.count(org, HOUSE, 1.0, 20_000)
    await store.rate(org, "req_1", HOUSE, again, 20_000)
    await store.rate(org, "req_2", HOUSE, again, 20_000)
    (learnt,) = await store.load(org)

    worth = 1_000_000 + round(2 * again * 1_000_000)
    assert learnt.days == {20_000: Day(3, worth, 2_100_000)}
