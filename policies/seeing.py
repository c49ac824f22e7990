"""The facts of a request in the form that conditions compare."""

from __future__ import annotations

from gateway.core.decision import Facts
from policies.compiled import CompiledPolicy, Seen
from policies.estimates import dearest_cost, longest_output

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
        output_tokens=longest_output(policy, facts),
        classifier_failed=bool(failed),
    )


def _estimated_cost(policy: CompiledPolicy, facts: Facts, failed: frozenset[str]) -> int | None:
    if not policy.asks_cost:
        return 0
    return None if "tokens" in failed else dearest_cost(policy, facts)
