"""Who may receive one request on any attempt, by the engine itself.

This is what a proof is about, asked of the code that serves traffic; the prover confirms each of
its counterexamples with it.
"""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision, Facts
from gateway.core.sensitivity import UNKNOWN, Sensitivity
from policies.charging import budgets_for
from policies.compiled import CompiledPolicy
from policies.engine import decide
from policies.model.cases import GivenStatement
from policies.narrowing import apply_constraints, level_sent
from policies.second_stage import would_ask
from policies.seeing import see
from policies.testing import facts_of


def unguarded(policy: CompiledPolicy) -> CompiledPolicy:
    """The policy without its invariants: whether they are needed is the question."""
    return msgspec.structs.replace(policy, invariants=())


def receivers(policy: CompiledPolicy, given: GivenStatement) -> frozenset[str]:
    """The deployments that may be called: candidates, reserves where a budget uses them, who gets a
    copy and who judges both answers, and who is asked what is sensitive."""
    facts = facts_of(policy, given, None)
    return receivers_of(policy, facts, decide(policy, facts))


def level_received(policy: CompiledPolicy, given: GivenStatement) -> Sensitivity:
    """The sensitivity of what they receive: what is masked has been left out."""
    facts = facts_of(policy, given, None)
    mask = apply_constraints(policy, see(policy, facts)).mask
    return UNKNOWN if facts.profile.failed else level_sent(policy, facts.profile, mask)


def receivers_of(policy: CompiledPolicy, facts: Facts, decision: Decision) -> frozenset[str]:
    """The same for a decision that is known already."""
    called = list(decision.candidates)
    budgets = budgets_for(policy, facts.principal)
    kept = any(budget.on_exhausted == "self_hosted_only" for budget in budgets)
    if kept or policy.degradation.opens_reserve:
        called += decision.reserve
    if decision.shadow is not None:
        called.append(decision.shadow.deployment)
        if decision.shadow.judge is not None:
            called.append(decision.shadow.judge)
    names = {one.name for one in called}
    if would_ask(policy, facts, decision).asked and policy.second_stage is not None:
        # Presidio is no deployment, and has no name here.
        names.update(filter(None, [policy.second_stage.deployment]))
    return frozenset(names)
