"""Decides one request: who may serve it, in which order, under which obligations, and why.

Rules of this file:
- nothing here looks at a clock, a file or a network: policy and facts in, decision out;
- what takes deployments away comes first (`policies.narrowing`); it applies when it holds or
  cannot be told, while a route whose condition cannot be told is passed over;
- the first route that holds is the route: when nothing of it is left, the request is refused
  and no later route is asked.
"""

from __future__ import annotations

import msgspec

from gateway.core.cascade import Cascade
from gateway.core.decision import Decision, Facts, Reason, Rejected, Shadow
from gateway.core.degradation import AT_HOME
from gateway.core.deployment import Deployment
from gateway.core.errors import UnknownModel
from gateway.core.profile import Profile
from gateway.core.sensitivity import Sensitivity
from policies.aiming import aim_of
from policies.compiled import CompiledPolicy, Route, Seen
from policies.matchers import ALWAYS
from policies.narrowing import Applied, apply_constraints, level_sent, why_not
from policies.ordering import in_order, sticky_to
from policies.seeing import see

#: The route id of a request that names a deployment itself.
REQUESTED = "requested"
#: Refusal codes; `model_not_found` is also the code of the error that the caller is told.
MODEL_NOT_FOUND = UnknownModel.code
TOO_SENSITIVE_FOR_KEY = "sensitivity_above_key"
BLOCKED = "blocked_by_policy"
NO_ROUTE = "no_route"
NO_CANDIDATE = "no_candidate"
_STAND_IN = Reason(
    id=NO_CANDIDATE,
    kind="degradation",
    because="Nothing of the route may serve, so whoever at home may does.",
)


def decide(policy: CompiledPolicy, facts: Facts) -> Decision:
    """Decide one request.

    A refusal is a decision without candidates; `refusal` then tells the caller why and
    `refusal_code` is one of the codes above.
    """
    refused = refused_for_key(policy, facts)
    if refused is not None:
        return refused
    seen = see(policy, facts)
    applied = apply_constraints(policy, seen)
    reasons = tuple(
        Reason(id=one.id, kind="constraint", because=one.because) for one in applied.constraints
    ) + tuple(Reason(id=one.id, kind="never", because=one.because) for one in applied.invariants)
    if applied.blocking is not None:
        words = applied.blocking.message or applied.blocking.because
        told = words or "This request is blocked by policy."
        return _refusal(policy, told, BLOCKED, applied.blocking.id, reasons)
    route = route_for(policy, facts, seen)
    if route is None:
        told = "No route of the policy covers this request."
        return _refusal(policy, told, NO_ROUTE, "none", reasons)
    reasons = (*reasons, Reason(id=route.id, kind="route", because=route.because))
    sent = level_sent(policy, facts.profile, applied.mask)
    candidates, rejected = _filtered(policy, facts, applied, route, sent)
    decided = Decision(
        candidates=candidates,
        route=route.id,
        revision=policy.revision,
        reasons=reasons,
        rejected=rejected,
        mask=applied.mask,
        realistic=applied.realistic,
        sent=sent,
        output_cap=applied.output_cap,
        headers=route.headers,
        tags=route.tags,
    )
    reserve = _reserve(policy, facts, applied, route, sent)
    if not candidates and reserve and policy.degradation.no_candidate == AT_HOME:
        return _replace(decided, candidates=reserve, reasons=(*reasons, _STAND_IN))
    if not candidates:
        told = _nobody_left(facts.profile, route, rejected)
        return _refusal(policy, told, NO_CANDIDATE, route.id, reasons, rejected)
    ordered = in_order(policy, facts, route, candidates, applied.output_cap)
    return _replace(
        decided,
        candidates=ordered,
        reserve=reserve,
        keep="" if route.strategy == "split" else sticky_to(route, facts),
        aim=aim_of(policy, facts, route, ordered, applied.output_cap),
        cascade=Cascade(ladder=route.deployments, checks=route.checks) if route.checks else None,
        shadow=_shadow(policy, facts, applied, route, sent),
    )


def refused_for_key(policy: CompiledPolicy, facts: Facts) -> Decision | None:
    """The refusal that the key's own limits or an unknown model give, if they do."""
    principal, asked = facts.principal, facts.requested_model
    known = asked in policy.aliases or asked in policy.deployments
    if not known or (principal.models and asked not in principal.models):
        told = f"The model '{asked}' does not exist, or this key may not use it."
        return _refusal(policy, told, MODEL_NOT_FOUND, "none", ())
    sensitivity = facts.profile.sensitivity
    if sensitivity > principal.max_sensitivity:
        told = (
            f"This request is {sensitivity.label}, and this key may send "
            f"{principal.max_sensitivity.label} data at most."
        )
        return _refusal(policy, told, TOO_SENSITIVE_FOR_KEY, "key", ())
    return None


def route_for(policy: CompiledPolicy, facts: Facts, seen: Seen) -> Route | None:
    """The route that serves: the deployment asked for by name, or the first that holds."""
    asked = facts.requested_model
    if asked not in policy.aliases:
        return requested_route(asked)
    for route in policy.routes:
        if route.when.holds(seen):
            return route
    return None


def requested_route(deployment: str) -> Route:
    """The route of a request that names a deployment itself: that deployment and no other."""
    return Route(
        id=REQUESTED,
        because="The caller asked for this deployment by name.",
        when=ALWAYS,
        deployments=(deployment,),
    )


def _replace(decision: Decision, **changes: object) -> Decision:
    return msgspec.structs.replace(decision, **changes)


def _filtered(
    policy: CompiledPolicy, facts: Facts, applied: Applied, route: Route, sent: Sensitivity
) -> tuple[tuple[Deployment, ...], tuple[Rejected, ...]]:
    candidates: list[Deployment] = []
    rejected: list[Rejected] = []
    for name in route.deployments:
        deployment = policy.deployments[name]
        reason = why_not(deployment, facts.profile, applied, sent)
        if reason is None:
            candidates.append(deployment)
        else:
            rejected.append(reason)
    return tuple(candidates), tuple(rejected)


def _reserve(
    policy: CompiledPolicy, facts: Facts, applied: Applied, route: Route, sent: Sensitivity
) -> tuple[Deployment, ...]:
    """Self-hosted deployments outside the route that the constraints and clearance allow.

    Whoever asked for one deployment by name gets that one or none.
    """
    if route.id == REQUESTED:
        return ()
    return tuple(
        one
        for name, one in policy.deployments.items()
        if one.self_hosted
        and name not in route.deployments
        and why_not(one, facts.profile, applied, sent) is None
    )


def _shadow(
    policy: CompiledPolicy, facts: Facts, applied: Applied, route: Route, sent: Sensitivity
) -> Shadow | None:
    """Who gets a copy and who compares, where the constraints and clearance leave it open to them
    as to anyone."""
    if route.shadow is None:
        return None
    deployment = policy.deployments[route.shadow.deployment]
    if why_not(deployment, facts.profile, applied, sent) is not None:
        return None
    judge = policy.deployments[route.shadow.judge] if route.shadow.judge else None
    if judge is not None and why_not(judge, facts.profile, applied, sent) is not None:
        judge = None
    return Shadow(deployment=deployment, share=route.shadow.share, judge=judge)


def _nobody_left(profile: Profile, route: Route, rejected: tuple[Rejected, ...]) -> str:
    level: Sensitivity = profile.sensitivity
    begins = f"Policy leaves no deployment that may serve this {level.label} request"
    if not rejected:
        return f"{begins}: the route '{route.id}' has none."
    shown = "; ".join(f"{one.deployment}: {one.because}" for one in rejected[:5])
    more = f"; and {len(rejected) - 5} more" if len(rejected) > 5 else ""
    return f"{begins}. {shown}{more}."


def _refusal(
    policy: CompiledPolicy,
    told: str,
    code: str,
    route: str,
    reasons: tuple[Reason, ...],
    rejected: tuple[Rejected, ...] = (),
) -> Decision:
    return Decision(
        candidates=(),
        route=route,
        revision=policy.revision,
        reasons=reasons,
        rejected=rejected,
        refusal=told,
        refusal_code=code,
    )
