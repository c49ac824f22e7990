"""What changes between two policies, for all requests: classes of them, each with the simplest one.

Rules of this file:
- a class is "all requests that …" for one statement or deployment; it is there when the solver
  finds a request in it, and its example is the simplest such request, which the engine confirms;
- who may be called on any attempt counts as reached, whatever its place: only of the first place
  nothing is said, because it may turn on speeds, shares and prices of the moment;
- what no request can tell (an address, a price, a budget) is compared as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gateway.core.findings import FINDING_TYPES
from policies.checker.conditions import AnyRequest
from policies.checker.counterexample import shown_given, simplest
from policies.checker.logic import Formula, Logic, Undecided, all_of, any_of, both, negated
from policies.checker.reaching import Reaching
from policies.checker.space import space_of
from policies.checker.subject import STAYS_HOME, Subject
from policies.compiled import Route
from policies.revision import canonical, meaning_of

#: Is told how many classes are looked for, and how many there are.
OnLooked = Callable[[int, int], None]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One class of requests with which something else happens under the second policy.

    `kind` is a word for machines: `leaves`, `reaches`, `spared`, `refused`, `served`, `route`,
    `constraint`, `masked`, `unmasked`, `capped` or `written`; `about` names the statement or
    deployment, `says` tells it in a sentence. `example` is the simplest request of the class as a
    test's `given`; None for what is merely written otherwise, and where the solver gave up.
    """

    kind: str
    about: str
    says: str
    example: dict[str, Any] | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """All changes from one revision to another, the most weighty first."""

    before: str
    after: str
    changes: tuple[Change, ...]


class _Class(msgspec.Struct, frozen=True, kw_only=True):
    """A class of requests that may be empty."""

    kind: str
    about: str
    says: str
    formula: Formula


def difference(
    old: Subject, new: Subject, on_looked: OnLooked = lambda looked, classes: None
) -> Difference:
    """Everything that changes when `new` takes the place of `old`."""
    space = space_of(old.guarded, new.guarded)
    request = AnyRequest(Logic(), space)
    before, after = Reaching(request, old.policy), Reaching(request, new.policy)
    classes = list(_classes(old, new, before, after))
    changes: list[Change] = []
    for number, one in enumerate(classes):
        on_looked(number, len(classes))
        try:
            point = simplest(request, one.formula)
        except Undecided:
            told = f"{one.says} (perhaps: the solver gave up)"
            changes.append(Change(kind=one.kind, about=one.about, says=told))
            continue
        if point is not None:
            example = shown_given(space, point)
            changes.append(Change(kind=one.kind, about=one.about, says=one.says, example=example))
    on_looked(len(classes), len(classes))
    changes += _written(meaning_of(old.file, old.guarded), meaning_of(new.file, new.guarded))
    return Difference(
        before=old.guarded.revision, after=new.guarded.revision, changes=tuple(changes)
    )


def _classes(old: Subject, new: Subject, before: Reaching, after: Reaching) -> Iterator[_Class]:
    yield from _leaving(new, before, after)
    yield from _reached(before, after)
    yield from _answered(before, after)
    yield from _hidden(before, after)
    yield from _capped(before, after)
    yield from _constrained(before, after)
    yield from _routed(before, after)


def _leaving(new: Subject, before: Reaching, after: Reaching) -> Iterator[_Class]:
    """Sensitive requests that leave the company, and did not before."""
    for name, deployment in new.policy.deployments.items():
        if not new.outside(name) or deployment.clearance < STAYS_HOME:
            continue
        was = both(before.reached.get(name, False), before.sent[STAYS_HOME])
        formula = all_of((after.reached[name], after.sent[STAYS_HOME], negated(was)))
        says = f"{STAYS_HOME.label} requests may newly leave the company for '{name}'"
        yield _Class(kind="leaves", about=name, says=says, formula=formula)


def _reached(before: Reaching, after: Reaching) -> Iterator[_Class]:
    """Who may be called that was not, and the other way round."""
    for name in dict.fromkeys((*before.reached, *after.reached)):
        was, is_ = before.reached.get(name, False), after.reached.get(name, False)
        yield _Class(
            kind="reaches",
            about=name,
            says=f"requests may newly go to '{name}'",
            formula=both(is_, negated(was)),
        )
        yield _Class(
            kind="spared",
            about=name,
            says=f"requests no longer go to '{name}'",
            formula=both(was, negated(is_)),
        )


def _answered(before: Reaching, after: Reaching) -> Iterator[_Class]:
    yield _Class(
        kind="refused",
        about="",
        says="requests are newly refused",
        formula=both(before.served, negated(after.served)),
    )
    yield _Class(
        kind="served",
        about="",
        says="requests are served that were refused",
        formula=both(after.served, negated(before.served)),
    )


def _hidden(before: Reaching, after: Reaching) -> Iterator[_Class]:
    """Finding types that are newly masked, or no longer, in requests that are served."""
    for name in sorted(FINDING_TYPES):
        if name not in before.request.has:
            continue
        there = all_of((before.request.has[name], before.served, after.served))
        was, is_ = _masks(before, name), _masks(after, name)
        yield _Class(
            kind="unmasked",
            about=name,
            says=f"'{name}' is no longer masked",
            formula=all_of((there, was, negated(is_))),
        )
        yield _Class(
            kind="masked",
            about=name,
            says=f"'{name}' is newly masked",
            formula=all_of((there, is_, negated(was))),
        )


def _masks(reaching: Reaching, name: str) -> Formula:
    return any_of(applies for one, applies in reaching.applying if name in one.mask)


def _capped(before: Reaching, after: Reaching) -> Iterator[_Class]:
    """Output caps that are lower or higher than they were."""
    caps = {
        one.output_cap
        for reaching in (before, after)
        for one, _ in reaching.applying
        if one.output_cap is not None
    }
    served = both(before.served, after.served)
    for cap in sorted(caps):
        was, is_ = _cap_within(before, cap), _cap_within(after, cap)
        yield _Class(
            kind="capped",
            about=str(cap),
            says=f"answers are newly capped at {cap} tokens or fewer",
            formula=all_of((served, is_, negated(was))),
        )
        yield _Class(
            kind="capped",
            about=str(cap),
            says=f"answers are no longer capped at {cap} tokens or fewer",
            formula=all_of((served, was, negated(is_))),
        )


def _cap_within(reaching: Reaching, cap: int) -> Formula:
    return any_of(
        applies
        for one, applies in reaching.applying
        if one.output_cap is not None and one.output_cap <= cap
    )


def _constrained(before: Reaching, after: Reaching) -> Iterator[_Class]:
    """Constraints of the same id that apply to other requests than before."""
    was = {one.id: applies for one, applies in before.applying}
    for one, applies in after.applying:
        if one.id in was:
            yield _Class(
                kind="constraint",
                about=one.id,
                says=f"the constraint '{one.id}' applies to more requests",
                formula=both(applies, negated(was[one.id])),
            )
            yield _Class(
                kind="constraint",
                about=one.id,
                says=f"the constraint '{one.id}' applies to fewer requests",
                formula=both(was[one.id], negated(applies)),
            )


def _routed(before: Reaching, after: Reaching) -> Iterator[_Class]:
    """Requests that take a route with other deployments or another strategy."""
    served = both(before.served, after.served)
    for old in before.policy.routes:
        for new in after.policy.routes:
            if _alike(old, new):
                continue
            same = old.id == new.id
            yield _Class(
                kind="route",
                about=new.id,
                says=f"requests of the route '{old.id}' "
                + ("find it changed" if same else f"take '{new.id}'")
                + f": {_chooses(new)} instead of {_chooses(old)}",
                formula=all_of((served, before.taken[old.id], after.taken[new.id])),
            )


def _alike(old: Route, new: Route) -> bool:
    """Whether two routes choose alike, whatever they are called and whenever they are taken."""
    was, is_ = msgspec.structs.asdict(old), msgspec.structs.asdict(new)
    return all(was[name] == is_[name] for name in was.keys() - {"id", "because", "when"})


def _chooses(route: Route) -> str:
    names = ", ".join(route.deployments)
    told = f"[{names}]" if route.strategy == "ordered" else f"{route.strategy} of [{names}]"
    return told + "".join(f", {one}" for one in route.obligations())


#: Sections that are compared as they are written, by the words of the file.
_SECTIONS = {
    "aliases": "aliases",
    "rules": "sensitivity",
    "never": "never",
    "budgets": "budgets",
    "limits": "limits",
    "degradation": "degradation",
    "defaults": "defaults",
}


def _written(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """What is written otherwise, and decides at most through what was looked at above."""
    was, is_ = old["deployments"], new["deployments"]
    for name in dict.fromkeys((*was, *is_)):
        if name not in was or name not in is_:
            says = f"the deployment '{name}' is {'gone' if name in was else 'new'}"
            yield Change(kind="written", about=f"deployments.{name}", says=says)
            continue
        fields = dict.fromkeys((*was[name], *is_[name]))
        other = [one for one in fields if _other(was[name].get(one), is_[name].get(one))]
        if other:
            says = f"the deployment '{name}' has another {', '.join(other)}"
            yield Change(kind="written", about=f"deployments.{name}", says=says)
    for section, word in _SECTIONS.items():
        if _other(old[section], new[section]):
            says = f"the section '{word}' is written otherwise"
            yield Change(kind="written", about=word, says=says)


def _other(was: Any, is_: Any) -> bool:
    return canonical(was) != canonical(is_)
