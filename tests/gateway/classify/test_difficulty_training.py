"""The fitting of logistic heads."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.classify.difficulty_features import featurise
from gateway.classify.difficulty_training import (
    Penalty,
    design_of,
    fit_head,
    fit_line,
    minimise,
)

PROMPTS = ["prove the lemma", "say hello", "prove it again", "hello again my friend"] * 20
TARGET = np.array([0.0, 1.0, 0.0, 1.0] * 20)


def test_a_quadratic_is_minimised() -> None:
    """The minimum of a convex quadratic is found."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(30, 12))
    shape, goal = root.T @ root + np.eye(12), rng.normal(size=12)

    found = minimise(
        lambda x: (float(0.5 * x @ shape @ x - goal @ x), shape @ x - goal), np.zeros(12), 300
    )

    np.testing.assert_allclose(found, np.linalg.solve(shape, goal), atol=1e-3)


def test_a_head_learns_words() -> None:
    """What tells the outcomes apart is learned, and carried over to a prompt never seen."""
    design = design_of([featurise(prompt) for prompt in PROMPTS], np.zeros((80, 1)))
    head = fit_head(design, TARGET, Penalty(0.1, 1.0))
    fresh = design_of([featurise("prove this"), featurise("hello you")], np.zeros((2, 1)))
    hard, easy = head.logits(fresh)

    assert hard < 0 < easy
    assert set(np.flatnonzero(head.words)) <= set(design.buckets.tolist())


def test_a_stronger_penalty_gives_smaller_weights() -> None:
    """Weights are held to zero as hard as is asked."""
    design = design_of([featurise(prompt) for prompt in PROMPTS], np.zeros((80, 1)))
    loose, tight = (fit_head(design, TARGET, Penalty(held, 1.0)) for held in (0.1, 10.0))

    assert np.abs(tight.words).max() < np.abs(loose.words).max()


def test_an_offset_is_not_learned_again() -> None:
    """Where the offset explains all, nothing is left for the weights."""
    design = design_of([featurise(prompt) for prompt in PROMPTS], np.zeros((80, 1)))
    told = fit_head(design, TARGET, Penalty(1.0, 1.0), offset=np.where(TARGET > 0, 9.0, -9.0))

    assert np.abs(told.words).max() < 0.01


def test_the_fit_is_the_same_every_time() -> None:
    """The same rows in the same order give the same weights, to the last bit."""
    design = design_of([featurise(prompt) for prompt in PROMPTS], np.zeros((80, 1)))
    one, other = (fit_head(design, TARGET, Penalty(1.0, 1.0)) for _ in range(2))

    assert one.words.tobytes() == other.words.tobytes()
    assert one.intercept == other.intercept


def test_a_line_makes_a_score_a_probability() -> None:
    """Platt's scaling finds the log-odds that outcomes were drawn from."""
    score = np.linspace(-2, 2, 4001)
    slope, offset = fit_line(score, 1 / (1 + np.exp(-(1.5 * score - 0.5))))

    assert slope == pytest.approx(1.5, abs=0.02)
    assert offset == pytest.approx(-0.5, abs=0.02)


def test_a_line_never_turns_the_order_round() -> None:
    """A score that points the wrong way is flattened to the mean, and keeps its order."""
    score = np.linspace(-2, 2, 101)
    slope, offset = fit_line(score, (score < 0).astype(float))

    assert 0 < slope < 0.01
    assert 1 / (1 + np.exp(-offset)) == pytest.approx(0.5, abs=0.01)
