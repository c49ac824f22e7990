"""The prover, brute force over the regions, and the running engine agree on random policies."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from policies.checker.proof import prove
from tests.policies.checker.drawn import BruteForce, any_request, compiled, points, policies

_quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]


def agree(text: str, seed: int, most: int) -> None:
    """What brute force finds wrong, the proof finds; what the proof finds, the engine confirms."""
    subject = compiled(text)
    proof = prove(subject)  # raises when the engine does not confirm a counterexample
    broken = {one.path for one in proof.breaches}
    brute = BruteForce(subject)
    wrong: set[str] = set()
    for point in points(brute.space, Random(seed), most):
        found = brute.wrongs(brute.space.given(point)) - wrong
        assert found <= broken, (text, sorted(found - broken), brute.space.given(point))
        wrong |= found
    chance = Random(seed)
    for _ in range(most // 4):
        request = any_request(subject.policy, chance)
        assert brute.wrongs(request) <= broken, (text, request)
    event(f"{len(broken)} claims broken, brute force found {'all' if wrong == broken else 'fewer'}")


@settings(max_examples=30, deadline=None, suppress_health_check=_quiet)
@given(text=policies(), seed=st.integers(0, 2**32))
def test_prover_brute_force_and_engine_agree(text: str, seed: int) -> None:
    """For small policies over a few kinds of facts."""
    agree(text, seed, 400)


@pytest.mark.full
@settings(max_examples=2000, deadline=None, suppress_health_check=_quiet)
@given(text=policies(), seed=st.integers(0, 2**32))
def test_prover_brute_force_and_engine_agree_at_length(text: str, seed: int) -> None:
    """The same with more policies and more points."""
    agree(text, seed, 4000)
