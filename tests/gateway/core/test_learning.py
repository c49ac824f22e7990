"""From what answers were worth to a bounded shift of the predicted quality."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.learning import (
    HALF_LIFE_DAYS,
    MILLION,
    MOST_SHIFT,
    Day,
    Evidence,
    evidence_of,
    shift_of,
    shifted,
)


def day(answers: int, score: float, predicted: float) -> Day:
    return Day(answers, round(answers * score * MILLION), round(answers * predicted * MILLION))


def test_old_answers_count_less() -> None:
    """After thirty days an answer counts half."""
    found = evidence_of({0: day(10, 1.0, 0.5), 30: day(10, 0.0, 0.5)}, today=30)

    assert HALF_LIFE_DAYS == 30
    assert found.answers == pytest.approx(15)
    assert found.score == pytest.approx(1 / 3)
    assert found.predicted == pytest.approx(0.5)


def test_little_evidence_moves_little_and_much_moves_to_what_was_seen() -> None:
    """The prediction itself counts as twenty answers."""
    few = shift_of(Evidence(answers=1, score=0.0, predicted=0.7))
    many = shift_of(Evidence(answers=5000, score=0.5, predicted=0.7))

    assert shifted(0.7, few) == pytest.approx(0.667, abs=0.005)
    assert shifted(0.7, many) == pytest.approx(0.5, abs=0.005)
    assert shift_of(Evidence()) == 0.0
    assert shifted(0.7, 0.0) == 0.7


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_shift_is_bounded_and_goes_the_way_of_the_evidence(
    answers: float, score: float, predicted: float, quality: float
) -> None:
    """Property: never beyond the bound, never the wrong way, and a quality stays one."""
    shift = shift_of(Evidence(answers=answers, score=score, predicted=predicted))

    assert abs(shift) <= MOST_SHIFT
    assert shift * (score - predicted) >= -1e-9
    assert 0.0 <= shifted(quality, shift) <= 1.0
