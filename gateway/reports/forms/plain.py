"""CSV and JSON: exact integers, and beside each amount the same as a decimal."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

import msgspec

from gateway.core.money import nano_to_usd_text
from gateway.reports.shape import Cell, Kind, Report, subtotals_of

#: A cell that begins so is a formula to spreadsheets, and names come from callers.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_document(report: Report) -> dict[str, Any]:
    """The report as JSON has it: rows by name, and their total."""
    told: dict[str, Any] = {
        "rows": [_fields(report, row) for row in report.rows],
        "total_nanousd": report.total_nanousd,
        "total": _fields(report, report.totals, adding=True),
    }
    if report.grouped:
        told["subtotals"] = [
            {
                **{c.name: v for c, v in zip(report.columns, group, strict=False)},
                **_fields(report, totals, adding=True),
            }
            for group, totals in subtotals_of(report).items()
        ]
    told |= {
        "ledger_nanousd": report.ledger_nanousd,
        "report": report.name,
        "zone": report.zone,
        "notes": list(report.notes),
    }
    return told


def as_json(report: Report) -> bytes:
    """The report as one JSON document on a line."""
    return msgspec.json.encode(as_document(report)) + b"\n"


def as_csv(report: Report) -> bytes:
    """A header and the rows; totals are left to the reader, so that every line is a row."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = []
    for column in report.columns:
        names += [column.name, column.plain_name] if column.kind is Kind.MONEY else [column.name]
    writer.writerow(names)
    if any(column.kind is Kind.MONEY for column in report.columns):
        writer.writerows(list(_cells(report, row)) for row in report.rows)
    else:
        writer.writerows(_safe_rows(report))
    return text.getvalue().encode()


def _fields(report: Report, row: Sequence[Cell], *, adding: bool = False) -> dict[str, Cell]:
    fields: dict[str, Cell] = {}
    for column, cell in zip(report.columns, row, strict=True):
        if adding and cell is None:
            continue
        fields[column.name] = cell
        if column.kind is Kind.MONEY:
            fields[column.plain_name] = nano_to_usd_text(cell) if isinstance(cell, int) else None
    return fields


def _cells(report: Report, row: Sequence[Cell]) -> Iterator[Cell]:
    for column, cell in zip(report.columns, row, strict=True):
        if column.kind is Kind.MONEY:
            yield cell
            yield nano_to_usd_text(cell) if isinstance(cell, int) else None
        elif column.kind is Kind.TEXT and _is_risky(cell):
            yield f"'{cell}"
        else:
            yield cell


def _safe_rows(report: Report) -> Iterator[Sequence[Cell]]:
    """The rows as they are, but for texts that a spreadsheet would run; quick for wide reports."""
    texts = [at for at, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    # The same few names stand in many rows: most columns have none that has to be looked at twice.
    risky = [at for at in texts if any(map(_is_risky, {row[at] for row in report.rows}))]
    if not risky:
        yield from report.rows
        return
    for row in report.rows:
        safe: list[Cell] = list(row)
        for at in risky:
            if _is_risky(row[at]):
                safe[at] = f"'{row[at]}"
        yield safe


def _is_risky(cell: Cell) -> bool:
    return isinstance(cell, str) and _is_formula(cell)


def _is_formula(text: str) -> bool:
    """Whether a spreadsheet would reckon with it; plain numbers are what they look like."""
    if not text.startswith(_FORMULA):
        return False
    return not text.removeprefix("-").replace(".", "", 1).isdigit()
