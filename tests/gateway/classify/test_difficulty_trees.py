"""Trees over the dense features of prompts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.difficulty_trees import DEPTH, Grove, Trees, grow


def rows(count: int = 800, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 6))


def test_trees_learn_what_no_line_can_say() -> None:
    """Two features that matter only together are found, on rows never seen."""
    raw, fresh = rows(), rows(seed=2)
    target, wanted = ((part[:, 0] > 0) != (part[:, 1] > 0) for part in (raw, fresh))
    found = Grove(grow(raw, target.astype(float), 300)).sums_of(fresh)

    assert found[wanted].mean() > found[~wanted].mean() + 0.3


def test_rows_and_single_prompts_are_judged_alike() -> None:
    """What is learned by rows is what one prompt gets."""
    raw = rows(200)
    grove = Grove(grow(raw, raw[:, 0], 20))

    np.testing.assert_allclose(grove.sums_of(raw), [grove.sum_of(row) for row in raw], atol=1e-12)


def test_the_same_rows_give_the_same_trees() -> None:
    """What chance there is in growing is the same every time."""
    assert grow(rows(100), rows(100)[:, 0], 10) == grow(rows(100), rows(100)[:, 0], 10)


def test_no_trees_say_nothing() -> None:
    """The cold start has none, which adds nothing."""
    assert Grove(Trees()).sum_of(np.zeros(3)) == 0.0
    assert Grove(Trees()).sums_of(np.zeros((4, 3))).tolist() == [0.0] * 4


def test_trees_that_were_cut_short_are_told() -> None:
    """Questions, cuts and answers must belong together."""
    whole = grow(rows(60), rows(60)[:, 0], 2)

    assert whole.fits
    assert not Trees(whole.features[:-1], whole.cuts, whole.values).fits
    assert not Trees(whole.features, whole.cuts[:-1], whole.values).fits
    assert not Trees(whole.features, whole.cuts, whole.values[:-1]).fits


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-2, 2), st.floats(-1, 1)), min_size=1, max_size=40))
def test_sums_stay_within_reach_of_the_targets(given_rows: list[tuple[int, float]]) -> None:
    """Whatever the rows, also constant ones, every answer is held to the range of the targets."""
    raw = np.array([[float(value), 1.0] for value, _ in given_rows])
    target = np.array([wanted for _, wanted in given_rows])
    trees = grow(raw, target, 30)
    sums = Grove(trees).sums_of(raw)
    spread = target.max() - target.min()

    assert len(trees.values) == 30 << DEPTH
    assert np.isfinite(sums).all()
    assert (sums >= target.min() - spread - 1e-9).all()
    assert (sums <= target.max() + spread + 1e-9).all()
