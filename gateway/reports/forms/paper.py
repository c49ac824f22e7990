"""PDF: the report on A4 across, with its headings on every page; the same report, the same bytes.

Nothing is left out quietly: which font draws a letter, and what stands for one that no font has,
is told by `gateway.reports.forms.letters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.reports.forms.letters import FOLDERS, Letters, letters_for
from gateway.reports.forms.words import lines_of, money, span_words
from gateway.reports.shape import Kind, Report

if TYPE_CHECKING:
    from fpdf import FPDF

_SIZE, _LINE, _MARGIN = 7.5, 4.2, 10.0
_LACKING = "A letter that no font here has is written as its number (U+...)."
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
#: Rows on paper; a ledger of more belongs in a file that can be searched.
_MOST_ROWS = 5000
_LONGEST = 60
#: Columns on a page across.
_MOST_COLUMNS = 16


def as_pdf(report: Report) -> bytes:
    """The report as a PDF, also in letters that only the machine's own fonts have.

    Raises:
        ValueError: there are more rows than anybody reads on paper.
    """
    return as_filed_pdf(report, FOLDERS)


def as_filed_pdf(report: Report, folders: Iterable[Path] = ()) -> bytes:
    """The report as a PDF that is the same on every machine, unless folders of fonts are given.

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
    lines = list(lines_of(report))
    texts = list(_texts(report, lines))
    letters = letters_for(paper, texts, folders)
    paper.add_page()
    _top(paper, report, letters)
    _table(paper, report, letters, [(_written(line, letters), sums) for line, sums in lines])
    paper.set_font(letters.family, size=8)
    notes = (*report.notes, _LACKING) if letters.lacks(texts) else report.notes
    for note in notes:
        paper.multi_cell(0, 4.5, letters.written(note), new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())


def _texts(report: Report, lines: Iterable[tuple[list[str], bool]]) -> Iterator[str]:
    """Every text that the report may draw, and the letters that we write ourselves."""
    yield "".join(chr(point) for point in range(32, 127))
    yield report.title
    yield span_words(report)
    yield from report.notes
    yield from (column.title for column in report.columns)
    for line, _ in lines:
        yield from line


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


def _top(paper: FPDF, report: Report, letters: Letters) -> None:
    paper.set_font(letters.family, "B", 14)
    paper.cell(0, 8, letters.written(report.title), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(letters.family, size=9)
    paper.cell(0, 5, letters.written(span_words(report)), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(letters.family, "B", 12)
    total = f"Total: {money(report.total_nanousd)} USD"
    if report.ledger_nanousd > report.total_nanousd:
        total += f" of {money(report.ledger_nanousd)} USD in the ledger"
    paper.cell(0, 8, total, new_x="LMARGIN", new_y="NEXT")


def _table(
    paper: FPDF, report: Report, letters: Letters, lines: Sequence[tuple[list[str], bool]]
) -> None:
    from fpdf.fonts import FontFace

    paper.set_font(letters.family, size=_SIZE)
    widths = _widths(paper, report, letters, [line for line, _ in lines])
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
            heading.cell(letters.written(column.title))
        for line, is_total in lines:
            row = table.row(style=strong if is_total else None)
            for text in line:
                row.cell(text)


def _written(line: Iterable[str], letters: Letters) -> list[str]:
    """A line in letters that there are, no word longer than a column has room for."""
    told = [letters.written(text) for text in line]
    return [one if len(one) <= _LONGEST else one[: _LONGEST - 3] + "..." for one in told]


def _widths(paper: FPDF, report: Report, letters: Letters, lines: list[list[str]]) -> list[float]:
    """As wide as the words need, and texts narrower where the page has no room for that."""
    wanted = []
    for place, column in enumerate(report.columns):
        longest = max((paper.get_string_width(line[place]) for line in lines[:500]), default=0.0)
        heading = max(
            paper.get_string_width(word) for word in letters.written(column.title).split() or [""]
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
