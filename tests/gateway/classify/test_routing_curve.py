"""The figures of a routing score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.routing_curve import (
    NoGap,
    area,
    calibration_error,
    calls_needed,
    figures,
    quality_curve,
    ranking,
)

WEAK = np.array([0.0, 0.0, 1.0, 1.0])
STRONG = np.array([1.0, 1.0, 1.0, 1.0])


def test_the_oracle_needs_half_of_the_calls() -> None:
    """When half of the prompts gain, the best order recovers all with half of the calls."""
    curve = quality_curve(STRONG - WEAK, WEAK, STRONG)

    assert area(curve) == pytest.approx(0.75, abs=1e-6)
    assert calls_needed(curve, 0.5) == pytest.approx(25.0)
    assert calls_needed(curve, 0.8) == pytest.approx(40.0)


def test_equal_scores_are_chance() -> None:
    """A score that says nothing has the area of a straight line, whatever the rows' order."""
    one = figures(np.zeros(4), WEAK, STRONG)

    assert one.apgr == pytest.approx(0.5)
    assert (one.cpt50, one.cpt80) == (pytest.approx(50.0), pytest.approx(80.0))
    assert one.auc == pytest.approx(0.5)
    assert one.oracle == pytest.approx(0.75, abs=1e-6)


def test_without_a_gap_there_is_no_curve() -> None:
    """A strong model that is no better leaves nothing to recover."""
    with pytest.raises(NoGap):
        quality_curve(np.arange(4.0), STRONG, WEAK)
    with pytest.raises(NoGap):
        quality_curve(np.zeros(0), np.zeros(0), np.zeros(0))


def test_a_target_that_is_never_reached_has_no_share() -> None:
    """A curve that stays below a target needs no number of calls: none is enough."""
    assert calls_needed(np.linspace(0, 0.4, 1001), 0.5) is None
    assert calls_needed(np.ones(1001), 0.5) == 0.0


def test_ranking_counts_ties_half_and_needs_both_outcomes() -> None:
    """AUC is 1 for a perfect order, 0 for the reverse, and unknown for a single outcome."""
    failed = np.array([False, False, True, True])

    assert ranking(np.array([1.0, 2.0, 3.0, 4.0]), failed) == 1.0
    assert ranking(np.array([4.0, 3.0, 2.0, 1.0]), failed) == 0.0
    assert ranking(np.array([1.0, 2.0, 2.0, 3.0]), failed) == 0.875
    assert ranking(np.arange(2.0), np.array([True, True])) is None


def test_calibration_error_is_the_distance_of_said_and_seen() -> None:
    """Saying 0.9 of what happens half the time is off by 0.4."""
    said = np.full(10, 0.9)
    seen = np.array([0.0, 1.0] * 5)

    assert calibration_error(said, seen) == pytest.approx(0.4)
    assert calibration_error(np.full(10, 0.5), seen) == pytest.approx(0.0)
    assert calibration_error(np.zeros(0), np.zeros(0)) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 1)), min_size=2, max_size=40))
def test_only_the_order_counts(rows: list[tuple[float, float]]) -> None:
    """Any growing map of the scores leaves the curve as it is."""
    # Rounded, so that the map does not merge scores that differ by less than it can carry.
    score = np.round(np.array([row[0] for row in rows]), 3)
    weak = np.array([row[1] for row in rows]) * 0.9
    strong = np.ones(len(rows))

    mapped = quality_curve(np.exp(score) * 7 + 3, weak, strong)

    np.testing.assert_allclose(mapped, quality_curve(score, weak, strong), atol=1e-9)
