"""The file answers every moment in which something is not there, and its answers can happen.

Where it says that deployments at home serve, one of them may serve whatever is served otherwise;
what all of them are merely unable to do (a picture, a long text) is refused with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from gateway.core.degradation import AT_HOME, MOMENTS
from policies.checker.claims.base import Claim
from policies.checker.logic import Formula, all_of, any_of, negated
from policies.checker.reaching import Reaching
from policies.checker.subject import Subject
from policies.engine import decide
from policies.model.cases import GivenStatement
from policies.testing import facts_of

CODE = "degradation"
_WHEN: Mapping[str, str] = MappingProxyType(
    {
        "redis_down": "while Redis is away",
        "classifier_failed": "when a request could not be judged",
        "price_unknown": "when nobody knows what a deployment costs",
        "no_candidate": "when nothing of a route may serve",
        "budget_exhausted": "when a budget is used up that says nothing itself",
        "provider_down": "when a deployment is down",
    }
)
_THEN: Mapping[str, str] = MappingProxyType(
    {
        "refuse": "it is refused",
        "from_slices": "requests spend slices of budgets",
        "as_restricted": "it counts as restricted",
        "leave_out": "the deployment is left out",
        "downgrade": "the cheapest candidate serves",
        "notify": "it is counted and nothing refused",
        "next_candidate": "the next candidate of the route is asked",
        AT_HOME: "a self-hosted deployment that may serve is there",
    }
)
#: The moments in which those at home take over from others that would have served.
_TAKING_OVER = frozenset(("redis_down", "budget_exhausted", "provider_down"))


def claims(subject: Subject, reaching: Reaching) -> Iterator[Claim]:
    """One claim for each moment."""
    for moment in MOMENTS:
        answer = getattr(subject.policy.degradation, moment)
        checked = answer == AT_HOME and moment in _TAKING_OVER
        yield Claim(
            code=CODE,
            at=subject.file.degradation.at,
            path=f"degradation.{moment}",
            says=f"{_WHEN[moment]}, {_THEN[answer]}",
            breach=_nobody_at_home(subject, reaching) if checked else False,
            witness=_witness(subject, moment),
            hint=(
                f"let a self-hosted deployment serve such requests, or choose another of: "
                f"{', '.join(MOMENTS[moment])}"
            ),
        )


def _nobody_at_home(subject: Subject, reaching: Reaching) -> Formula:
    """That a request is served, and nobody at home may, though one could or there is none."""
    at_home = [name for name, one in subject.policy.deployments.items() if one.self_hosted]
    able = any_of(reaching.able[name] for name in at_home) if at_home else True
    kept_out = negated(any_of(reaching.allowed[name] for name in at_home))
    return all_of((reaching.by_alias, reaching.served, kept_out, able))


def _witness(subject: Subject, moment: str) -> Callable[[GivenStatement], str]:
    def witness(given: GivenStatement) -> str:
        decision = decide(subject.policy, facts_of(subject.policy, given, None))
        serving = (*decision.candidates, *decision.reserve)
        if not decision.candidates or any(one.self_hosted for one in serving):
            return ""
        first = decision.candidates[0].name
        return f"'{first}' serves this request, and {_WHEN[moment]} nobody at home may"

    return witness
