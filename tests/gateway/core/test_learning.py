"""From what answers were worth to a bounded shift of the predicted quality."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.learning import (
    HALF_LIFE_DAYS,
    JUDGED_WEIGHT,
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


def test_a_judged_answer_counts_as_a_quarter_of_a_rating() -> None:
    """Four verdicts weigh as much as one word of whoever got an answer, and are told apart."""
    judged = Day(judged=4, judged_score=4 * MILLION, judged_predicted=2 * MILLION)
    found = evidence_of({30: judged, 0: day(2, 0.0, 0.5)}, today=30)

    assert JUDGED_WEIGHT == 0.25
    assert (found.rated, found.judged, found.answers) == (1.0, 4.0, 2.0)
    assert found.score == pytest.approx(0.5)
    assert shift_of(evidence_of({0: judged}, today=0)) == pytest.approx(
        shift_of(evidence_of({0: day(1, 1.0, 0.5)}, today=0))
    )


counts = st.integers(0, 10_000)
shares = st.floats(0, 1)


@given(st.lists(st.tuples(st.integers(0, 90), counts, shares, counts, shares, shares), max_size=20))
def test_means_stay_means_whoever_scored(
    rows: list[tuple[int, int, float, int, float, float]],
) -> None:
    """Property: of any days with any scores within bounds, so are the means, and the shift."""
    days = {
        number: Day(
            rated,
            round(rated * one * MILLION),
            round(rated * predicted * MILLION),
            judged,
            round(judged * other * MILLION),
            round(judged * predicted * MILLION),
        )
        for number, rated, one, judged, other, predicted in rows
    }
    found = evidence_of(days, today=90)

    assert -1e-6 <= found.score <= 1 + 1e-6
    assert -1e-6 <= found.predicted <= 1 + 1e-6
    assert found.answers == pytest.approx(found.rated + JUDGED_WEIGHT * found.judged)
    assert abs(shift_of(found)) <= MOST_SHIFT


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_shift_is_bounded_and_goes_the_way_of_the_evidence(
    answers: float, score: float, predicted: float, quality: float
) -> None:
    """Property: never beyond the bound, never the wrong way, and a quality stays one."""
    shift = shift_of(Evidence(answers=answers, score=score, predicted=predicted))

    assert abs(shift) <= MOST_SHIFT
    assert shift * (score - predicted) >= -1e-9
    assert 0.0 <= shifted(quality, shift) <= 1.0
