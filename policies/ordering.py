"""Brings the candidates of a route into the order of its strategy.

Rules of this file:
- an order never adds a candidate and never drops one;
- ties keep the order of the file, and chance is drawn from ids, so that the same request under
  the same policy is always ordered alike;
- a deployment that nobody has measured is tried first for a small share of the requests, so
  that it gets measured, and last for the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log, sqrt
from statistics import NormalDist

from gateway.core.decision import Facts
from gateway.core.deployment import Deployment
from gateway.core.learning import PRIOR_ANSWERS
from gateway.core.principal import Principal
from policies.aiming import strong_first
from policies.compiled import CompiledPolicy, Route, Weights
from policies.drawing import chance
from policies.estimates import likely_cost, likely_seconds, quality_of

#: The share of requests that look for the speed of what has not been measured.
EXPLORING = 1 / 16
#: Keeps proportions of costs finite where something is free; nano-USD.
_LEAST_COST = 1000
_LEAST_SECONDS = 0.001
#: Even who is believed to be perfect is drawn with some spread.
_LEAST_VARIANCE = 0.01

Candidates = tuple[Deployment, ...]


def in_order(
    policy: CompiledPolicy,
    facts: Facts,
    route: Route,
    candidates: Candidates,
    output_cap: int | None = None,
) -> Candidates:
    """The candidates, best first."""
    if len(candidates) < 2:
        return candidates
    match route.strategy:
        case "cheapest":
            costs = [likely_cost(policy, facts, one, output_cap) for one in candidates]
            ordered = _by(costs, candidates)
        case "fastest":
            ordered = _by(_waits(policy, facts, candidates, output_cap), candidates)
        case "balanced":
            points = scores(policy, facts, route, candidates, output_cap)
            ordered = _by([-points[one.name] for one in candidates], candidates)
        case "split":
            return _drawn(facts, route, candidates)
        case "cascade" if route.least_quality:
            ordered = _from_quality(facts, route, candidates)
        case "target":
            last = strong_first(facts, route)
            named = route.deployments[-1]
            ordered = tuple(sorted(candidates, key=lambda one: (one.name == named) != last))
        case _:
            ordered = candidates
    return _kept_first(facts, route, _explored(facts, route, ordered))


def explores(facts: Facts, route: Route) -> bool:
    """Whether this request is one of those for which another candidate comes first."""
    return bool(route.explore) and chance("explore", route.id, facts.request_id) < route.explore


def scores(
    policy: CompiledPolicy,
    facts: Facts,
    route: Route,
    candidates: Candidates,
    output_cap: int | None = None,
) -> Mapping[str, float]:
    """What `balanced` compares, 0..1 by name.

    Cost and latency count as the best of the candidates over the own one (1 is the best, 0.5
    twice as dear or slow), quality as it is predicted; the weighted sum is the score.
    """
    weights = route.weights or Weights(cost=1 / 3, latency=1 / 3, quality=1 / 3)
    costs = [likely_cost(policy, facts, one, output_cap) + _LEAST_COST for one in candidates]
    waits = _waits(policy, facts, candidates, output_cap)
    known = [wait for wait in waits if 0 <= wait < inf]
    # What was not measured counts as the fastest or the slowest of what was.
    bounds = {-inf: min(known, default=0.0), inf: max(known, default=0.0)}
    spans = [bounds.get(wait, wait) + _LEAST_SECONDS for wait in waits]
    cheapest, fastest = min(costs), min(spans)
    return {
        one.name: weights.cost * cheapest / cost
        + weights.latency * fastest / span
        + weights.quality * quality_of(facts, one)
        for one, cost, span in zip(candidates, costs, spans, strict=True)
    }


def sticky_to(route: Route, facts: Facts) -> str:
    """Who sticks to a deployment, such as `session:4711`; empty for nobody."""
    return name_of(route.sticky, facts.principal, facts.session) if route.sticky else ""


def name_of(kind: str, principal: Principal, session: str) -> str:
    """A session, user, app, team or key by its kind and name; empty where there is none."""
    if kind == "session":
        named = session
    else:
        named = principal.key_id if kind == "key" else getattr(principal, kind)
    return f"{kind}:{named}" if named else ""


def _by(keys: Sequence[float], candidates: Candidates) -> Candidates:
    pairs = sorted(zip(keys, range(len(candidates)), strict=True))
    return tuple(candidates[index] for _, index in pairs)


def _waits(
    policy: CompiledPolicy, facts: Facts, candidates: Candidates, output_cap: int | None
) -> list[float]:
    """Seconds; what was not measured is infinitely slow, or fast for who looks for its speed."""
    spans = [likely_seconds(policy, facts, one, output_cap) for one in candidates]
    if None not in spans:
        return [span for span in spans if span is not None]
    unknown = -inf if chance("exploring", facts.request_id) < EXPLORING else inf
    return [unknown if span is None else span for span in spans]


def _drawn(facts: Facts, route: Route, candidates: Candidates) -> Candidates:
    """Weighted rendezvous hashing: each deployment comes first for its share of the keys.

    With `u` drawn for each deployment, the smallest `-ln(u) / share` wins with the probability of
    its share; where the winner may not serve, the others take its keys in their proportion, and
    no other key moves.
    """
    parts = dict(zip(route.deployments, route.shares, strict=True))
    who = sticky_to(route, facts) or facts.request_id

    def place(one: Deployment) -> float:
        part = parts[one.name]
        return -log(chance(route.id, who, one.name)) / part if part else inf

    return _by([place(one) for one in candidates], candidates)


def _from_quality(facts: Facts, route: Route, candidates: Candidates) -> Candidates:
    """Rungs that are predicted too little last: they fall back, and nothing climbs down to them."""
    top = candidates[-1]
    return tuple(
        sorted(
            candidates,
            key=lambda one: one is not top and quality_of(facts, one) < route.least_quality,
        )
    )


def _explored(facts: Facts, route: Route, ordered: Candidates) -> Candidates:
    """For a share of the requests one of the others first, by a draw of its quality.

    Each other's quality is drawn from what is believed of it (Thompson's sampling), so that who may
    be good and is hardly known is tried more often than who is known to be poor.
    """
    if not explores(facts, route):
        return ordered
    first = max(ordered[1:], key=lambda one: _drawn_quality(facts, route, one))
    return (first, *(one for one in ordered if one is not first))


def _drawn_quality(facts: Facts, route: Route, one: Deployment) -> float:
    believed = quality_of(facts, one)
    answers = PRIOR_ANSWERS + (facts.answers.get(one.name, 0.0) if facts.answers else 0.0)
    spread = sqrt(max(_LEAST_VARIANCE, believed * (1.0 - believed)) / (answers + 1.0))
    drawn = chance("explored", route.id, facts.request_id, one.name)
    return believed + spread * NormalDist().inv_cdf(drawn)


def _kept_first(facts: Facts, route: Route, ordered: Candidates) -> Candidates:
    kept = facts.kept.get(route.id, "") if route.sticky and facts.kept else ""
    if not kept or all(one.name != kept for one in ordered):
        return ordered
    return tuple(sorted(ordered, key=lambda one: one.name != kept))
