"""Cost reports add up exactly, by any dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.ledger import correction_of
from gateway.core.prices import CostPart
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.cost import cost_report
from gateway.reports.forms.plain import as_document
from gateway.reports.rates import read_rates
from gateway.reports.selection import DIMENSIONS, UnknownDimension, check_dimensions
from gateway.reports.shape import Report
from tests.gateway.reports.conftest import NOON, line

Ledger = Callable[[Iterable[LedgerLine]], duckdb.DuckDBPyConnection]


def reported(
    database: duckdb.DuckDBPyConnection, *by: str, known: Background | None = None, **asked: object
) -> Report:
    """A cost report by these dimensions."""
    ask = msgspec.convert({"now": NOON, "by": by, **asked}, Ask)
    return cost_report(database, ask, known or Background())


def cells(report: Report, *names: str) -> list[tuple[object, ...]]:
    """The rows with these columns only."""
    places = [report.column(name) for name in names]
    return [tuple(row[place] for place in places) for row in report.rows]


def test_rows_are_summed_by_their_dimensions_dearest_first(ledger: Ledger) -> None:
    """Each combination that occurs is one row with its counts."""
    report = reported(
        ledger(
            [
                line(request_id="r1"),
                line(request_id="r2", model="gpt", cost_nanousd=500),
                line(request_id="r3", team="legal"),
                line(request_id="r4"),
            ]
        ),
        *("team", "model"),
    )

    assert cells(report, "team", "model", "requests", "cost_nanousd") == [
        ("support", "gpt", 1, 500),
        ("support", "llama", 2, 80),
        ("legal", "llama", 1, 40),
    ]
    assert report.totals[2:] == (4, 4, 40, 16, 20, 0, 0, 0, 620)


def test_rows_of_a_time_are_in_its_order_and_dearest_first_within_it(ledger: Ledger) -> None:
    """A report by day is read as a course of days."""
    noon = 1_790_856_000.0
    report = reported(
        ledger(
            [
                line(request_id="r1", at=noon),
                line(request_id="r2", at=noon, model="gpt", cost_nanousd=500),
                line(request_id="r3", at=noon - 86400, cost_nanousd=7),
            ]
        ),
        *("day", "model"),
    )

    costs = [cost for (cost,) in cells(report, "cost_nanousd")]
    assert costs == [7, 500, 40]
    assert report.timeline == "day"


def test_attempts_of_one_request_are_one_request_in_each_row(ledger: Ledger) -> None:
    """A fallback counts its request under both models, and once in the total."""
    report = reported(
        ledger(
            [
                line(attempt=1, model="gpt", outcome="timeout"),
                line(attempt=2, model="gpt", outcome="timeout"),
                line(attempt=3),
            ]
        ),
        "model",
    )

    assert sorted(cells(report, "model", "requests", "attempts")) == [
        ("gpt", 1, 2),
        ("llama", 1, 1),
    ]
    assert report.totals[1:3] == (1, 3)


def test_a_corrected_attempt_is_one_attempt_at_its_real_cost(ledger: Ledger) -> None:
    """The in_doubt line and its correction together are what was really spent."""
    doubtful = line(
        kind="in_doubt", outcome="in_doubt", usage=Usage(estimated=True), cost_nanousd=100
    )
    report = reported(ledger([doubtful, correction_of(doubtful, line(cost_nanousd=40))]), "team")

    assert report.rows == (("support", 1, 1, 10, 4, 5, 0, 1, 1, 40),)


def test_estimated_tokens_are_counted(ledger: Ledger) -> None:
    """A reader sees how many attempts rest on our own estimates."""
    report = reported(ledger([line(usage=Usage(estimated=True)), line(request_id="r2")]), "org")

    assert report.notes == ("Attempts whose tokens we had to estimate: 1",)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("UTC", ("2026-11-23T15", "2026-11-23", "2026-W48", "2026-11", "2026-Q4")),
        ("Pacific/Auckland", ("2026-11-24T04", "2026-11-24", "2026-W48", "2026-11", "2026-Q4")),
    ],
)
def test_time_dimensions_are_those_of_the_zone(
    ledger: Ledger, zone: str, told: tuple[str, ...]
) -> None:
    """Hours, days, weeks, months and quarters follow the clocks of the named place."""
    by = ("hour", "day", "week", "month", "quarter")
    report = reported(ledger([line()]), *by, zone=zone)

    assert cells(report, *by) == [told]


def test_tags_are_dimensions(ledger: Ledger) -> None:
    """A tag's value files its lines; lines without it have an empty value."""
    report = reported(
        ledger([line(tags={"project": "x"}), line(request_id="r2", cost_nanousd=1)]),
        "tag:project",
    )

    assert cells(report, "tag:project", "cost_nanousd") == [("x", 40), ("", 1)]


def test_token_classes_take_a_line_apart_and_lose_nothing(ledger: Ledger) -> None:
    """What no part accounts for has a row of its own."""
    parts = (CostPart("input", 6, 10**6, 6, 10**6), CostPart("output", 5, 6 * 10**6, 30, 10**7))
    report = reported(
        ledger([line(parts=parts), line(request_id="r2", cost_nanousd=7)]), "token_class"
    )

    assert cells(report, "token_class", "quantity", "cost_nanousd") == [
        ("output", 5, 30),
        ("other", 0, 11),
        ("input", 6, 6),
    ]
    assert report.total_nanousd == 47


def test_a_dimension_across_becomes_columns_with_their_sums(ledger: Ledger) -> None:
    """Each value is a column, absent ones are zero, and the last column is their sum."""
    report = reported(
        ledger([line(), line(request_id="r2", model="gpt", team="legal", cost_nanousd=9)]),
        "team",
        across="model",
    )

    assert as_document(report)["rows"] == [
        {
            **{"team": "support", "gpt_nanousd": 0, "gpt_usd": "0.000000000"},
            **{"llama_nanousd": 40, "llama_usd": "0.000000040"},
            **{"cost_nanousd": 40, "cost_usd": "0.000000040"},
        },
        {
            **{"team": "legal", "gpt_nanousd": 9, "gpt_usd": "0.000000009"},
            **{"llama_nanousd": 0, "llama_usd": "0.000000000"},
            **{"cost_nanousd": 9, "cost_usd": "0.000000009"},
        },
    ]


def test_too_many_values_across_are_refused(ledger: Ledger) -> None:
    """A page has room for so many columns."""
    many = ledger([line(request_id=f"r{n}", model=f"m{n}") for n in range(70)])

    with pytest.raises(ReportError, match="'model' has 70 values here"):
        reported(many, "team", across="model")


def test_the_end_of_the_span_is_not_part_of_it(ledger: Ledger) -> None:
    """A line belongs to exactly one of two spans that meet."""
    database = ledger([line(at=NOON), line(at=NOON + 10)])

    before = reported(database, "org", start=NOON, end=NOON + 10)
    after = reported(database, "org", start=NOON + 10, end=NOON + 20)

    assert (before.total_nanousd, after.total_nanousd) == (40, 40)


def test_money_is_converted_by_the_rate_of_its_own_day(ledger: Ledger) -> None:
    """Two days with two rates; a row is rounded once, half to even."""
    rates = read_rates("date,currency,rate\n2026-11-23,EUR,0.9\n2026-11-24,EUR,0.5\n", "eur")
    report = reported(
        ledger([line(cost_nanousd=100), line(at=NOON + 86400, request_id="r2", cost_nanousd=7)]),
        "team",
        known=Background(rates=rates),
    )

    assert cells(report, "cost_nanousd", "cost_nanoeur") == [(107, 94)]


def test_a_dimension_that_does_not_exist_lists_those_that_do(ledger: Ledger) -> None:
    """The message says what may be asked for."""
    with pytest.raises(UnknownDimension, match=r"'colour' is not a dimension.*team, app, user"):
        reported(ledger([]), "colour")

    assert check_dimensions(["team", "model", "team"]) == ("team", "model")
    with pytest.raises(UnknownDimension, match="is not a dimension"):
        check_dimensions(["tag:x'] OR 1=1"])


def parts_of(cost: int) -> tuple[CostPart, ...]:
    """Parts that account for half of a cost."""
    return (CostPart("input", 1, 1, cost // 2, 1),)


lines_of_any_kind = st.lists(
    st.builds(
        lambda cost, **fields: line(cost_nanousd=cost, parts=parts_of(cost), **fields),
        cost=st.integers(min_value=-(2**53), max_value=2**53),
        team=st.sampled_from(["a", "b", ""]),
        model=st.sampled_from(["x", "y"]),
        kind=st.sampled_from(["settle", "in_doubt", "correction"]),
        request_id=st.sampled_from(["r1", "r2", "r3"]),
        at=st.floats(min_value=NOON - 5000, max_value=NOON + 5000),
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(lines=lines_of_any_kind, by=st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=4))
def test_every_report_adds_up_to_the_sum_of_its_lines(
    ledger: Ledger, lines: list[LedgerLine], by: list[str]
) -> None:
    """Whatever the dimensions: the rows sum to the total and the total to the lines, exactly."""
    report = reported(ledger(lines), *by)
    place = report.column("cost_nanousd")

    assert report.total_nanousd == sum(each.cost_nanousd for each in lines)
    assert report.ledger_nanousd == report.total_nanousd
    assert report.total_nanousd == sum(int(row[place] or 0) for row in report.rows)
    requests = report.totals[report.column("requests")]
    assert requests == len({each.request_id for each in lines})
