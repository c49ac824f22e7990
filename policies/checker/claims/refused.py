"""No request is refused for lack of a candidate while a deployment may and can serve it.

What no deployment may serve is refused on purpose; and where every deployment of a route is merely
unable (a picture, a long text), the refusal says so, and a note of the proof tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.degradation import AT_HOME
from policies.checker.claims.base import Claim
from policies.checker.logic import Formula, all_of, any_of, both, either, negated
from policies.checker.reaching import Reaching
from policies.checker.subject import Subject
from policies.compiled import Route
from policies.engine import NO_CANDIDATE, NO_ROUTE, decide
from policies.model.cases import GivenStatement
from policies.narrowing import apply_constraints, level_sent, why_not
from policies.seeing import see
from policies.testing import facts_of

CODE = "refused"


def claims(subject: Subject, reaching: Reaching) -> Iterator[Claim]:
    """One claim for each route, and one for what no route covers."""
    someone = any_of(reaching.allowed.values())
    statements = {one.id: one for one in subject.file.routes}
    for route in subject.policy.routes:
        yield Claim(
            code=CODE,
            at=statements[route.id].at,
            path=f"routes.{route.id}",
            says=f"the route '{route.id}' has a candidate wherever one may serve",
            breach=all_of((stranded(reaching, route), kept_out(reaching, route), someone)),
            witness=_witness(subject, NO_CANDIDATE),
            hint=(
                "let the route end with a deployment that may serve such requests, or refuse "
                "them on purpose with a constraint that says 'block'"
            ),
        )
    yield Claim(
        code=CODE,
        at=subject.file.routes[-1].at,
        path="routes",
        says="every request that may be served has a route",
        breach=all_of((reaching.no_route, negated(reaching.blocked), someone)),
        witness=_witness(subject, NO_ROUTE),
        hint="add a last route without 'when', or refuse the rest with a constraint and 'block'",
    )


def stranded(reaching: Reaching, route: Route) -> Formula:
    """That the route is taken and none of its deployments may serve."""
    left = any_of(reaching.allowed[name] for name in route.deployments)
    policy = reaching.policy
    if policy.degradation.no_candidate == AT_HOME:
        at_home = (name for name, one in policy.deployments.items() if one.self_hosted)
        left = either(left, any_of(reaching.allowed[name] for name in at_home))
    return all_of((reaching.taken[route.id], negated(reaching.blocked), negated(left)))


def kept_out(reaching: Reaching, route: Route) -> Formula:
    """That clearance or a constraint takes away one that could serve, or the route has none."""
    if not route.deployments:
        return True
    return any_of(
        both(
            reaching.able[name],
            negated(both(reaching.cleared[name], reaching.permitted[name])),
        )
        for name in route.deployments
    )


def _witness(subject: Subject, code: str) -> Callable[[GivenStatement], str]:
    policy = subject.policy

    def witness(given: GivenStatement) -> str:
        facts = facts_of(policy, given, None)
        decision = decide(policy, facts)
        applied = apply_constraints(policy, see(policy, facts))
        sent = level_sent(policy, facts.profile, applied.mask)
        able = [
            name
            for name, one in policy.deployments.items()
            if why_not(one, facts.profile, applied, sent) is None
        ]
        if decision.refusal_code != code or not able:
            return ""
        told = ", ".join(f"'{name}'" for name in able[:3])
        request = f"this {facts.profile.sensitivity.label} request, though {told} may serve it"
        if code == NO_ROUTE:
            return f"no route covers {request}"
        return f"the route '{decision.route}' leaves no candidate for {request}"

    return witness
