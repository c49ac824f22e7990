"""Confidential data leaves the company only where the file says why it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.core.sensitivity import Sensitivity
from policies.checker.claims.base import Claim
from policies.checker.logic import both
from policies.checker.reaching import Reaching
from policies.checker.receivers import level_received, receivers
from policies.checker.subject import STAYS_HOME, Subject
from policies.model.cases import GivenStatement

CODE = "leak-outside"


def claims(subject: Subject, reaching: Reaching) -> Iterator[Claim]:
    """One claim for each deployment outside that is cleared for such data without a reason."""
    for name, deployment in subject.policy.deployments.items():
        if deployment.clearance < STAYS_HOME or not subject.outside(name):
            continue
        statement = subject.statement(name)
        if statement.clearance.because:
            continue
        yield Claim(
            code=CODE,
            at=statement.at,
            path=f"deployments.{name}.clearance",
            says=f"nothing {STAYS_HOME.label} leaves the company for '{name}'",
            breach=both(reaching.reached[name], reaching.sent[STAYS_HOME]),
            witness=_witness(subject, name),
            hint=(
                f"write 'clearance: {Sensitivity.INTERNAL.label}', or say why such data may go "
                f"there: 'clearance: {{level: {deployment.clearance.label}, because: …}}'"
            ),
        )


def _witness(subject: Subject, name: str) -> Callable[[GivenStatement], str]:
    def witness(given: GivenStatement) -> str:
        level = level_received(subject.policy, given)
        if level < STAYS_HOME or name not in receivers(subject.policy, given):
            return ""
        marked = ""
        if subject.policy.deployments[name].self_hosted:
            marked = ", which is marked as self-hosted and has the public address of a vendor"
        return f"{level.label} data leaves the company for '{name}'{marked}"

    return witness
