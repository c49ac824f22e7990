"""Every form tells the same numbers, and the same report is the same bytes."""

from __future__ import annotations

import csv
import re
import unicodedata
import zlib
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import msgspec
import openpyxl
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib.tables._g_l_y_f import Glyph
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from gateway.core.money import NANO
from gateway.reports.forms import FORMS
from gateway.reports.forms.paper import as_filed_pdf
from gateway.reports.shape import Column, Kind, Report, totals_of

COLUMNS = (
    Column("team"),
    Column("requests", Kind.COUNT, adds=True),
    Column("share", Kind.SHARE),
    Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True),
)


def report_of(rows: list[tuple[Any, ...]], **fields: Any) -> Report:
    """A report of these rows, which leaves nothing out."""
    totals = totals_of(COLUMNS, rows)
    known = {
        "name": "cost",
        "title": "Cost by team",
        "columns": COLUMNS,
        "rows": tuple(rows),
        "totals": totals,
        "total_nanousd": totals[3],
        "ledger_nanousd": totals[3],
        "chart": "cost_nanousd",
    }
    return Report(**{**known, **fields})


REPORT = report_of(
    [("support", 3, 0.5, 1_234_567_890_123), ("<b>&=", 1, None, -1)],
    notes=("One <note>.",),
)


def evaluated(book: bytes) -> list[int]:
    """The totals of a workbook's columns, reckoned from its own formulas and cells."""
    sheet = openpyxl.load_workbook(BytesIO(book))["report"]
    totals = []
    for column in sheet.iter_cols():
        last = column[-1].value
        if isinstance(last, str) and last.startswith("=SUM("):
            totals.append(sum(int(cell.value) for cell in column[1:-1]))
    return totals


def test_json_keeps_the_contract() -> None:
    """Rows by name, exact integers and decimals, and the total."""
    told = msgspec.json.decode(FORMS["json"].write(REPORT))

    assert told["total_nanousd"] == 1_234_567_890_122
    assert told["rows"][0] == {
        "team": "support",
        "requests": 3,
        "share": 0.5,
        "cost_nanousd": 1_234_567_890_123,
        "cost_usd": "1234.567890123",
    }


def test_csv_never_holds_a_formula() -> None:
    """A name that a spreadsheet would run is marked as text; numbers are left alone."""
    report = report_of([("=HYPERLINK(1)", 1, None, -5), ("-5", 1, None, 1)])
    rows = list(csv.DictReader(StringIO(FORMS["csv"].write(report).decode())))

    assert [row["team"] for row in rows] == ["'=HYPERLINK(1)", "-5"]
    assert rows[0]["cost_usd"] == "-0.000000005"


def test_a_workbook_is_typed_frozen_and_totalled_by_formulas() -> None:
    """Numbers are numbers, the heading stays, and formulas have their results at hand."""
    content = FORMS["xlsx"].write(REPORT)
    sheet = openpyxl.load_workbook(BytesIO(content))["report"]
    results = openpyxl.load_workbook(BytesIO(content), data_only=True)["report"]

    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[1]] == [
        *("team", "requests", "share", "cost_nanousd", "cost_usd")
    ]
    assert sheet["D2"].value == 1_234_567_890_123
    assert (sheet["E2"].value, sheet["D4"].value) == (f"=D2/{NANO}", "=SUM(D2:D3)")
    assert results["D4"].value == 1_234_567_890_122
    assert sheet["A3"].data_type == "s"


def test_amounts_beyond_a_spreadsheets_numbers_are_text() -> None:
    """A number that would be rounded quietly is not written as one."""
    content = FORMS["xlsx"].write(report_of([("a", 1, None, 2**60)]))
    sheet = openpyxl.load_workbook(BytesIO(content))["report"]

    assert (sheet["D2"].value, sheet["D3"].value) == (str(2**60), str(2**60))


def test_parquet_is_typed(tmp_path: Path) -> None:
    """Columns have types, and unknown values are null."""
    path = tmp_path / "report.parquet"
    path.write_bytes(FORMS["parquet"].write(REPORT))
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(path)])

        assert [str(one[1]) for one in found.description] == [
            *("VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(38,0)")
        ]
        assert found.fetchall()[1] == ("<b>&=", 1, None, -1)


def test_a_page_needs_nothing_else_and_shows_names_as_they_are() -> None:
    """No script, no address, a chart drawn in place, and nobody's name is markup."""
    page = FORMS["html"].write(REPORT).decode()
    chart = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", page, re.S)[0])

    assert not re.search(r"(src|href)=|<script|@import|url\(", page)
    assert len(chart.findall("{http://www.w3.org/2000/svg}rect")) == 2
    assert "&lt;b&gt;&amp;=" in page
    assert "$1,234.567890122" in page


def paper_text(content: bytes) -> str:
    """What a PDF draws, as its content streams have it."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", content, re.S)
    return b"\n".join(zlib.decompress(one) for one in streams).decode("latin-1")


def test_paper_has_rows_totals_and_letters_that_it_does_not_know() -> None:
    """A name in other letters is written as their numbers, never left out."""
    content = as_filed_pdf(report_of([("中 Zürich", 1, None, 5 * NANO)]))
    (page,) = PdfReader(BytesIO(content)).pages
    drawn = page.extract_text()

    assert content.startswith(b"%PDF-")
    assert "U+4E2D Zürich" in drawn
    assert "5.00" in drawn
    assert "written as its number" in drawn


@pytest.mark.parametrize(
    "name",
    ["Бухгалтерия Київ", "Λογιστήριο", "Księgowość Łódź", "Příliš", "İstanbul ş", "Kế toán Việt"],
)
def test_paper_has_the_letters_of_europe_and_vietnam(name: str) -> None:
    """With the font that is installed with us, also where letters came in parts."""
    report = report_of([(unicodedata.normalize("NFD", name), 1, None, 5 * NANO)])
    content = as_filed_pdf(report)
    (page,) = PdfReader(BytesIO(content)).pages
    drawn = page.extract_text()

    assert name in drawn
    assert "U+" not in drawn
    assert content == as_filed_pdf(report)


def test_other_letters_are_drawn_by_a_font_of_the_machine(tmp_path: Path) -> None:
    """If it has one; letters that have to be shaped stay numbers."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "middle"])
    builder.setupCharacterMap({ord("中"): "middle", ord("ب"): "middle"})
    builder.setupGlyf({name: Glyph() for name in (".notdef", "middle")})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "middle"), (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Middle", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "middle.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    report = report_of([("中 ب", 1, None, 5 * NANO)])
    (page,) = PdfReader(BytesIO(as_filed_pdf(report, [tmp_path]))).pages
    drawn = page.extract_text()

    assert "中" in drawn
    assert "U+4E2D" not in drawn
    assert "U+0628" in drawn


def test_groups_have_subtotals() -> None:
    """A statement's groups are summed in JSON and on a page."""
    report = report_of([("a", 1, None, 1), ("a", 1, None, 2), ("b", 1, None, 4)], grouped=1)
    told = msgspec.json.decode(FORMS["json"].write(report))

    assert [(one["team"], one["cost_nanousd"]) for one in told["subtotals"]] == [("a", 3), ("b", 4)]
    assert FORMS["html"].write(report).decode().count('<tr class="sub">') == 2


def test_paper_has_room_for_the_columns_that_matter() -> None:
    """A report wider than a page is told by the columns of a terminal, with their total."""
    columns = tuple(Column(f"c{number}", brief=number < 2) for number in range(30))
    costs = Column("cost_nanousd", Kind.MONEY, adds=True)
    row = (*(f"v{number}" for number in range(30)), 7 * NANO)
    wide = msgspec.structs.replace(
        REPORT, columns=(*columns, costs), rows=(row,), totals=(*[None] * 30, 7 * NANO)
    )
    drawn = paper_text(FORMS["pdf"].write(wide))

    assert ("(v1)" in drawn, "(v2)" in drawn, "(7.00)" in drawn) == (True, False, True)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_same_report_is_the_same_bytes(form: str) -> None:
    """Files can be compared and signed: no date of today is in them."""
    assert FORMS[form].write(REPORT) == FORMS[form].write(REPORT)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_an_empty_report_can_be_written(form: str) -> None:
    """Every form has nothing to tell, too."""
    assert FORMS[form].write(report_of([]))


@settings(max_examples=25, deadline=None)
@given(costs=st.lists(st.integers(min_value=-(10**14), max_value=10**14), min_size=1, max_size=8))
def test_every_form_adds_up_to_the_same_total(
    tmp_path_factory: pytest.TempPathFactory, costs: list[int]
) -> None:
    """What a reader sums from a file is the ledger's total, to the nano-dollar."""
    report = report_of([(f"t{number}", 1, None, cost) for number, cost in enumerate(costs)])
    path = tmp_path_factory.mktemp("form") / "report.parquet"
    path.write_bytes(FORMS["parquet"].write(report))
    rows = csv.DictReader(StringIO(FORMS["csv"].write(report).decode()))
    told = msgspec.json.decode(FORMS["json"].write(report))
    with duckdb.connect() as database:
        summed = database.execute(
            "SELECT sum(cost_nanousd) FROM read_parquet(?)", [str(path)]
        ).fetchone()

    total = sum(costs)
    assert sum(int(row["cost_nanousd"]) for row in rows) == total
    assert sum(row["cost_nanousd"] for row in told["rows"]) == told["total_nanousd"] == total
    assert summed is not None
    assert int(summed[0]) == total
    assert evaluated(FORMS["xlsx"].write(report)) == [len(costs), total]


@pytest.mark.parametrize(
    ("form", "rows", "words"),
    [
        ("xlsx", 250_001, "1,000,004 cells are too many"),
        ("pdf", 20_001, "20,001 rows are too many"),
    ],
)
def test_a_form_for_people_refuses_what_nobody_reads(form: str, rows: int, words: str) -> None:
    """It says which form to ask for instead."""
    with pytest.raises(ValueError, match=words):
        FORMS[form].write(report_of([("support", 1, None, 1)] * rows))
