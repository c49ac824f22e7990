"""What cascades came to, from ledger lines."""

from __future__ import annotations

from gateway.core.records import LedgerLine
from gateway.reports.cascade import CascadeRow, cascade_report
from tests.gateway.reports.conftest import line


def attempt(request: str, deployment: str, cost: int, because: str = "") -> LedgerLine:
    return line(request_id=request, deployment=deployment, cost_nanousd=cost, because=because)


def test_a_deployment_is_told_by_what_its_answers_came_to() -> None:
    """Shares by check, what was spent for nothing, and what the calls above cost."""
    told = cascade_report(
        [
            attempt("a", "house", 10, "check: passed"),
            attempt("b", "house", 20, "check: schema"),
            attempt("b", "frontier", 300),
            attempt("c", "house", 40, "check: refusal"),
            attempt("c", "frontier", 500),
            attempt("d", "frontier", 7000),
            attempt("e", "house", 60, "check: passed"),
        ]
    )

    assert told == (
        CascadeRow(
            deployment="house",
            checked=4,
            escalated={"schema": 1, "refusal": 1},
            cost_nanousd=130,
            unused_nanousd=60,
            above_nanousd=800,
        ),
    )
    assert told[0].share == 0.5


def test_samples_count_as_one_answer_and_their_cost_is_told() -> None:
    """Three calls that disagree are one answer that was sent on; those that agree are used."""
    told = cascade_report(
        [
            attempt("a", "house", 1, "check: sample"),
            attempt("a", "house", 2, "check: agreement"),
            attempt("a", "frontier", 100),
            attempt("b", "house", 4, "check: sample"),
            attempt("b", "house", 8, "check: passed"),
        ]
    )

    assert (told[0].checked, told[0].escalated) == (2, {"agreement": 1})
    assert (told[0].cost_nanousd, told[0].unused_nanousd) == (15, 3)


def test_three_rungs_have_a_row_each_and_the_middle_counts_as_above() -> None:
    """What the middle rung cost belongs to the rung that sent the request there."""
    told = cascade_report(
        [
            attempt("a", "low", 1, "check: schema"),
            attempt("a", "middle", 10, "check: schema"),
            attempt("a", "top", 100),
        ]
    )

    assert [(one.deployment, one.above_nanousd) for one in told] == [("low", 10), ("middle", 100)]
