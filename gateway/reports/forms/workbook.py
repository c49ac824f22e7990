"""XLSX: typed cells, frozen headings, totals as formulas over exact integers.

Rules of this file:
- amounts are whole nano-units, which a spreadsheet adds up exactly below 2^53; beside each stands
  the same in whole units as a formula;
- an amount beyond that is written as text and named, because a number would be rounded quietly;
- the same report gives the same bytes: no date of today is in the file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

from gateway.core.money import MAX_NANOUSD, NANO, nano_to_usd_text
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

#: A date that never changes, so that the file does not either.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_WIDEST = 48
#: Cells of the largest workbook: about 7 s and 350 MiB to write, and minutes to open.
_MOST_CELLS = 1_000_000
_FORMATS = {
    Kind.COUNT: "#,##0",
    Kind.MONEY: "#,##0",
    Kind.NUMBER: "#,##0.000",
    Kind.SHARE: "0.0%",
    Kind.DECIMAL: "General",
}


def as_xlsx(report: Report) -> bytes:
    """The report as a workbook with the sheets `report` and `about`.

    Raises:
        ValueError: there are more cells than anybody opens in a spreadsheet.
    """
    from xlsxwriter import Workbook

    size = len(report.rows) * len(report.columns)
    if size > _MOST_CELLS:
        raise ValueError(
            f"{size:,} cells are too many for a workbook; ask for CSV or Parquet, or a shorter span"
        )
    out = BytesIO()
    book = Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": report.title, "created": _CREATED})
    formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
    whole = book.add_format({"num_format": "#,##0.00####"})
    bold = {
        kind: book.add_format({"num_format": text, "bold": True, "top": 1})
        for kind, text in _FORMATS.items()
    }
    whole_bold = book.add_format({"num_format": "#,##0.00####", "bold": True, "top": 1})
    strong = book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"})
    sheet = book.add_worksheet("report")
    sheet.freeze_panes(1, 0)
    place = 0
    for number, column in enumerate(report.columns):
        cells = [row[number] for row in report.rows]
        sheet.write_string(0, place, column.name, strong)
        sheet.set_column(place, place, _width(column, cells))
        _write_cells(sheet, place, column, cells, formats.get(column.kind))
        _write_total(sheet, place, report, number, bold.get(column.kind))
        place += 1
        if column.kind is Kind.MONEY:
            sheet.write_string(0, place, column.plain_name, strong)
            sheet.set_column(place, place, 16)
            _write_whole(sheet, place, cells, whole)
            if column.adds:
                _write_one(sheet, len(cells) + 1, place, report.totals[number], whole_bold)
            place += 1
    if report.rows:
        sheet.autofilter(0, 0, len(report.rows), place - 1)
    about = book.add_worksheet("about")
    about.set_column(0, 0, 18)
    about.set_column(1, 1, 100)
    for line, (name, text) in enumerate(_about(report)):
        about.write_string(line, 0, name)
        about.write_string(line, 1, text)
    book.close()
    return out.getvalue()


def _write_cells(
    sheet: Worksheet, place: int, column: Column, cells: list[Cell], form: Format | None
) -> None:
    for line, cell in enumerate(cells, start=1):
        if cell is None:
            continue
        if column.kind is Kind.DECIMAL:
            sheet.write_number(line, place, float(cell), form)
        elif isinstance(cell, str):
            sheet.write_string(line, place, cell)
        elif isinstance(cell, int) and abs(cell) > MAX_NANOUSD:
            sheet.write_string(line, place, str(cell))
        else:
            sheet.write_number(line, place, cell, form)


def _write_total(
    sheet: Worksheet, place: int, report: Report, number: int, form: Format | None
) -> None:
    """The total below a column that adds up: a formula as long as its numbers stay exact."""
    column, total, last = report.columns[number], report.totals[number], len(report.rows)
    if number == 0 and not column.adds:
        sheet.write_string(last + 1, place, "total", form)
        return
    if not isinstance(total, int | float):
        if isinstance(total, str):
            sheet.write_string(last + 1, place, total)
        return
    cells = [row[number] for row in report.rows]
    exact = all(abs(cell) <= MAX_NANOUSD for cell in cells if isinstance(cell, int | float))
    summed = totals_of((column,), ((cell,) for cell in cells))[0] == total
    if not (column.adds and summed and exact and abs(total) <= MAX_NANOUSD and last):
        # Distinct counts do not add up over rows, and large sums would be rounded.
        sheet.write(last + 1, place, total if abs(total) <= MAX_NANOUSD else str(total), form)
        return
    name = _letters(place)
    sheet.write_formula(last + 1, place, f"=SUM({name}2:{name}{last + 1})", form, total)


def _write_whole(sheet: Worksheet, place: int, cells: list[Cell], form: Format) -> None:
    for line, cell in enumerate(cells, start=1):
        _write_one(sheet, line, place, cell, form)


def _write_one(sheet: Worksheet, line: int, place: int, cell: Cell, form: Format) -> None:
    """An amount in whole units, as a formula over the nano-units to its left."""
    if not isinstance(cell, int):
        return
    if abs(cell) > MAX_NANOUSD:
        sheet.write_string(line, place, nano_to_usd_text(cell))
        return
    sheet.write_formula(line, place, f"={_letters(place - 1)}{line + 1}/{NANO}", form, cell / NANO)


def _about(report: Report) -> list[tuple[str, str]]:
    told = [
        ("report", report.title),
        ("from", _moment(report.since, "the beginning")),
        ("to (excluded)", _moment(report.until, "the end")),
        ("time zone", report.zone),
        ("total", f"{nano_to_usd_text(report.total_nanousd)} USD"),
        ("whole ledger", f"{nano_to_usd_text(report.ledger_nanousd)} USD"),
    ]
    return told + [("note", note) for note in report.notes]


def _moment(at: float | None, open_end: str) -> str:
    return open_end if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _width(column: Column, cells: list[Cell]) -> int:
    if column.kind is Kind.TEXT:
        longest = max((len(str(cell)) for cell in cells[:1000] if cell is not None), default=0)
        return min(_WIDEST, max(10, longest + 2, len(column.name) + 2))
    return max(14, len(column.name) + 2)


def _letters(place: int) -> str:
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text
