"""The lines of one period to be closed: which they are, what they cost, and their digest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from gateway.core.closing import Closed
from gateway.reports.restatement import written_sql

if TYPE_CHECKING:
    import duckdb

_PAGE = 20_000


class NotClosable(ValueError):
    """The period cannot be closed now; the message says why, and what to do first."""


@contextmanager
def view_ledger(database: duckdb.DuckDBPyConnection, cut: str) -> Iterator[None]:
    """Let the name `lines` mean the whole ledger as it was at an entry, for a while."""
    database.execute("CREATE SCHEMA IF NOT EXISTS known")
    database.execute(
        "CREATE OR REPLACE VIEW known.lines AS SELECT * FROM main.lines "
        f"WHERE {written_sql(cut, '<=')}"
    )
    database.execute("SET search_path = 'known,main'")
    try:
        yield
    finally:
        database.execute("SET search_path = 'closing,main'")


def view_period(
    database: duckdb.DuckDBPyConnection, closed: Closed, before: tuple[Closed, ...]
) -> None:
    """Let the name `lines` mean the period's lines; those that came late are corrections.

    Raises:
        NotClosable: lines of before belong to no closed period.
    """
    late = [
        f"(dated >= {one.starts!r} AND dated < {one.ends!r} AND {written_sql(one.cut, '>')} "
        f"AND {written_sql(_cut_before(closed, before), '>')})"
        for one in before
    ]
    is_late = f"({' OR '.join(late)})" if late else "false"
    undated = f"dated < {closed.starts!r}"
    closed_spans = " OR ".join(
        f"(dated >= {one.starts!r} AND dated < {one.ends!r})" for one in before
    )
    open_before = f"{undated} AND NOT ({closed_spans})" if closed_spans else undated
    found = database.execute(f"SELECT count(*) FROM lines WHERE {open_before}").fetchone()
    if found is not None and found[0]:
        raise NotClosable(
            f"{found[0]:,} lines lie before {closed.period} in no closed period; close their "
            "months first, beginning with the oldest"
        )
    database.execute("CREATE SCHEMA closing")
    database.execute(
        "CREATE VIEW closing.lines AS SELECT * REPLACE (CASE WHEN "
        f"{is_late} THEN 'correction' ELSE kind END AS kind) FROM main.lines WHERE "
        f"{written_sql(closed.cut, '<=')} AND ({is_late} OR "
        f"(dated >= {closed.starts!r} AND dated < {closed.ends!r}))"
    )
    database.execute("SET search_path = 'closing,main'")


def _cut_before(closed: Closed, before: tuple[Closed, ...]) -> str:
    """The entry up to which the period before took the late lines."""
    return before[-1].cut if before else "0-0"


def sums_of(database: duckdb.DuckDBPyConnection, closed: Closed) -> tuple[int, int, int, int]:
    """Lines, late lines, and what both cost in nano-USD."""
    late = f"dated < {closed.starts!r}"
    found = database.execute(
        f"SELECT count(*), count(*) FILTER ({late}), coalesce(sum(cost_nanousd), 0)::HUGEINT, "
        f"coalesce(sum(cost_nanousd) FILTER ({late}), 0)::HUGEINT FROM lines"
    ).fetchone()
    lines, late_lines, total, late_total = found or (0, 0, 0, 0)
    return int(lines), int(late_lines), int(total), int(late_total)


def digest_of(database: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 of the period's lines with their ids, in the order of writing."""
    digest = sha256()
    found = database.execute(
        "SELECT entry, line FROM lines ORDER BY written_ms, split_part(entry, '-', 2)::BIGINT"
    )
    while rows := found.fetchmany(_PAGE):
        for entry, line in rows:
            digest.update(f"{entry} {line}\n".encode())
    return digest.hexdigest()


def first_lines(
    database: duckdb.DuckDBPyConnection, cut: str, deployments: tuple[str, ...]
) -> dict[str, float]:
    """When each deployment had its first line, of those written up to an entry."""
    found = database.execute(
        f"SELECT deployment, min(dated) FROM lines WHERE {written_sql(cut, '<=')} "
        "GROUP BY deployment ORDER BY deployment"
    ).fetchall()
    return {name: float(first) for name, first in found if name in deployments}
