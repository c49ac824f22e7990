"""Everything that takes deployments away: clearance, constraints, invariants, abilities.

Rules of this file:
- every constraint and invariant whose condition holds, *or cannot be told*, applies; their order
  does not matter;
- clearance is always checked; nothing in a policy can switch it off;
- an invariant is asked after all constraints, so that a reason which names one says that the
  rest of the policy would have let the request through.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.decision import Rejected
from gateway.core.deployment import Deployment
from gateway.core.profile import Profile
from policies.compiled import CompiledPolicy, Constraint, Invariant, Seen


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What all constraints that apply add up to; their order does not matter.

    `excluded` maps each deployment that was taken away to the first constraint, in the order
    of the file, that did it, and else to the first invariant.
    """

    constraints: tuple[Constraint, ...]
    invariants: tuple[Invariant, ...]
    excluded: Mapping[str, Constraint | Invariant]
    mask: frozenset[str]
    output_cap: int | None
    blocking: Constraint | None


def apply_constraints(policy: CompiledPolicy, seen: Seen) -> Applied:
    """Every constraint and invariant that holds or cannot be told, and what they add up to."""
    holding = tuple(one for one in policy.constraints if one.when.holds(seen) is not False)
    breaking = tuple(one for one in policy.invariants if one.when.holds(seen) is not False)
    excluded: dict[str, Constraint | Invariant] = {}
    mask: frozenset[str] = frozenset()
    cap: int | None = None
    blocking: Constraint | None = None
    for one in holding:
        for name in one.excluded:
            excluded.setdefault(name, one)
        mask |= one.mask
        if one.output_cap is not None:
            cap = one.output_cap if cap is None else min(cap, one.output_cap)
        if one.blocks and blocking is None:
            blocking = one
    for invariant in breaking:
        for name in invariant.deployments:
            excluded.setdefault(name, invariant)
    return Applied(
        constraints=holding,
        invariants=breaking,
        excluded=excluded,
        mask=mask,
        output_cap=cap,
        blocking=blocking,
    )


def why_not(deployment: Deployment, profile: Profile, applied: Applied) -> Rejected | None:
    """Why a deployment may not serve the request, or None when it may."""
    name = deployment.name
    if deployment.clearance < profile.sensitivity:
        because = (
            f"its clearance is {deployment.clearance.label}, "
            f"and the request is {profile.sensitivity.label}"
        )
        return Rejected(deployment=name, reason="clearance", because=because)
    statement = applied.excluded.get(name)
    if statement is not None:
        because = statement.because or f"'{statement.id}' rules it out"
        return Rejected(deployment=name, reason=statement.id, because=because)
    needs = profile.needs.names()
    if needs and deployment.capabilities and not needs <= deployment.capabilities:
        lacking = ", ".join(sorted(needs - deployment.capabilities))
        return Rejected(deployment=name, reason="capabilities", because=f"it cannot do: {lacking}")
    tokens = profile.tokens.expected
    if 0 < deployment.context_tokens < tokens:
        because = (
            f"the input has about {tokens} tokens, "
            f"and its context holds {deployment.context_tokens}"
        )
        return Rejected(deployment=name, reason="context", because=because)
    return None
