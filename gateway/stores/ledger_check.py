"""Whether a ledger ties out: files, the arithmetic of each line, and the rollups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import redis

from gateway.stores import names
from gateway.stores.ledger_lines import open_lines
from gateway.stores.segments import DamagedLedger, check_segments, read_manifest

if TYPE_CHECKING:
    import duckdb

#: Problems of one kind that are named one by one.
_NAMED = 5


class OrgCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one org's ledger; without problems it ties out to the nano-dollar.

    `lines` are all, of which `sealed` lie in files; `hours` are the rollups compared.
    """

    org: str
    lines: int
    sealed: int
    cost_nanousd: int
    hours: int
    problems: tuple[str, ...] = ()


def check_ledger(client: redis.Redis, home: Path, org: str) -> OrgCheck:
    """Compare files with their checksums, lines with their parts, and lines with rollups."""
    problems: list[str] = []
    sealed = 0
    try:
        manifest = read_manifest(home, org)
        sealed = sum(one.lines for one in manifest.segments)
        check_segments(home, manifest)
    except DamagedLedger as damage:
        return OrgCheck(
            org=org, lines=0, sealed=sealed, cost_nanousd=0, hours=0, problems=(str(damage),)
        )
    with open_lines(client, home, (org,)) as database:
        found = database.execute(
            "SELECT count(*), count(DISTINCT entry), coalesce(sum(cost_nanousd), 0)::HUGEINT "
            "FROM lines"
        ).fetchone()
        lines, entries, cost = found or (0, 0, 0)
        if lines != entries:
            problems.append(f"{lines - entries} lines stand there twice")
        problems += _arithmetic(database)
        hours, differing = _rollups(database, client, org)
        problems += differing
    return OrgCheck(
        org=org,
        lines=lines,
        sealed=sealed,
        cost_nanousd=int(cost),
        hours=hours,
        problems=tuple(problems),
    )


def _arithmetic(database: duckdb.DuckDBPyConnection) -> list[str]:
    """Lines whose parts do not add up to their cost."""
    rows = database.execute(
        "SELECT entry, cost_nanousd, list_sum(list_transform(parts, lambda p: p.cost_nanousd)) "
        "FROM lines WHERE len(parts) > 0 AND cost_nanousd != "
        "list_sum(list_transform(parts, lambda p: p.cost_nanousd)) LIMIT ?",
        [_NAMED],
    ).fetchall()
    return [
        f"line {entry}: its parts are {parts} n$, it says {cost} n$" for entry, cost, parts in rows
    ]


def _rollups(
    database: duckdb.DuckDBPyConnection, client: redis.Redis, org: str
) -> tuple[int, list[str]]:
    """How many hours were compared, and where lines and rollups differ."""
    prefix = names.rollup_prefix(org)
    booked: dict[int, tuple[int, int]] = {}
    for key in client.scan_iter(match=f"{prefix}hour:*", count=1000):
        fields = cast(dict[bytes, bytes], client.hgetall(key))
        lines = sum(int(n) for name, n in fields.items() if name.endswith(b":lines"))
        cost = sum(int(n) for name, n in fields.items() if name.endswith(b"$"))
        booked[int(bytes(key).rsplit(b":", 1)[1])] = (lines, cost)
    told = {
        int(hour): (int(lines), int(cost))
        for hour, lines, cost in database.execute(
            "SELECT floor(dated / 3600)::BIGINT AS hour, count(*), sum(cost_nanousd)::HUGEINT "
            "FROM lines GROUP BY hour"
        ).fetchall()
    }
    differing = [
        f"hour {hour}: {told.get(hour, (0, 0))} lines and n$ in the ledger, {pair} in its rollup"
        for hour, pair in sorted(booked.items())
        if told.get(hour, (0, 0)) != pair
    ]
    return len(booked), differing[:_NAMED]
