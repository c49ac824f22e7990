"""What `never` says follows from the rest of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.checker.claims.base import Claim
from policies.checker.logic import any_of, both
from policies.checker.reaching import Reaching
from policies.checker.receivers import receivers
from policies.checker.subject import Subject
from policies.compiled import Invariant
from policies.model.cases import GivenStatement
from policies.seeing import see
from policies.testing import facts_of

CODE = "leak-never"


def claims(subject: Subject, reaching: Reaching) -> Iterator[Claim]:
    """One claim for each invariant."""
    statements = {one.id: one for one in subject.file.never}
    for invariant in subject.guarded.invariants:
        yield Claim(
            code=CODE,
            at=statements[invariant.id].at,
            path=f"never.{invariant.id}",
            says=f"the invariant '{invariant.id}' is never needed",
            breach=both(
                reaching.sight.applies(invariant.when),
                any_of(reaching.reached[name] for name in sorted(invariant.deployments)),
            ),
            witness=_witness(subject, invariant),
            hint="add a constraint that rules this out; the invariant itself is the last guard",
        )


def _witness(subject: Subject, invariant: Invariant) -> Callable[[GivenStatement], str]:
    def witness(given: GivenStatement) -> str:
        seen = see(subject.policy, facts_of(subject.policy, given, None))
        if invariant.when.holds(seen) is False:
            return ""
        reached = sorted(receivers(subject.policy, given) & invariant.deployments)
        if not reached:
            return ""
        told = ", ".join(f"'{name}'" for name in reached)
        return f"but for the invariant '{invariant.id}' this request would reach {told}"

    return witness
