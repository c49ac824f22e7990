"""What is worth knowing and no fault: refusals on purpose, departures, words that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.checker.claims.refused import kept_out, stranded
from policies.checker.conditions import AnyRequest
from policies.checker.counterexample import shown_given, simplest
from policies.checker.logic import Formula, Undecided, all_of, any_of, both, negated
from policies.checker.reaching import Reaching
from policies.checker.subject import STAYS_HOME, Subject


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One thing worth knowing; `example` is a request that shows it, as a test's `given`."""

    code: str
    path: str
    message: str
    example: dict[str, Any] | None = None


def notes_of(subject: Subject, reaching: Reaching) -> Iterator[Note]:
    """Everything worth knowing about a policy."""
    yield from _departures(subject)
    yield from _refusals(reaching)
    yield from _dead(subject, reaching)


def _departures(subject: Subject) -> Iterator[Note]:
    """What the file allows against the built-in rules, with its reasons."""
    for name, deployment in subject.policy.deployments.items():
        because = subject.statement(name).clearance.because
        if because and subject.outside(name) and deployment.clearance >= STAYS_HOME:
            yield Note(
                code="accepted",
                path=f"deployments.{name}.clearance",
                message=(
                    f"{deployment.clearance.label} data may leave the company for '{name}': "
                    f"{because}"
                ),
            )
    section = subject.file.sensitivity
    for name, stated in (("default", section.default), *section.findings):
        if stated.because:
            yield Note(
                code="accepted",
                path=f"sensitivity.{name}",
                message=f"'{name}' counts as {stated.level.label} only: {stated.because}",
            )


def _refusals(reaching: Reaching) -> Iterator[Note]:
    """Requests that nobody may or can serve."""
    asked = both(reaching.by_alias, negated(reaching.blocked))
    cleared, permitted, able = reaching.cleared, reaching.permitted, reaching.able
    names = tuple(reaching.policy.deployments)
    highest = max(one.clearance for one in reaching.policy.deployments.values())
    if highest < Sensitivity.RESTRICTED:
        message = f"what is above {highest.label} is refused: no deployment is cleared for it"
        yield from _example(reaching, "refused", "", message, both(asked, _none_of(cleared)))
    wanted = any_of(both(cleared[name], able[name]) for name in names)
    kept = negated(any_of(both(cleared[name], permitted[name]) for name in names))
    message = "constraints together leave no deployment for some requests; 'block' would say why"
    yield from _example(reaching, "refused", "constraints", message, all_of((asked, wanted, kept)))
    open_to = any_of(both(cleared[name], permitted[name]) for name in names)
    unable = negated(any_of(reaching.allowed.values()))
    message = "some requests need what no deployment that may serve them can do"
    yield from _example(reaching, "unable", "", message, all_of((asked, open_to, unable)))
    for route in reaching.policy.routes:
        lost = all_of(
            (
                stranded(reaching, route),
                negated(kept_out(reaching, route)),
                any_of(reaching.allowed.values()),
            )
        )
        message = f"the route '{route.id}' cannot serve some requests that others could"
        yield from _example(reaching, "unable", f"routes.{route.id}", message, lost)


def _dead(subject: Subject, reaching: Reaching) -> Iterator[Note]:
    """Statements that no request is about."""
    for route in subject.policy.routes:
        if not _possible(reaching.request, reaching.taken[route.id]):
            message = f"the route '{route.id}' is never taken"
            yield Note(code="dead", path=f"routes.{route.id}", message=message)
    for constraint, applies in reaching.applying:
        if constraint in subject.policy.constraints and not _possible(reaching.request, applies):
            message = f"the constraint '{constraint.id}' never applies"
            yield Note(code="dead", path=f"constraints.{constraint.id}", message=message)
    for invariant in subject.guarded.invariants:
        if not _possible(reaching.request, reaching.sight.applies(invariant.when)):
            message = f"the invariant '{invariant.id}' is about no request, so it guards nothing"
            yield Note(code="dead", path=f"never.{invariant.id}", message=message)


def _example(
    reaching: Reaching, code: str, path: str, message: str, formula: Formula
) -> Iterator[Note]:
    request = reaching.request
    try:
        point = simplest(request, formula)
    except Undecided:
        return
    if point is not None:
        example = shown_given(request.space, point)
        yield Note(code=code, path=path, message=message, example=example)


def _possible(request: AnyRequest, formula: Formula) -> bool:
    """Whether it is; what could not be decided counts as possible."""
    try:
        return request.logic.possible(formula)
    except Undecided:
        return True


def _none_of(formulas: dict[str, Formula]) -> Formula:
    return negated(any_of(formulas.values()))
