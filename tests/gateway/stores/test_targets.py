"""Tallies of targeted routes, added up by all gateways."""

from __future__ import annotations

from uuid import uuid4

from gateway.core.money import MILLION
from gateway.core.targets import HALVE_AT, HORIZON, Bin, Tally
from gateway.stores.connection import RedisConnection
from gateway.stores.targets import TargetStore


def counted(requests: int, **more: object) -> Tally:
    return Tally(requests=requests, **more)  # type: ignore[arg-type]


async def test_two_gateways_add_to_one_tally(connection: RedisConnection) -> None:
    """Each learns what both have counted."""
    store, route = TargetStore(connection), f"r-{uuid4().hex}"
    await store.add(route, "quality", counted(2, fixed=5, debt=7, bins={3: Bin(2, 10, 20)}), "-")
    both = await store.add(
        route, "quality", counted(1, bins={3: Bin(1, 1, 2), 9: Bin(1, 0, 1)}), "-"
    )
    other = await store.add(route, "spend", counted(0), "-")

    assert (both.requests, both.fixed, both.debt) == (3, 5, 7)
    assert both.bins == {3: Bin(3, 11, 22), 9: Bin(1, 0, 1)}
    assert other.requests == 0


async def test_old_counts_are_halved_and_the_debt_is_not(connection: RedisConnection) -> None:
    """The tally follows the traffic; what is owed stays owed, up to its bound."""
    store, route = TargetStore(connection), f"r-{uuid4().hex}"
    many = HALVE_AT + 2
    told = await store.add(route, "quality", counted(many, debt=9, bins={1: Bin(many, 8, 9)}), "-")
    most = await store.add(route, "quality", counted(0, debt=10**15), "-")

    assert (told.requests, told.debt) == (many // 2, 9)
    assert told.bins == {1: Bin(many // 2, 4, 4)}
    assert most.debt == HORIZON * MILLION


async def test_a_new_period_begins_with_nothing_spent(connection: RedisConnection) -> None:
    """Only money belongs to a period; the counts go on."""
    store, route = TargetStore(connection), f"r-{uuid4().hex}"
    first = await store.add(route, "spend", counted(1, spent_nanousd=500), "2026-11")
    same = await store.add(route, "spend", counted(1, spent_nanousd=20), "2026-11")
    later = await store.add(route, "spend", counted(1, spent_nanousd=3), "2026-12")

    assert [one.spent_nanousd for one in (first, same, later)] == [500, 520, 3]
    assert later.requests == 3
