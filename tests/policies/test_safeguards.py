"""Every moment has an answer, and what failures take away is told like any constraint."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.decision import Facts
from gateway.core.degradation import MOMENTS, Degradation
from policies.compiled import CompiledPolicy
from policies.explain import explain

Compile = Callable[[str], CompiledPolicy]
ROUTES = "routes: [{id: all, use: [frontier, house]}]\n"


def test_every_moment_is_a_field_with_a_safe_default() -> None:
    """The matrix and the compiled value have the same rows."""
    assert tuple(MOMENTS) == Degradation.__struct_fields__
    for moment, answers in MOMENTS.items():
        assert getattr(Degradation(), moment) == answers[0]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", "refuse"),
        ("redis_down: strict\n", "refuse"),
        ("redis_down: lenient\n", "from_slices"),
        ("degradation: {redis_down: self_hosted_only}\n", "self_hosted_only"),
        ("redis_down: lenient\ndegradation: {redis_down: refuse}\n", "refuse"),
    ],
)
def test_the_section_wins_over_the_earlier_key(
    compiled: Compile, deployments: str, said: str, meant: str
) -> None:
    """The earlier words still mean what they meant."""
    assert compiled(deployments + ROUTES + said).degradation.redis_down == meant


def test_another_answer_is_another_revision(compiled: Compile, deployments: str) -> None:
    """But to say what is the default changes nothing."""
    plain = compiled(deployments + ROUTES).revision
    default = compiled(deployments + ROUTES + "degradation: {provider_down: next_candidate}\n")
    other = compiled(deployments + ROUTES + "degradation: {provider_down: refuse}\n")

    assert plain == default.revision != other.revision


def test_an_explanation_shows_what_a_failure_took_away(
    compiled: Compile, deployments: str, facts: Callable[..., Facts]
) -> None:
    """The safeguard stands among the constraints, with what was seen."""
    policy = compiled(deployments + ROUTES + "degradation: {classifier_failed: self_hosted_only}\n")
    failed = explain(policy, facts(failed=("difficulty",)))
    whole = explain(policy, facts())

    assert [(one.kind, one.applies) for one in failed.constraints] == [("degradation", True)]
    assert failed.constraints[0].condition.seen == "True"
    assert [one.applies for one in whole.constraints] == [False]
    assert "frontier" not in failed.candidates
