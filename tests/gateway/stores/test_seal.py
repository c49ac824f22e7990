"""Sealing and verifying the audit log: every kind of tampering is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
import redis

from gateway.core.chain import Checkpoint
from gateway.core.records import AuditRecord
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.ledger import LedgerStore
from gateway.stores.seal import Sealer, verify_audit

PEPPER = b"a pepper of at least sixteen bytes"
AUDIT, CHECKPOINTS = names.audit("acme"), names.checkpoints("acme")


@pytest.fixture
async def sealer(connection: RedisConnection) -> Sealer:
    """Seals with the installation's pepper."""
    return Sealer(connection, PEPPER, wall=lambda: 1_790_000_000.0)


@pytest.fixture
async def sealed(
    store: LedgerStore, sealer: Sealer, client: redis.Redis, make_audit: Callable[..., AuditRecord]
) -> redis.Redis:
    """Nine entries under three checkpoints, and one that is not sealed yet."""
    for stretch in range(3):
        for number in range(3):
            await store.record(make_audit(request_id=f"r{stretch}{number}"))
        await sealer.seal("acme")
    await store.record(make_audit(request_id="open"))
    return client


def problems(client: redis.Redis) -> list[str]:
    """What verification finds, without the ids of entries."""
    found = verify_audit(client, "acme", PEPPER).problems
    return [text.split(" (up to")[0] + ": " + text.rsplit(": ", 1)[1] for text in found]


def rebuilt(client: redis.Redis, stream: str, change: Callable[[list[object]], None]) -> None:
    """Write a stream anew after a change to its entries, keeping their ids."""
    entries = client.xrange(stream)
    change(entries)
    client.delete(stream)
    for entry_id, fields in entries:
        client.xadd(stream, fields, id=entry_id)


async def test_an_untouched_log_is_intact(sealed: redis.Redis, sealer: Sealer) -> None:
    """Entries under checkpoints and those after them are counted."""
    found = verify_audit(sealed, "acme", PEPPER)
    again = await sealer.seal("acme")

    assert (found.sealed, found.unsealed, found.checkpoints) == (9, 1, 3)
    assert found.problems == ()
    assert again == 1
    assert await sealer.seal("acme") == 0
    assert verify_audit(sealed, "acme", PEPPER).sealed == 10


async def test_a_changed_entry_is_found_in_its_stretch(sealed: redis.Redis) -> None:
    """One bit anywhere names the stretch it lies in, and only that one."""

    def change(entries: list[object]) -> None:
        _, fields = entries[4]  # type: ignore[misc]
        fields[b"record"] = fields[b"record"].replace(b"r11", b"r1l")

    rebuilt(sealed, AUDIT, change)

    assert problems(sealed) == ["entries 4 to 6: an entry was changed"]


async def test_a_removed_entry_is_found(sealed: redis.Redis) -> None:
    """Fewer entries than were sealed."""
    ids = [entry_id for entry_id, _ in sealed.xrange(AUDIT)]
    sealed.xdel(AUDIT, ids[0])

    assert problems(sealed) == [
        "entries 1 to 3: 3 entries were sealed up to here, 2 are there",
    ]


async def test_an_entry_that_was_slipped_in_is_found(sealed: redis.Redis) -> None:
    """More entries than were sealed."""

    def change(entries: list[object]) -> None:
        _, fields = entries[3]  # type: ignore[misc]
        entries.insert(0, (b"1-1", fields))

    rebuilt(sealed, AUDIT, change)

    assert problems(sealed) == [
        "entries 1 to 3: 3 entries were sealed up to here, 4 are there",
    ]


async def test_an_extra_field_in_an_entry_is_a_change(sealed: redis.Redis) -> None:
    """Nothing can be hidden beside the record."""

    def change(entries: list[object]) -> None:
        entries[8][1][b"note"] = b"x"  # type: ignore[index]

    rebuilt(sealed, AUDIT, change)

    assert problems(sealed) == ["entries 7 to 9: an entry was changed"]


async def test_a_removed_checkpoint_is_found(sealed: redis.Redis) -> None:
    """The next one names a head that is not there."""
    ids = [entry_id for entry_id, _ in sealed.xrange(CHECKPOINTS)]
    sealed.xdel(CHECKPOINTS, ids[1])

    assert problems(sealed) == ["entries 4 to 9: a checkpoint before it is missing"]


async def test_a_forged_checkpoint_is_found_and_nothing_is_sealed_behind_it(
    sealed: redis.Redis, sealer: Sealer
) -> None:
    """Without the key nobody can write a checkpoint that counts."""
    forged = Checkpoint(
        org="acme", entries=10, last_id="9-0", head="ab" * 32, previous="", at=1.0, signature="0"
    )
    for content in (msgspec.json.encode(forged), b"not json"):
        sealed.xadd(CHECKPOINTS, {"head": forged.head, "checkpoint": content})

    assert await sealer.seal("acme") == 0
    assert verify_audit(sealed, "acme", PEPPER).problems == (
        "after entry 9: a checkpoint is not ours",
        "after entry 9: a checkpoint is not ours",
    )


async def test_gateways_that_seal_at_once_write_one_chain(
    store: LedgerStore,
    connection: RedisConnection,
    client: redis.Redis,
    make_audit: Callable[..., AuditRecord],
) -> None:
    """Of several sealers one wins each stretch, and the log stays intact."""
    for number in range(450):
        await store.record(make_audit(request_id=f"r{number}"))
    sealers = [Sealer(connection, PEPPER) for _ in range(4)]
    counts = await asyncio.gather(*(each.seal("acme") for each in sealers))

    found = verify_audit(client, "acme", PEPPER)
    assert sum(counts) == 450
    assert (found.sealed, found.checkpoints, found.problems) == (450, 1, ())
