"""Reading the ledger and the audit log back, page by page; blocking, for reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec
import redis

from gateway.core.records import AuditRecord, LedgerLine
from gateway.stores import names

#: Entries per round trip: enough to be quick, little enough for constant memory.
_PAGE = 1000
#: Entries are dated by the gateway and filed under Redis' own clock; how far these may differ
#: (and how long a request may have run before its line was written), in seconds.
_CLOCK_MARGIN = 3600.0


def read_orgs(client: redis.Redis) -> tuple[str, ...]:
    """Every org that has a ledger or an audit log, sorted."""
    members = cast(set[bytes], client.smembers(names.ORGS))
    return tuple(sorted(member.decode() for member in members))


def read_lines(
    client: redis.Redis, org: str, start: float | None = None, end: float | None = None
) -> Iterator[LedgerLine]:
    """Ledger lines dated from `start` to before `end` (epoch seconds), as they were written.

    A line can be written long after its date (a lease that ran out, a correction), so the
    stream is read to its end.
    """
    decode = msgspec.json.Decoder(LedgerLine).decode
    for entry in _entries(client, names.ledger(org), b"line", start):
        line = decode(entry)
        if (start is None or line.at >= start) and (end is None or line.at < end):
            yield line


def read_audit(
    client: redis.Redis, org: str, start: float | None = None, end: float | None = None
) -> Iterator[AuditRecord]:
    """Audit records dated from `start` to before `end` (epoch seconds), as they were written."""
    decode = msgspec.json.Decoder(AuditRecord).decode
    for entry in _entries(client, names.audit(org), b"record", start):
        record = decode(entry)
        if (start is None or record.at >= start) and (end is None or record.at < end):
            yield record


def last_audit(client: redis.Redis, org: str, count: int) -> list[AuditRecord]:
    """The newest records of an org, oldest of them first."""
    newest = cast(
        list[tuple[bytes, dict[bytes, bytes]]], client.xrevrange(names.audit(org), count=count)
    )
    return [msgspec.json.decode(f[b"record"], type=AuditRecord) for _, f in reversed(newest)]


def _entries(
    client: redis.Redis, stream: str, field: bytes, start: float | None
) -> Iterator[bytes]:
    earliest = "-" if start is None else str(max(0, int((start - _CLOCK_MARGIN) * 1000)))
    while True:
        page = cast(
            list[tuple[bytes, dict[bytes, bytes]]],
            client.xrange(stream, min=earliest, count=_PAGE),
        )
        for _, fields in page:
            yield fields[field]
        if len(page) < _PAGE:
            return
        # "(": from after this one.
        earliest = "(" + page[-1][0].decode()
