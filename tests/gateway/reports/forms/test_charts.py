"""Charts: the largest rows as bars, or the whole course of time with nothing left out."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.money import NANO
from gateway.reports.forms import FORMS
from gateway.reports.forms.charts import chart_of, next_time
from gateway.reports.forms.words import decimals, money
from gateway.reports.shape import Column, Kind, Report, totals_of

SVG = "{http://www.w3.org/2000/svg}"
COST = Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True)


def over_time(kind: str, cells: list[tuple[str, str, int]]) -> Report:
    """Costs by a time and a model."""
    columns = (Column(kind), Column("model"), COST)
    totals = totals_of(columns, cells)
    total = sum(cost for _, _, cost in cells)
    return Report(
        name="cost",
        title="Cost",
        columns=columns,
        rows=tuple(cells),
        totals=totals,
        total_nanousd=total,
        ledger_nanousd=total,
        chart="cost_nanousd",
        timeline=kind,
    )


def drawn(report: Report) -> list[ElementTree.Element]:
    """The columns of a chart, without the marks of its legend."""
    marks = ElementTree.fromstring(chart_of(report)).findall(f"{SVG}rect")
    return [mark for mark in marks if mark.find(f"{SVG}title") is not None]


def test_columns_stand_in_the_order_of_time_with_a_gap_where_nothing_was_spent() -> None:
    """Three days, the middle one without a row: the third stands two steps from the first."""
    report = over_time("day", [("2026-11-03", "a", 4 * NANO), ("2026-11-01", "a", 2 * NANO)])

    first, last = sorted(drawn(report), key=lambda mark: float(mark.attrib["x"]))
    assert float(last.attrib["height"]) == 2 * float(first.attrib["height"])
    assert float(last.attrib["x"]) - float(first.attrib["x"]) > 2 * float(first.attrib["width"])
    assert "2026-11-02" in chart_of(report)


def test_small_parts_are_drawn_together_as_others() -> None:
    """Of nine models five have a colour of their own, and the heights are those of the sums."""
    cells = [("2026-W01", f"model-{number}", number * NANO) for number in range(1, 10)]
    report = over_time("week", [*cells, ("2026-W02", "model-9", NANO)])

    told = [mark.findtext(f"{SVG}title") or "" for mark in drawn(report)]
    assert len([one for one in told if one.startswith("2026-W01")]) == 6
    assert "2026-W01 · others · 10.00" in told
    assert "2026-W02 · model-9 · 1.00" in told


def test_what_was_corrected_below_nothing_is_not_drawn() -> None:
    """A day whose corrections pass its costs has no column, and the others fit."""
    report = over_time("day", [("2026-11-01", "a", -NANO), ("2026-11-02", "a", NANO)])

    (mark,) = drawn(report)
    assert float(mark.attrib["y"]) == 24.0


@pytest.mark.parametrize(
    ("kind", "at", "after"),
    [
        ("hour", "2026-12-31T23", "2027-01-01T00"),
        ("day", "2028-02-28", "2028-02-29"),
        ("week", "2026-W53", "2027-W01"),
        ("month", "2026-12", "2027-01"),
        ("quarter", "2026-Q4", "2027-Q1"),
    ],
)
def test_times_follow_one_another_across_years(kind: str, at: str, after: str) -> None:
    """As reports name them."""
    assert next_time(kind, at) == after


def test_a_kind_of_time_that_does_not_exist_is_refused() -> None:
    """Rather than drawn wrongly."""
    with pytest.raises(ValueError, match="'year' is not a kind of time"):
        next_time("year", "2026")


@given(amounts=st.lists(st.integers(-(10**14), 10**14), min_size=1))
def test_amounts_of_a_column_have_as_many_decimals_and_lose_none(amounts: list[int]) -> None:
    """Property: their points align, and each reads back as what it was."""
    digits = decimals(amounts)
    told = [money(amount, digits) for amount in amounts]

    assert {len(one.split(".")[1]) for one in told} == {digits}
    for one, amount in zip(told, amounts, strict=True):
        units, fraction = one.replace(",", "").replace("-", "").split(".")
        assert int(units) * NANO + int(fraction.ljust(9, "0")) == abs(amount)


def test_a_page_breaks_no_date_and_aligns_its_amounts() -> None:
    """The table of a page reads like a column of figures."""
    cells = [("2026-11-01", "a", 1_500_000_000), ("2026-11-02", "a", 1_234_567_891)]
    page = FORMS["html"].write(over_time("day", cells)).decode()

    assert '<td class="s">2026-11-01</td>' in page
    assert re.findall(r'<td class="n">([^<]+)</td>', page)[:2] == ["1.500000000", "1.234567891"]
