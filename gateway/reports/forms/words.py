"""Values as people read them, for pages and tables."""

from __future__ import annotations

from datetime import datetime

from gateway.core.money import nano_to_usd_text
from gateway.core.periods import zone_of
from gateway.reports.shape import Cell, Column, Kind, Report


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


def subtotal(report: Report, group: tuple[Cell, ...], totals: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The row below a group: its names, what it is, and what its columns add up to."""
    rest = totals[report.grouped :]
    if rest and report.columns[report.grouped].kind is Kind.TEXT:
        rest = ("subtotal", *rest[1:])
    return (*group, *rest)
