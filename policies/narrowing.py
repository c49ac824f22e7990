"""Everything that takes deployments away: clearance, constraints, invariants, abilities.

Rules of this file:
- every constraint and invariant whose condition holds, *or cannot be told*, applies; their order
  does not matter;
- clearance is always checked; nothing in a policy can switch it off; it is compared with the level
  of what is sent, which `mask` lowers for the types that it hides, and conditions are not;
- an invariant is asked after all constraints, so that a reason which names one says that the
  rest of the policy would have let the request through.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.decision import Rejected
from gateway.core.deployment import Deployment
from gateway.core.findings import TELLING_TYPES, sensitivity_of
from gateway.core.profile import Profile
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy, Constraint, Invariant, Seen


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What all constraints that apply add up to; their order does not matter.

    `excluded` maps each deployment that was taken away to the first constraint, in the order
    of the file, that did it, and else to the first invariant. `realistic` are the masked types that
    fakes stand for: a constraint that hides a type without wishing for fakes has its way.
    """

    constraints: tuple[Constraint, ...]
    invariants: tuple[Invariant, ...]
    excluded: Mapping[str, Constraint | Invariant]
    mask: frozenset[str]
    realistic: frozenset[str]
    output_cap: int | None
    blocking: Constraint | None


def apply_constraints(policy: CompiledPolicy, seen: Seen) -> Applied:
    """Every constraint and invariant that holds or cannot be told, and what they add up to."""
    asked = (*policy.constraints, *policy.safeguards)
    holding = tuple(one for one in asked if one.when.holds(seen) is not False)
    breaking = tuple(one for one in policy.invariants if one.when.holds(seen) is not False)
    excluded: dict[str, Constraint | Invariant] = {}
    mask: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    cap: int | None = None
    blocking: Constraint | None = None
    for one in holding:
        for name in one.excluded:
            excluded.setdefault(name, one)
        mask |= one.mask
        plain |= frozenset() if one.realistic else one.mask
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
        realistic=mask - plain,
        output_cap=cap,
        blocking=blocking,
    )


def level_sent(policy: CompiledPolicy, profile: Profile, mask: frozenset[str]) -> Sensitivity:
    """The sensitivity of what is sent when findings of these types are hidden.

    It is the request's own unless its findings alone explain it: what the caller declared, what
    could not be judged and what is not hidden count as before, and so does what a text is about
    (`TELLING_TYPES`), whichever of its words are hidden.
    """
    level = profile.sensitivity
    if not mask or profile.failed:
        return level
    if level > sensitivity_of(profile.findings, policy.rules, profile.floor):
        return level
    hidden = mask - TELLING_TYPES
    left = (one for one in profile.findings if one.type not in hidden)
    return min(level, sensitivity_of(left, policy.rules, profile.floor))


def why_not(
    deployment: Deployment, profile: Profile, applied: Applied, sent: Sensitivity
) -> Rejected | None:
    """Why a deployment may not serve the request, or None when it may.

    `sent` is the sensitivity of what would be sent, see `level_sent`.
    """
    name = deployment.name
    if deployment.clearance < sent:
        hidden = ", even with what is masked left out" if applied.mask else ""
        because = (
            f"its clearance is {deployment.clearance.label}, "
            f"and the request is {sent.label}{hidden}"
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
    tokens = profile.tokens.expected_by(deployment.tokenizer)
    if 0 < deployment.context_tokens < tokens:
        because = (
            f"the input has about {tokens} tokens, "
            f"and its context holds {deployment.context_tokens}"
        )
        return Rejected(deployment=name, reason="context", because=because)
    return None
