"""What Redis could not take is booked when it is back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.core.budgets import BudgetCounter
from gateway.core.ledger import Hold, Settlement
from gateway.core.records import AuditRecord
from gateway.stores.book import read_audit, read_lines
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import open_embedded
from gateway.stores.endpoint import open_client
from gateway.stores.ledger import LedgerStore
from gateway.stores.outbox import Outbox

MONTH = BudgetCounter(scope="team/support", per="month", cap_nanousd=1000)


async def test_settlements_wait_for_redis_and_are_booked_once(
    tmp_path: Path,
    make_hold: Callable[..., Hold],
    make_settlement: Callable[..., Settlement],
    make_audit: Callable[..., AuditRecord],
) -> None:
    """A settlement and a record made while Redis is away reach the book when it is back."""
    first = open_embedded(tmp_path)
    url = first.url
    connection = RedisConnection(url)
    store = LedgerStore(connection)
    outbox = Outbox(store)
    await store.hold(make_hold(amount=100))
    first.close()
    taken = [
        await outbox.settle(make_settlement(cost=40)),
        await outbox.record(make_audit(outcome="refused")),
    ]
    away = await outbox.flush()
    second = open_embedded(tmp_path)
    await connection.close()
    await connection.open()
    left = await outbox.flush()
    (use,) = await store.budget_use("acme", (MONTH,))
    await connection.close()
    with open_client(url) as client:
        lines = list(read_lines(client, "acme"))
        records = list(read_audit(client, "acme"))
    second.close()

    assert taken == [False, False]
    assert (away, left, len(outbox)) == (2, 0, 0)
    assert (use.spent_nanousd, use.held_nanousd) == (40, 0)
    assert [line.cost_nanousd for line in lines] == [40]
    assert [record.outcome for record in records] == ["refused"]


async def test_what_redis_takes_at_once_does_not_wait(
    store: LedgerStore, make_settlement: Callable[..., Settlement]
) -> None:
    """In good times nothing is kept."""
    outbox = Outbox(store)

    assert await outbox.settle(make_settlement()) is True
    assert len(outbox) == 0
