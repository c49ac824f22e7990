"""Cost reports add up exactly, by any dimensions."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ledger import correction_of
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.reports.cost import (
    DIMENSIONS,
    CostRow,
    UnknownDimension,
    check_dimensions,
    cost_report,
)

#: 2026-11-23 15:30 UTC.
NOON = 1_795_447_800.0


def line(**fields: object) -> LedgerLine:
    """A line with everything but the given fields filled in."""
    known: dict[str, object] = {
        "kind": "settle",
        "hold_id": "h1",
        "request_id": "r1",
        "attempt": 1,
        "at": NOON,
        "org": "acme",
        "team": "support",
        "app": "",
        "user": "",
        "key_id": "k1",
        "alias": "auto",
        "deployment": "house",
        "provider": "vllm",
        "model": "llama",
        "route": "all",
        "sensitivity": "internal",
        "outcome": "ok",
        "usage": Usage(input_tokens=10, cached_input_tokens=4, output_tokens=5),
        "held_nanousd": 100,
        "cost_nanousd": 40,
    }
    return LedgerLine(**{**known, **fields})  # type: ignore[arg-type]


def test_rows_are_summed_by_their_dimensions_dearest_first() -> None:
    """Each combination that occurs is one row with its counts."""
    report = cost_report(
        [
            line(request_id="r1"),
            line(request_id="r2", model="gpt", cost_nanousd=500),
            line(request_id="r3", team="legal"),
            line(request_id="r4"),
        ],
        ["team", "model"],
    )

    assert [(row.dimensions, row.requests, row.cost_nanousd) for row in report.rows] == [
        (("support", "gpt"), 1, 500),
        (("support", "llama"), 2, 80),
        (("legal", "llama"), 1, 40),
    ]
    assert report.total == CostRow(
        dimensions=(),
        requests=4,
        attempts=4,
        input_tokens=40,
        cached_input_tokens=16,
        output_tokens=20,
        cost_nanousd=620,
    )


def test_attempts_of_one_request_are_one_request_in_each_row() -> None:
    """A fallback counts its request under both models, and once in the total."""
    report = cost_report(
        [
            line(attempt=1, model="gpt", outcome="timeout"),
            line(attempt=2, model="gpt", outcome="timeout"),
            line(attempt=3),
        ],
        ["model"],
    )

    assert {row.dimensions: (row.requests, row.attempts) for row in report.rows} == {
        ("gpt",): (1, 2),
        ("llama",): (1, 1),
    }
    assert (report.total.requests, report.total.attempts) == (1, 3)


def test_a_corrected_attempt_is_one_attempt_at_its_real_cost() -> None:
    """The in_doubt line and its correction together are what was really spent."""
    doubtful = line(
        kind="in_doubt", outcome="in_doubt", usage=Usage(estimated=True), cost_nanousd=100
    )
    report = cost_report([doubtful, correction_of(doubtful, line(cost_nanousd=40))], ["team"])

    assert report.rows == (
        CostRow(
            dimensions=("support",),
            requests=1,
            attempts=1,
            input_tokens=10,
            cached_input_tokens=4,
            output_tokens=5,
            cost_nanousd=40,
            in_doubt=1,
            corrections=1,
        ),
    )


def test_estimated_tokens_are_counted() -> None:
    """A reader sees how many attempts rest on our own estimates."""
    report = cost_report([line(usage=Usage(estimated=True)), line()], [])

    assert (report.total.estimated, report.total.attempts) == (1, 2)


def test_time_dimensions_are_utc() -> None:
    """Hours, days and months are those of UTC."""
    report = cost_report([line()], ["hour", "day", "month"])

    assert report.rows[0].dimensions == ("2026-11-23T15", "2026-11-23", "2026-11")


def test_the_end_of_the_span_is_not_part_of_it() -> None:
    """A line belongs to exactly one of two spans that meet."""
    lines = [line(at=NOON), line(at=NOON + 10)]

    before = cost_report(lines, [], NOON, NOON + 10)
    after = cost_report(lines, [], NOON + 10, NOON + 20)

    assert (before.total.attempts, after.total.attempts) == (1, 1)


def test_a_dimension_that_does_not_exist_lists_those_that_do() -> None:
    """The message says what may be asked for."""
    with pytest.raises(UnknownDimension, match=r"'colour' is not a dimension.*team, app, user"):
        cost_report([], ["colour"])

    assert check_dimensions(["team", "model", "team"]) == ("team", "model")


lines_of_any_kind = st.lists(
    st.builds(
        line,
        team=st.sampled_from(["a", "b", ""]),
        model=st.sampled_from(["x", "y"]),
        kind=st.sampled_from(["settle", "in_doubt", "correction"]),
        request_id=st.sampled_from(["r1", "r2", "r3"]),
        at=st.floats(min_value=NOON - 5000, max_value=NOON + 5000),
        cost_nanousd=st.integers(min_value=-(2**53), max_value=2**53),
    ),
    max_size=30,
)


@given(lines=lines_of_any_kind, by=st.lists(st.sampled_from(sorted(DIMENSIONS)), max_size=4))
def test_every_report_adds_up_to_the_sum_of_its_lines(
    lines: Iterable[LedgerLine], by: list[str]
) -> None:
    """Whatever the dimensions: the rows sum to the total and the total to the lines, exactly."""
    known = list(lines)
    report = cost_report(iter(known), by)

    assert report.total_nanousd == sum(each.cost_nanousd for each in known)
    assert report.total_nanousd == sum(row.cost_nanousd for row in report.rows)
    assert report.total.attempts == sum(row.attempts for row in report.rows)
    assert report.total.requests == len({each.request_id for each in known})
