"""Values as people read them, for pages and tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from gateway.core.money import nano_to_usd_text
from gateway.core.periods import zone_of
from gateway.reports.shape import Cell, Column, Kind, Report, subtotals_of


def shown(column: Column, cell: Cell) -> str:
    """One value in words; nothing where nothing is known."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    match column.kind:
        case Kind.MONEY:
            return money(int(cell))
        case Kind.SHARE:
            return f"{cell:.1%}"
        case Kind.NUMBER:
            return f"{cell:,.3f}"
        case _:
            return f"{cell:,}"


def money(nano: int) -> str:
    """Exact decimals with thousands set apart, at least two and no zeros beyond them."""
    whole, fraction = nano_to_usd_text(abs(nano)).split(".")
    sign = "-" if nano < 0 else ""
    return f"{sign}{int(whole):,}.{fraction.rstrip('0').ljust(2, '0')}"


def span_words(report: Report) -> str:
    """The span of a report in its own time zone."""
    zone = zone_of(report.zone)

    def moment(at: float) -> str:
        return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"

    since = "the beginning" if report.since is None else moment(report.since)
    until = "the end" if report.until is None else moment(report.until)
    return f"from {since} to before {until}, {report.zone}"


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
