"""Lines that were written after their month had been closed, and the month that they went into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.core.closing import Closed, entry_place
from gateway.core.money import nano_to_usd_text
from gateway.reports.asking import Ask, Background
from gateway.reports.selection import choose
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    Column("org", brief=False),
    Column("period", heading="dated in"),
    Column("booked_in", heading="booked in"),
    Column("team"),
    Column("kind"),
    Column("lines", Kind.COUNT, adds=True),
    Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True),
)


def restatement_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Late lines of closed periods by period, team and kind; a note tells each period's totals.

    A late line is booked as a correction in the first period that is closed after it was written.
    """
    total = choose(database, ask)
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    for closed in known.closes:
        found = _late(database, closed, known.closes)
        rows += found
        late = sum(whole(row[6]) for row in found)
        own = closed.total_nanousd - closed.late_nanousd
        notes.append(
            f"{closed.org} {closed.period}: closed at {nano_to_usd_text(own)} USD"
            + (f", with late lines {nano_to_usd_text(own + late)} USD" if found else "")
        )
    totals = totals_of(_COLUMNS, rows)
    return Report(
        name="restatement",
        title="Restatement of closed periods",
        columns=_COLUMNS,
        rows=tuple(rows),
        totals=totals,
        total_nanousd=whole(totals[-1]),
        ledger_nanousd=total,
        notes=tuple(notes) or ("No period is closed.",),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


def written_sql(entry: str, sign: str) -> str:
    """SQL of whether a line was written before or after an entry; `sign` is `>` or `<=`."""
    milliseconds, number = entry_place(entry)
    return (
        f"(written_ms, split_part(entry, '-', 2)::BIGINT) {sign} "
        f"({milliseconds}::BIGINT, {number}::BIGINT)"
    )


def _late(
    database: duckdb.DuckDBPyConnection, closed: Closed, closes: tuple[Closed, ...]
) -> list[tuple[Cell, ...]]:
    after = [one for one in closes if one.org == closed.org and one.starts > closed.starts]
    cases = " ".join(f"WHEN {written_sql(one.cut, '<=')} THEN '{one.period}'" for one in after)
    booked = f"CASE {cases} ELSE 'not closed yet' END" if cases else "'not closed yet'"
    found = database.execute(
        f"SELECT {booked} AS booked, team, kind, count(*), sum(cost_nanousd)::HUGEINT FROM lines "
        f"WHERE org = ? AND dated >= ? AND dated < ? AND {written_sql(closed.cut, '>')} "
        "GROUP BY booked, team, kind ORDER BY booked, team, kind",
        [closed.org, closed.starts, closed.ends],
    ).fetchall()
    return [(closed.org, closed.period, *one[:3], int(one[3]), int(one[4])) for one in found]
