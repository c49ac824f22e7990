"""What takes deployments away, beside clearance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.decision import Decision
from gateway.core.deployment import SHIPPED_ADAPTERS
from gateway.core.sensitivity import Sensitivity
from policies.checks.registry import run_checks
from policies.compiled import CompiledPolicy
from policies.loader import read_policy
from policies.resolve import Known

PUBLIC = Sensitivity.PUBLIC
Decided = Callable[..., Decision]
ALL = "routes: [{id: all, use: [frontier, house, tiny]}]\n"
NEVER = """\
never:
  - {id: no-health-outside, because: Health stays., when: {findings: [medical]},
     deployment: {self_hosted: false}}
"""


def names(decision: Decision) -> list[str]:
    return [one.name for one in decision.candidates]


def test_an_invariant_is_enforced(decided: Decided) -> None:
    """Where the rest of the policy lets a request through, the invariant stops it."""
    decision = decided(NEVER + ALL, findings=("medical",), sensitivity=PUBLIC)

    assert names(decision) == ["house", "tiny"]
    assert [(one.deployment, one.reason, one.because) for one in decision.rejected] == [
        ("frontier", "no-health-outside", "Health stays.")
    ]
    assert ("no-health-outside", "never") in [(one.id, one.kind) for one in decision.reasons]


def test_an_invariant_says_nothing_where_it_does_not_hold(decided: Decided) -> None:
    """Other requests go where the routes say, and it is no reason of theirs."""
    decision = decided(NEVER + ALL)

    assert names(decision) == ["frontier", "house", "tiny"]
    assert [reason.id for reason in decision.reasons] == ["all"]


def test_an_invariant_that_cannot_be_told_restricts(decided: Decided) -> None:
    """A detector failed, so the data may be of the kind that must not go there."""
    assert "frontier" not in names(
        decided(NEVER + ALL, failed=("payment_card",), sensitivity=PUBLIC)
    )


def test_a_constraint_is_the_reason_before_an_invariant(decided: Decided) -> None:
    """An invariant as the reason says that nothing else would have stopped the request."""
    constraint = "constraints: [{id: home, when: {findings: [medical]}, require: self_hosted}]\n"
    decision = decided(constraint + NEVER + ALL, findings=("medical",), sensitivity=PUBLIC)

    assert [one.reason for one in decision.rejected] == ["home"]


def test_an_invariant_also_binds_who_asks_by_name(decided: Decided) -> None:
    """Asking for a deployment itself goes round the routes, not round an invariant."""
    decision = decided(NEVER + ALL, model="frontier", findings=("medical",), sensitivity=PUBLIC)

    assert names(decision) == []
    assert decision.refusal_code == "no_candidate"


ZONED = """\
fairlead: 1
deployments:
  here: {adapter: ctransformers, model: m, clearance: restricted, zone: eu, context_tokens: 32768,
         price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  there: {adapter: ctransformers, model: m, clearance: restricted, zone: us, context_tokens: 8192,
          price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  somewhere: {adapter: ctransformers, model: m, clearance: restricted,
              price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
aliases: {auto: {}}
"""


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("only: {zone: eu}", ["here"]),
        ("only: {zone: [eu, us]}", ["here", "there"]),
        # Where it runs is not told, so it may be where it must not be.
        ("forbid: {zone: us}", ["here"]),
        ("forbid: {zone: asia}", ["here", "there"]),
        ("only: {min_context: 32k}", ["here"]),
        ("only: {min_context: 8000}", ["here", "there"]),
        ("forbid: {min_context: 32k}", ["there"]),
        ("forbid: {zone: us, names: [there]}", ["here", "somewhere"]),
    ],
)
def test_what_a_deployment_does_not_tell_opens_no_door(
    compiled: Callable[[str], CompiledPolicy],
    constraint: str,
    expected: list[str],
) -> None:
    """What is allowed must be so for certain; what is forbidden is enough to be possible."""
    everything = "routes: [{id: r, use: {strategy: ordered}}]\n"
    policy = compiled(ZONED + f"constraints: [{{id: c, {constraint}}}]\n" + everything)

    assert sorted(policy.constraints[0].excluded) == sorted(set(policy.deployments) - {*expected})


def test_a_check_names_what_is_not_told() -> None:
    """Each deployment is told once, with the key that is missing."""
    text = (
        ZONED
        + "never: [{id: n, deployment: {zone: us}}]\n"
        + "routes: [{id: r, use: {among: {min_context: 8k}}}]\n"
    )
    known = Known(adapters=SHIPPED_ADAPTERS, prices=lambda provider, model: None)
    found = [one for one in run_checks(read_policy(text, "z"), known) if one.code == "p014"]

    assert [one.path for one in found] == ["deployments.somewhere.zone"]
