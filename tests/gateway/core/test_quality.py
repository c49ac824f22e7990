"""How good an answer is likely to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quality import BASELINE, FRONTIER, Skills, predicted_quality

shares = st.floats(0, 1)
skills = st.builds(
    Skills,
    knowledge=st.none() | shares,
    code=st.none() | shares,
    maths=st.none() | shares,
)


@pytest.mark.parametrize("task", ["chat", "code", "maths"])
def test_the_difficulty_is_the_baselines_failing(task: str) -> None:
    """By its definition: the baseline fails with that probability, a frontier model never."""
    assert predicted_quality(BASELINE, 0.3, task) == pytest.approx(0.7)
    assert predicted_quality(FRONTIER, 0.3, task) == pytest.approx(1.0)


def test_a_model_stands_where_its_score_stands() -> None:
    """Half the way between the two on the task's benchmark leaves half of the difficulty."""
    halfway = Skills(knowledge=0.0, code=(0.622 + 0.902) / 2)

    assert predicted_quality(halfway, 0.8, "code") == pytest.approx(0.6)


def test_a_missing_benchmark_is_stood_in_for_by_the_others() -> None:
    """A model of which only the code score is known is as good at other things as at code."""
    known = Skills(code=0.902)

    assert predicted_quality(known, 0.9, "maths") == pytest.approx(1.0)


def test_a_model_without_scores_counts_as_what_the_difficulty_was_learned_on() -> None:
    """Self-hosted as the baseline, else as a frontier model."""
    assert predicted_quality(Skills(), 0.4, "chat", self_hosted=True) == pytest.approx(0.6)
    assert predicted_quality(Skills(), 0.4, "chat") == 1.0


@given(skills, shares, shares, st.sampled_from(["chat", "code", "maths"]), st.booleans())
def test_quality_is_a_share_and_falls_with_difficulty(
    one: Skills, easy: float, hard: float, task: str, self_hosted: bool
) -> None:
    """Whatever the scores, a harder request is never answered better."""
    easy, hard = sorted((easy, hard))
    better = predicted_quality(one, easy, task, self_hosted=self_hosted)
    worse = predicted_quality(one, hard, task, self_hosted=self_hosted)

    assert 0.0 <= worse <= better <= 1.0
