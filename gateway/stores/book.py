"""Reading the ledger and the audit log back, page by page; blocking, for reports."""

from __future__ import annotations

import math
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
#: How long after its date an audit record is looked for, in seconds.
_LATEST_SECONDS = 86_400.0


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


class AuditPage(msgspec.Struct, frozen=True):
    """Some audit records of an org as they were written, and when the last one was; seconds."""

    records: list[bytes]
    at: float


def audit_pages(
    client: redis.Redis, org: str, start: float | None = None, end: float | None = None
) -> Iterator[AuditPage]:
    """The audit records that may be dated from `start` to before `end`, undecoded and in pages.

    Whoever reads looks at each record's own date. One that was booked for a gateway that died is
    found up to a day after its date.
    """
    latest = math.inf if end is None else end + _LATEST_SECONDS
    for page in _pages(client, names.audit(org), start):
        at = int(page[-1][0].partition(b"-")[0]) / 1000.0
        yield AuditPage([fields[b"record"] for _, fields in page], at)
        if at > latest:
            return


def audit_span(client: redis.Redis, org: str) -> tuple[float, float]:
    """When the first and the last audit record of an org were written, in epoch seconds."""
    ends = [client.xrange(names.audit(org), count=1), client.xrevrange(names.audit(org), count=1)]
    found = [cast(list[tuple[bytes, dict[bytes, bytes]]], one) for one in ends]
    first, last = (int(one[0][0].partition(b"-")[0]) / 1000.0 if one else 0.0 for one in found)
    return first, last


def last_audit(client: redis.Redis, org: str, count: int) -> list[AuditRecord]:
    """The newest records of an org, oldest of them first."""
    newest = cast(
        list[tuple[bytes, dict[bytes, bytes]]], client.xrevrange(names.audit(org), count=count)
    )
    return [msgspec.json.decode(f[b"record"], type=AuditRecord) for _, f in reversed(newest)]


def _entries(
    client: redis.Redis, stream: str, field: bytes, start: float | None
) -> Iterator[bytes]:
    for page in _pages(client, stream, start):
        for _, fields in page:
            yield fields[field]


def _pages(
    client: redis.Redis, stream: str, start: float | None
) -> Iterator[list[tuple[bytes, dict[bytes, bytes]]]]:
    earliest = "-" if start is None else str(max(0, int((start - _CLOCK_MARGIN) * 1000)))
    while True:
        page = cast(
            list[tuple[bytes, dict[bytes, bytes]]],
            client.xrange(stream, min=earliest, count=_PAGE),
        )
        if page:
            yield page
        if len(page) < _PAGE:
            return
        # "(": from after this one.
        earliest = "(" + page[-1][0].decode()
