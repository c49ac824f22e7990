"""The facts of a request in the form that conditions compare, and what it may cost."""

from __future__ import annotations

from gateway.core.decision import Facts
from gateway.core.money import worst_cost
from policies.compiled import CompiledPolicy, Seen

#: Classifiers whose failure does not mean that a finding may have been missed.
_NO_DETECTORS = frozenset(("difficulty", "task", "tokens"))


def see(policy: CompiledPolicy, facts: Facts) -> Seen:
    """The facts in the form that conditions compare."""
    profile, principal = facts.profile, facts.principal
    failed = frozenset(profile.failed)
    return Seen(
        sensitivity=int(profile.sensitivity),
        types=profile.finding_types(),
        types_complete=failed <= _NO_DETECTORS,
        difficulty=None if "difficulty" in failed else profile.difficulty,
        task=None if "task" in failed else profile.task,
        needs=profile.needs.names(),
        input_tokens=None if "tokens" in failed else profile.tokens.expected,
        estimated_cost=_estimated_cost(policy, facts, failed),
        budget_used=facts.budget_used,
        model=facts.requested_model,
        org=principal.org,
        team=principal.team,
        app=principal.app,
        user=principal.user,
        # What the key carries wins over what the caller says, who could else slip a rule.
        tags={**dict(facts.tags), **dict(principal.tags)},
        now=facts.now,
        stream=facts.stream,
        key=principal.key_id,
        api=facts.api,
        reliability=None if "difficulty" in failed else profile.reliability,
        output_tokens=output_tokens(policy, facts),
    )


def output_tokens(policy: CompiledPolicy, facts: Facts, output_cap: int | None = None) -> int:
    """The most output tokens that the request can have, over all of its choices."""
    most = facts.max_output_tokens or policy.defaults.max_output_tokens
    if output_cap is not None:
        most = min(most, output_cap)
    return most * max(1, facts.choices)


def dearest_cost(policy: CompiledPolicy, facts: Facts) -> int:
    """The fact `estimated_cost` in nano-USD: see `Seen`."""
    output = output_tokens(policy, facts)
    expected = facts.profile.tokens.expected
    return max(
        (worst_cost(one.price, expected, output) for one in policy.deployments.values()),
        default=0,
    )


def _estimated_cost(policy: CompiledPolicy, facts: Facts, failed: frozenset[str]) -> int | None:
    if not policy.asks_cost:
        return 0
    return None if "tokens" in failed else dearest_cost(policy, facts)
