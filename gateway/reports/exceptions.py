"""What in the ledger is not as certain as the rest: unpriced, estimated, in doubt, corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.reports.asking import Ask, Background
from gateway.reports.selection import check_dimensions, choose, dimension_sql, numbers
from gateway.reports.shape import Column, Kind, Report, totals_of

if TYPE_CHECKING:
    import duckdb

_USUAL = ("day", "deployment", "model")
#: What makes a line an exception; the first one that holds is the one that it is filed under.
_KIND = (
    "CASE WHEN unpriced THEN 'unpriced' WHEN kind = 'correction' THEN 'correction' "
    "WHEN kind = 'in_doubt' AND corrected THEN 'in doubt, corrected since' "
    "WHEN kind = 'in_doubt' THEN 'in doubt' WHEN estimated THEN 'estimated' "
    "WHEN spooled THEN 'kept on disk while Redis was away' END"
)


def exceptions_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Every line that somebody should look at, by kind and dimensions, with a request to look up.

    `unpriced` lines have usage that no price is known for; `estimated` ones have our own count of
    tokens; `in doubt` ones cost what was held for them, because nobody settled.

    Raises:
        UnknownDimension: a dimension that does not exist.
    """
    by = check_dimensions(ask.by or _USUAL)
    total = choose(database, ask)
    places = "".join(f", {dimension_sql(name)} AS d{place}" for place, name in enumerate(by))
    groups = "".join(f", d{place}" for place in range(len(by)))
    found = database.execute(
        f"SELECT {_KIND} AS exception{places}, count(*), min(request_id), "
        "sum(cost_nanousd)::HUGEINT AS cost FROM (SELECT *, hold_id IN "
        "(SELECT hold_id FROM chosen WHERE kind = 'correction') AS corrected FROM chosen) "
        f"WHERE exception IS NOT NULL GROUP BY exception{groups} "
        f"ORDER BY exception{groups}"
    ).fetchall()
    columns = (
        Column("exception"),
        *(Column(name) for name in by),
        Column("lines", Kind.COUNT, adds=True),
        Column("example", heading="for example", brief=False),
        Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True),
    )
    rows = tuple(numbers(one) for one in found)
    return Report(
        name="exceptions",
        title="Exceptions: lines that are not certain",
        columns=columns,
        rows=rows,
        totals=totals_of(columns, rows),
        total_nanousd=sum(int(one[-1]) for one in found),
        ledger_nanousd=total,
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
        grouped=1,
    )
