"""Values as people read them, for pages and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from gateway.core.money import nano_to_usd_text
from gateway.core.periods import zone_of
from gateway.reports.shape import Cell, Column, Kind, Report, subtotals_of, whole

_NANO_DIGITS = 9


def shown(column: Column, cell: Cell, digits: int = 2) -> str:
    """One value in words, money with at least so many decimals; nothing where nothing is known."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    match column.kind:
        case Kind.MONEY:
            return money(int(cell), digits)
        case Kind.SHARE:
            return f"{cell:.1%}"
        case Kind.NUMBER:
            return f"{cell:,.3f}"
        case _:
            return f"{cell:,}"


def money(nano: int, digits: int = 2) -> str:
    """Exact decimals with thousands set apart, at least `digits` and no zeros beyond them."""
    units, fraction = nano_to_usd_text(abs(nano)).split(".")
    sign = "-" if nano < 0 else ""
    return f"{sign}{int(units):,}.{fraction.rstrip('0').ljust(digits, '0')}"


def decimals(amounts: Iterable[int]) -> int:
    """How many decimals the amounts of a column need, 2 to 9, so that their points align."""
    most = 2
    for nano in amounts:
        while most < _NANO_DIGITS and nano % 10 ** (_NANO_DIGITS - most):
            most += 1
    return most


def span_words(report: Report) -> str:
    """The span of a report in its own time zone."""
    zone = zone_of(report.zone)

    def moment(at: float) -> str:
        return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"

    since, until = report.since, report.until
    if since is None:
        words = "the whole ledger" if until is None else f"before {moment(until)}"
    else:
        words = f"from {moment(since)}" + (
            " on" if until is None else f" to before {moment(until)}"
        )
    return f"{words}, {report.zone}"


def lines_of(report: Report) -> Iterator[tuple[list[str], bool]]:
    """Every line in words, and whether it is a sum: rows, subtotals and last the totals."""
    every = (*report.rows, report.totals)
    digits = [
        decimals(whole(row[place]) for row in every) if column.kind is Kind.MONEY else 2
        for place, column in enumerate(report.columns)
    ]
    for row, is_sum in (*rows_with_subtotals(report), (total_row(report), True)):
        cells = zip(report.columns, row, digits, strict=True)
        yield [shown(column, cell, needed) for column, cell, needed in cells], is_sum


def rows_with_subtotals(report: Report) -> Iterator[tuple[tuple[Cell, ...], bool]]:
    """Every row, and below each group a row of what it adds up to, which is marked so."""
    if not report.grouped:
        yield from ((row, False) for row in report.rows)
        return
    subtotals = subtotals_of(report)
    for group, rows in groupby(report.rows, key=lambda row: row[: report.grouped]):
        yield from ((row, False) for row in rows)
        yield _subtotal(report, group, subtotals[group]), True


def total_row(report: Report) -> tuple[Cell, ...]:
    """The last row: what it is, unless its first column adds up, and the totals."""
    if report.totals and report.totals[0] is None:
        return ("total", *report.totals[1:])
    return report.totals


def _subtotal(
    report: Report, group: tuple[Cell, ...], totals: tuple[Cell, ...]
) -> tuple[Cell, ...]:
    rest = totals[report.grouped :]
    if rest and report.columns[report.grouped].kind is Kind.TEXT:
        rest = ("subtotal", *rest[1:])
    return (*group, *rest)
