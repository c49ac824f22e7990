"""The proof finds every fault that opens a leak, and takes no harmless edit for one."""

from __future__ import annotations

from random import Random

import pytest

from ops.bench.policies import to_the_last_route, tried
from ops.bench.policy_faults import EDITS, FAULTS, drawn_policy, leaks
from policies.engine import decide


def test_faults_are_found_and_edits_are_not_taken_for_faults() -> None:
    """Each fault is a leak by the engine's own word, before any proof."""
    tally = tried(range(1000, 1020))

    assert tally.found == tally.real
    assert tally.real.total() == tally.edits == 20
    assert tally.alarms == []


@pytest.mark.full
def test_three_hundred_faults_and_three_hundred_edits() -> None:
    tally = tried(range(300))

    assert tally.found == tally.real
    assert tally.real.total() == tally.edits == 300
    assert len(tally.real) == len(FAULTS)
    assert tally.alarms == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_every_kind_of_fault_is_a_leak(fault: object) -> None:
    """The engine sends its witness outside, and did not before."""
    for seed in range(3):
        chance = Random(seed)
        policy = drawn_policy(chance)
        made = fault(chance, drawn_policy(Random(seed)))  # type: ignore[operator]
        assert not leaks(policy, made.witness)
        assert leaks(made.policy, made.witness)


def test_edits_have_names_of_their_own() -> None:
    """They are named in what the bench prints."""
    assert len({edit.__name__ for edit in EDITS}) == len(EDITS)


def test_the_measured_request_reaches_the_last_route() -> None:
    """Every constraint, every invariant and every route has to be asked on the way."""
    made, facts = to_the_last_route(routes=40, constraints=20)

    assert [decide(one, facts).route for one in (made.policy, made.guarded)] == ["rest", "rest"]
    assert [one.id for one in made.policy.routes][-1] == "rest"
    assert len(made.policy.routes) == 40
    assert len(made.policy.constraints) == len(made.guarded.invariants) == 20
