"""Which way a targeted route serves a request, and what that counts for.

The last deployment of the route is the strong one; all others are the weak way, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.decision import Facts
from gateway.core.deployment import Deployment
from gateway.core.money import MILLION
from gateway.core.targets import Aim, Target, cold_start, place_of, reaches, threshold_of
from policies.compiled import CompiledPolicy, Route
from policies.drawing import chance
from policies.estimates import likely_cost, quality_of


def threshold_for(facts: Facts, route: Route, target: Target) -> float:
    """The threshold of the route as it was told, else what is supposed before any request."""
    told = facts.thresholds.get(route.id) if facts.thresholds else None
    return threshold_of(target, cold_start(target)) if told is None else told


def strong_first(facts: Facts, route: Route) -> bool:
    """Whether the request is hard enough for the strong deployment to come first."""
    if route.target is None:
        return False
    threshold = threshold_for(facts, route, route.target)
    return reaches(
        facts.profile.difficulty, chance("target", route.id, facts.request_id), threshold
    )


def aim_of(
    policy: CompiledPolicy,
    facts: Facts,
    route: Route,
    ordered: Sequence[Deployment],
    output_cap: int | None,
) -> Aim | None:
    """What the order of the candidates counts for; None where the route has no target."""
    if route.target is None or not ordered:
        return None
    strong = next((one for one in ordered if one.name == route.deployments[-1]), None)
    weak = next((one for one in ordered if one.name != route.deployments[-1]), None)

    def worth(one: Deployment | None, share: int) -> int:
        if one is None:
            return 0
        match route.target:
            case Target(kind="quality"):
                return round(quality_of(facts, one) * MILLION)
            case Target(kind="spend"):
                return likely_cost(policy, facts, one, output_cap)
            case _:
                return share

    return Aim(
        route=route.id,
        place=place_of(facts.profile.difficulty),
        low=worth(weak, 0),
        high=worth(strong, MILLION),
        free=weak is not None and strong is not None,
        strong=ordered[0] is strong,
    )
