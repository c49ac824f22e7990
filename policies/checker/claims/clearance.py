"""No attempt sends data above a deployment's clearance; what could not be judged is restricted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.sensitivity import UNKNOWN
from policies.checker.claims.base import Claim
from policies.checker.logic import any_of, both, either
from policies.checker.reaching import Reaching
from policies.checker.receivers import level_received, receivers
from policies.checker.subject import Subject
from policies.model.cases import GivenStatement

CODE = "leak-clearance"


def claims(subject: Subject, reaching: Reaching) -> Iterator[Claim]:
    """One claim for each deployment that is not cleared for everything."""
    unjudged = any_of(reaching.request.failed.values())
    for name, deployment in subject.policy.deployments.items():
        if deployment.clearance >= UNKNOWN:
            continue
        above = reaching.sent[deployment.clearance + 1]
        yield Claim(
            code=CODE,
            at=subject.statement(name).at,
            path=f"deployments.{name}",
            says=f"nothing above {deployment.clearance.label} reaches '{name}'",
            breach=both(reaching.reached[name], either(above, unjudged)),
            witness=_witness(subject, name),
            hint="this is a fault of the gateway itself: report it, and do not serve this file",
        )


def _witness(subject: Subject, name: str) -> Callable[[GivenStatement], str]:
    clearance = subject.policy.deployments[name].clearance

    def witness(given: GivenStatement) -> str:
        level = level_received(subject.policy, given)
        if level <= clearance or name not in receivers(subject.policy, given):
            return ""
        return f"a {level.label} request reaches '{name}', whose clearance is {clearance.label}"

    return witness
