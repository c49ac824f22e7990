"""Reading the book back, and sweeping expired leases from a command."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import redis

from gateway.core.ledger import Hold
from gateway.core.records import AuditRecord, LedgerLine
from gateway.stores import names
from gateway.stores.book import last_audit, read_audit, read_lines, read_orgs
from gateway.stores.ledger import LedgerStore
from gateway.stores.sweep import reap_everywhere


def test_a_long_ledger_is_read_whole_and_in_order(
    client: redis.Redis, make_line: Callable[..., LedgerLine]
) -> None:
    """Pages do not lose, double or reorder lines."""
    with client.pipeline() as pipe:
        for number in range(2500):
            line = make_line(hold_id=f"h{number}")
            pipe.xadd(names.ledger("acme"), {"line": msgspec.json.encode(line)})
        pipe.execute()

    assert [line.hold_id for line in read_lines(client, "acme")] == [f"h{n}" for n in range(2500)]


def test_lines_are_chosen_by_their_date_with_the_end_excluded(
    client: redis.Redis, make_line: Callable[..., LedgerLine]
) -> None:
    """A line belongs to a span when it is dated from its start to before its end."""
    for at in (10.0, 20.0, 30.0):
        client.xadd(
            names.ledger("acme"),
            {"line": msgspec.json.encode(make_line(at=at))},
            id=f"{at:.0f}000-0",
        )

    assert [line.at for line in read_lines(client, "acme", 20.0, 30.0)] == [20.0]
    assert [line.at for line in read_lines(client, "acme", None, 30.0)] == [10.0, 20.0]
    assert list(read_lines(client, "nobody")) == []


async def test_records_come_back_and_the_last_ones_first_to_last(
    store: LedgerStore, client: redis.Redis, make_audit: Callable[..., AuditRecord]
) -> None:
    """Audit records are read whole, by date, or only the newest few."""
    for number in range(4):
        await store.record(make_audit(request_id=f"r{number}", at=float(number)))

    assert [record.request_id for record in read_audit(client, "acme", 1.0, 3.0)] == ["r1", "r2"]
    assert [record.request_id for record in last_audit(client, "acme", 2)] == ["r2", "r3"]
    assert read_orgs(client) == ("acme",)


async def test_a_command_books_expired_leases_of_every_org(
    store: LedgerStore, client: redis.Redis, make_hold: Callable[..., Hold]
) -> None:
    """Where no gateway runs any more, the report itself closes what a killed one left open."""
    for org in ("acme", "beta"):
        await store.hold(make_hold(f"{org}-1", 10, org=org))
        client.zadd(names.leases(org), {f"{org}-1": 1.0})

    assert reap_everywhere(client) == 2
    assert reap_everywhere(client) == 0
    assert [line.kind for line in read_lines(client, "beta")] == ["in_doubt"]
