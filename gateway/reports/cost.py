"""What was spent, by any dimensions of the ledger, and with one of them across the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.machines import Booked, choose_with_idle
from gateway.reports.rates import Rates
from gateway.reports.selection import (
    TIMES,
    check_dimensions,
    dimension_sql,
    exchange_note,
    exchanged,
    exchanged_column,
    exchanged_sql,
    numbers,
    one_row,
    source_of,
)
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb

_USUAL = ("team", "model")
#: Columns of a pivot; more do not fit on a page.
_MOST_ACROSS = 62
_COUNTS = (
    Column("requests", Kind.COUNT),
    Column("attempts", Kind.COUNT, adds=True, brief=False),
    Column("input_tokens", Kind.COUNT, "tokens in", adds=True),
    Column("cached_input_tokens", Kind.COUNT, adds=True, brief=False),
    Column("output_tokens", Kind.COUNT, "tokens out", adds=True),
    Column("estimated", Kind.COUNT, adds=True, brief=False),
    Column("in_doubt", Kind.COUNT, adds=True, brief=False),
    Column("corrections", Kind.COUNT, adds=True, brief=False),
)
_COST = Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True)


def cost_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Sum the lines by the dimensions; `ask.across` makes one of them columns.

    Rows are in the order of time where that is the first dimension, and dearest first otherwise.

    A request counts once in each row that it has a line in, and once in the total. By token
    class, counts are of requests and of tokens of the class.

    Raises:
        UnknownDimension: a dimension that does not exist.
        ReportError: `across` has too many values.
    """
    by = check_dimensions(ask.by or _USUAL)
    booked = choose_with_idle(database, ask, known)
    if ask.across:
        return _pivot(database, ask, by, booked)
    classes = "token_class" in by
    counts = _class_counts() if classes else _COUNTS
    columns = (
        *(Column(name) for name in by),
        *counts,
        _COST,
        *exchanged_column(known.rates),
    )
    found = database.execute(_sql(by, known.rates)).fetchall()
    rows = [_row(one, known.rates) for one in found]
    place = len(by) + len(counts)
    _sort(rows, by, place)
    summed = list(totals_of(columns, rows))
    summed[len(by)] = int(one_row(database, "SELECT count(DISTINCT request_id) FROM chosen")[0])
    return Report(
        name="cost",
        title="Cost by " + ", ".join(by),
        columns=columns,
        rows=tuple(rows),
        totals=tuple(summed),
        total_nanousd=whole(summed[place]),
        ledger_nanousd=booked.ledger_nanousd,
        notes=(
            *(() if classes else _doubts(summed, len(by))),
            *booked.notes,
            *exchange_note(known.rates),
        ),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
        chart="cost_nanousd",
        timeline=_timeline(by),
    )


def _sort(rows: list[tuple[Cell, ...]], by: Sequence[str], place: int) -> None:
    times = len(list(takewhile(TIMES.__contains__, by)))

    def key(row: tuple[Cell, ...]) -> tuple[Any, ...]:
        words = [str(cell) for cell in row[: len(by)]]
        return (words[:times], -whole(row[place]), words)

    rows.sort(key=key)


def _timeline(by: Sequence[str]) -> str:
    """The dimension that a chart is drawn along."""
    return by[0] if by and by[0] in TIMES else ""


def _class_counts() -> tuple[Column, ...]:
    return (Column("requests", Kind.COUNT), Column("quantity", Kind.COUNT, adds=True))


def _sql(by: Sequence[str], rates: Rates | None) -> str:
    source, cost = source_of(by)
    places = "".join(f"{dimension_sql(name)} AS d{place}, " for place, name in enumerate(by))
    groups = ", ".join(f"d{place}" for place in range(len(by)))
    if source == "parted":
        counts = "count(DISTINCT request_id), sum(quantity)::HUGEINT"
    else:
        counts = (
            "count(DISTINCT request_id), count(*) FILTER (kind NOT IN ('correction', 'idle')), "
            "sum(input_tokens)::HUGEINT, sum(cached_input_tokens)::HUGEINT, "
            "sum(output_tokens)::HUGEINT, "
            "count(*) FILTER (estimated AND kind NOT IN ('correction', 'in_doubt')), "
            "count(*) FILTER (kind = 'in_doubt'), count(*) FILTER (kind = 'correction')"
        )
    return (
        f"SELECT {places}{counts}, sum({cost})::HUGEINT{exchanged_sql(rates, cost)} "
        f"FROM {source} GROUP BY {groups}"
    )


def _row(found: Sequence[Any], rates: Rates | None) -> tuple[Cell, ...]:
    if rates is None:
        return numbers(found)
    return (*numbers(found[:-1]), exchanged(found[-1]))


def _doubts(totals: Sequence[Cell], first: int) -> tuple[str, ...]:
    estimated, in_doubt, corrections = (whole(totals[first + place]) for place in (5, 6, 7))
    notes = []
    if estimated:
        notes.append(f"Attempts whose tokens we had to estimate: {estimated:,}")
    if in_doubt - corrections > 0:
        doubtful = in_doubt - corrections
        notes.append(f"Attempts in doubt, counted at the amount held for them: {doubtful:,}")
    return tuple(notes)


def _pivot(
    database: duckdb.DuckDBPyConnection,
    ask: Ask,
    by: tuple[str, ...],
    booked: Booked,
) -> Report:
    """Costs with the values of one dimension as columns, and their sum as the last."""
    across = dimension_sql(ask.across)
    source, cost = source_of((*by, ask.across))
    places = "".join(f"{dimension_sql(name)} AS d{place}, " for place, name in enumerate(by))
    groups = ", ".join(f"d{place}" for place in range(len(by)))
    found = database.execute(
        f"SELECT {places}{across} AS across, sum({cost})::HUGEINT "
        f"FROM {source} GROUP BY {groups}, across"
    ).fetchall()
    values = sorted({str(one[-2]) for one in found})
    if len(values) > _MOST_ACROSS:
        raise ReportError(
            f"'{ask.across}' has {len(values)} values here, and {_MOST_ACROSS} fit across a page"
        )
    cells: dict[tuple[str, ...], dict[str, int]] = {}
    for *place, value, amount in found:
        cells.setdefault(tuple(place), {})[str(value)] = int(amount)
    columns = (
        *(Column(name) for name in by),
        *(
            Column(f"{value or '-'}_nanousd", Kind.MONEY, f"{value or '-'} USD", adds=True)
            for value in values
        ),
        _COST,
    )
    rows: list[tuple[Cell, ...]] = [
        (*place, *(held.get(value, 0) for value in values), sum(held.values()))
        for place, held in cells.items()
    ]
    _sort(rows, by, len(columns) - 1)
    totals = totals_of(columns, rows)
    return Report(
        name="cost",
        title=f"Cost by {', '.join(by)} across {ask.across}",
        columns=columns,
        rows=tuple(rows),
        totals=totals,
        total_nanousd=whole(totals[-1]),
        ledger_nanousd=booked.ledger_nanousd,
        notes=booked.notes,
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
        chart="cost_nanousd",
        timeline=_timeline(by),
    )
