"""PDF: the report on A4 across, with its headings on every page; the same report, the same bytes.

The fonts that every reader has know Western European letters only. Others are written as their
number (`U+4E2D`), unless a TrueType font is named; nothing is left out quietly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from gateway.reports.forms.words import money, rows_with_subtotals, shown, span_words, total_row
from gateway.reports.shape import Cell, Kind, Report

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT, _SIZE, _LINE, _MARGIN = "Helvetica", 7.5, 4.2, 10.0
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
#: Rows on paper; a ledger of more belongs in a file that can be searched.
_MOST_ROWS = 5000
_LONGEST = 60
#: Columns on a page across.
_MOST_COLUMNS = 16


def as_pdf(report: Report) -> bytes:
    """The report as a PDF.

    Raises:
        ValueError: there are more rows than anybody reads on paper.
    """
    from fpdf import FPDF

    report = _narrowed(report)
    if len(report.rows) > _MOST_ROWS:
        raise ValueError(f"{len(report.rows):,} rows are too many for paper; ask for XLSX or CSV")
    paper = FPDF(orientation="landscape", format="A4")
    paper.set_creation_date(_CREATED)
    paper.set_title(report.title)
    paper.set_margin(_MARGIN)
    paper.set_auto_page_break(True, margin=_MARGIN)
    paper.add_page()
    _top(paper, report)
    _table(paper, report)
    paper.set_font(_FONT, size=8)
    for note in report.notes:
        paper.multi_cell(0, 4.5, written(note), new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())


def written(text: str) -> str:
    """Text in the letters of the standard fonts; others as their number."""
    return "".join(
        one if _is_known(one) else f"U+{ord(one):04X}" for one in text.replace("\n", " ")
    )


def _narrowed(report: Report) -> Report:
    """A report of more columns than a page has room for, with those that a terminal shows."""
    if len(report.columns) <= _MOST_COLUMNS:
        return report
    kept = [at for at, column in enumerate(report.columns) if column.brief]
    return msgspec.structs.replace(
        report,
        columns=tuple(report.columns[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in report.rows),
        totals=tuple(report.totals[at] for at in kept),
    )


def _is_known(letter: str) -> bool:
    try:
        letter.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return letter.isprintable()


def _top(paper: FPDF, report: Report) -> None:
    paper.set_font(_FONT, "B", 14)
    paper.cell(0, 8, written(report.title), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FONT, size=9)
    paper.cell(0, 5, written(span_words(report)), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FONT, "B", 12)
    total = f"Total: {money(report.total_nanousd)} USD"
    if report.ledger_nanousd > report.total_nanousd:
        total += f" of {money(report.ledger_nanousd)} USD in the ledger"
    paper.cell(0, 8, total, new_x="LMARGIN", new_y="NEXT")


def _table(paper: FPDF, report: Report) -> None:
    from fpdf.fonts import FontFace

    lines = _lines(report)
    paper.set_font(_FONT, size=_SIZE)
    widths = _widths(paper, report, [line for line, _ in lines])
    aligned = ["LEFT" if one.kind.is_words else "RIGHT" for one in report.columns]
    strong = FontFace(emphasis="BOLD", fill_color=(243, 245, 247))
    with paper.table(
        col_widths=tuple(widths),
        text_align=tuple(aligned),
        line_height=_LINE,
        headings_style=strong,
        borders_layout="HORIZONTAL_LINES",
    ) as table:
        heading = table.row()
        for column in report.columns:
            heading.cell(written(column.title))
        for line, is_total in lines:
            row = table.row(style=strong if is_total else None)
            for text in line:
                row.cell(text)


def _lines(report: Report) -> list[tuple[list[str], bool]]:
    rows = (*rows_with_subtotals(report), (total_row(report), True))
    return [(_words(report, row), is_total) for row, is_total in rows]


def _words(report: Report, row: Sequence[Cell]) -> list[str]:
    told = []
    for column, cell in zip(report.columns, row, strict=True):
        text = written(shown(column, cell))
        told.append(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")
    return told


def _widths(paper: FPDF, report: Report, lines: list[list[str]]) -> list[float]:
    """As wide as the words need, and texts narrower where the page has no room for that."""
    wanted = []
    for place, column in enumerate(report.columns):
        longest = max((paper.get_string_width(line[place]) for line in lines[:500]), default=0.0)
        heading = max(
            paper.get_string_width(word) for word in written(column.title).split() or [""]
        )
        wanted.append(max(longest, heading * 1.15) + 3.0)
    room = paper.epw
    if sum(wanted) <= room:
        return wanted
    fixed = sum(w for w, c in zip(wanted, report.columns, strict=True) if c.kind is not Kind.TEXT)
    texts = sum(wanted) - fixed
    factor = (room - fixed) / texts if texts and room - fixed > 0.25 * texts else room / sum(wanted)
    if factor == room / sum(wanted):
        return [w * factor for w in wanted]
    return [
        w * factor if c.kind is Kind.TEXT else w
        for w, c in zip(wanted, report.columns, strict=True)
    ]
