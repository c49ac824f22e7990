"""What every report is, whatever it tells and however it is printed: columns, rows and totals.

Rules of this file:
- money is whole nano-units, so that a total is exactly the sum of its rows in every form;
- a column that adds up has its total in the report, made from the very rows that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

#: A value of a row. Money and counts are whole numbers; None is unknown or does not apply.
Cell = str | int | float | None


class Kind(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    COUNT = "count"
    #: Whole nano-units of a currency; the column's name ends in `_nano` and the currency.
    MONEY = "money"
    NUMBER = "number"
    #: A part of a whole; 1.0 is all of it.
    SHARE = "share"
    #: An exact decimal, as text.
    DECIMAL = "decimal"
    #: ISO 8601 in UTC, to the second.
    MOMENT = "moment"

    @property
    def is_words(self) -> bool:
        """Whether it is read from the left, as texts are."""
        return self in (Kind.TEXT, Kind.MOMENT)


class Column(msgspec.Struct, frozen=True):
    """One column: its name for machines and its heading for people.

    `adds` says that its values may be summed; `brief` that a table for a terminal has it.
    """

    name: str
    kind: Kind = Kind.TEXT
    heading: str = ""
    adds: bool = False
    brief: bool = True

    @property
    def title(self) -> str:
        """What stands over it."""
        return self.heading or self.name.replace("_", " ")

    @property
    def unit(self) -> str:
        """The currency of money, in small letters."""
        return self.name.rsplit("_nano", 1)[1] if self.kind is Kind.MONEY else ""

    @property
    def plain_name(self) -> str:
        """The name of the same money in whole units: `cost_usd` beside `cost_nanousd`."""
        return f"{self.name.rsplit('_nano', 1)[0]}_{self.unit}"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One report.

    `total_nanousd` is what its rows cost together, and `ledger_nanousd` what the whole ledger
    holds for the span: the same wherever a report leaves nothing out. `totals` has a value for
    each column that adds up. `since` and `until` are epoch seconds, None where the span is open;
    `zone` names the time zone of its dates. `grouped` is the number of leading columns whose rows
    belong together and have a subtotal. `chart` names a column to draw, and `timeline` one of
    times that it is drawn along.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[Cell, ...]
    total_nanousd: int
    ledger_nanousd: int
    notes: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    zone: str = "UTC"
    grouped: int = 0
    chart: str = ""
    timeline: str = ""

    def column(self, name: str) -> int:
        """The place of a column.

        Raises:
            KeyError: there is none of this name.
        """
        for place, column in enumerate(self.columns):
            if column.name == name:
                return place
        raise KeyError(name)


def whole(cell: Cell) -> int:
    """A value that is a count or money; 0 where nothing is known."""
    return cell if isinstance(cell, int) else 0


def totals_of(columns: tuple[Column, ...], rows: Iterable[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """The sum of each column that adds up; None for the others and where nothing is known."""
    sums: list[Cell] = [0 if column.adds else None for column in columns]
    adding = [place for place, column in enumerate(columns) if column.adds]
    for row in rows:
        for place in adding:
            held, value = sums[place], row[place]
            if isinstance(value, int | float) and isinstance(held, int | float):
                sums[place] = held + value
    return tuple(sums)


def subtotals_of(report: Report) -> dict[tuple[Cell, ...], tuple[Cell, ...]]:
    """The totals of each group of rows, by the values of the columns that make the group."""
    groups: dict[tuple[Cell, ...], list[tuple[Cell, ...]]] = {}
    for row in report.rows:
        groups.setdefault(row[: report.grouped], []).append(row)
    return {group: totals_of(report.columns, rows) for group, rows in groups.items()}
