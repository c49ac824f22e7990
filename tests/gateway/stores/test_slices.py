"""Slices keep a part of a budget for one gateway, and are never passed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.budgets import BudgetCounter
from gateway.core.errors import StoreUnavailable
from gateway.core.ledger import Granted, Hold, Settlement
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.ledger import LedgerStore
from gateway.stores.slices import SliceKeeper

CAP = 1_000_000
MONTH = BudgetCounter(scope="team/support", per="month", cap_nanousd=CAP)
Make = Callable[..., Hold]


async def standing(store: LedgerStore) -> tuple[int, int]:
    (use,) = await store.budget_use("acme", (MONTH,))
    return use.spent_nanousd, use.held_nanousd


async def test_a_slice_is_held_and_bounded(store: LedgerStore, make_hold: Make) -> None:
    """Twenty of the dearest holds, at most a twentieth of what is left; shared fairly."""
    keepers = [SliceKeeper(store, name) for name in ("one", "two")]
    for keeper in keepers:
        keeper.note(make_hold(amount=1000, counters=(MONTH,)))
        await keeper.keep()
    (_, held) = await standing(store)
    keepers[0].note(make_hold(amount=100_000, counters=(MONTH,)))
    await keepers[0].keep()
    (_, more) = await standing(store)
    for keeper in keepers:
        await keeper.give_back()

    assert held == 40_000
    assert more == 20_000 + (CAP - 20_000) // 20
    assert await standing(store) == (0, 0)
    assert await store.open_holds("acme") == 0


async def test_a_slice_follows_the_period_and_what_is_left(
    store: LedgerStore, make_hold: Make
) -> None:
    """A budget that is nearly spent leaves a small slice."""
    keeper = SliceKeeper(store, "one")
    nearly = make_hold("big", 990_000, counters=(MONTH,))
    assert isinstance(await store.hold(nearly), Granted)
    keeper.note(make_hold(amount=1000, counters=(MONTH,)))
    await keeper.keep()

    assert await standing(store) == (0, 990_000 + 500)


async def test_holds_from_slices_never_pass_them(
    store: LedgerStore, make_hold: Make, make_settlement: Callable[..., Settlement]
) -> None:
    """What is settled for less can be spent again; what has no slice is refused."""
    keeper = SliceKeeper(store, "one")
    keeper.note(make_hold(amount=100, counters=(MONTH,)))
    await keeper.keep()
    for number in range(20):
        granted = keeper.hold(make_hold(f"h{number}", 100, counters=(MONTH,)))
        assert isinstance(granted, Granted)
    with pytest.raises(StoreUnavailable):
        keeper.hold(make_hold("h20", 1, counters=(MONTH,)))
    keeper.settle(make_settlement("h0", cost=40))

    assert isinstance(keeper.hold(make_hold("h21", 60, counters=(MONTH,))), Granted)
    with pytest.raises(StoreUnavailable):
        keeper.hold(make_hold("h22", 1, counters=(MONTH,)))
    other = BudgetCounter(scope="team/other", per="month", cap_nanousd=CAP)
    with pytest.raises(StoreUnavailable):
        keeper.hold(make_hold("h23", 1, counters=(other,)))


async def test_a_budget_that_refuses_nothing_needs_no_slice(
    store: LedgerStore, make_hold: Make
) -> None:
    """It only counts, and counts when Redis is back."""
    told = BudgetCounter(scope="team/told", per="month", cap_nanousd=1, enforce=False)

    granted = SliceKeeper(store, "one").hold(make_hold("h1", 100, counters=(told,)))
    assert isinstance(granted, Granted)


async def test_the_slice_of_a_dead_gateway_is_released(
    store: LedgerStore, connection: RedisConnection, make_hold: Make
) -> None:
    """Its lease ends, its money is free again, and no line says that it was spent."""
    keeper = SliceKeeper(store, "one")
    keeper.note(make_hold(amount=1000, counters=(MONTH,)))
    await keeper.keep()
    await connection.execute("ZADD", names.leases("acme"), 1.0, "slice:one:team/support:month:UTC")
    booked = await store.reap("acme")

    assert booked == 0
    assert await standing(store) == (0, 0)
    assert await connection.execute("XLEN", names.ledger("acme")) == 0
