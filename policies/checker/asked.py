"""What some policies ask about requests: every word, number and window in their conditions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import floor

from gateway.core.money import NANO
from policies.compiled import CompiledPolicy, Constraint, Matcher
from policies.model.conditions import Among, Hours, Is, Members, Range, Tagged, Words


class Asked:
    """Collects what conditions and budgets compare with, by fact."""

    def __init__(self) -> None:
        self.words: dict[str, list[str]] = {}
        self.numbers: dict[str, set[float]] = {}
        self.members: dict[str, set[str]] = {}
        self.tags: dict[str, list[str]] = {}
        self.windows: list[Hours] = []

    def note(self, policy: CompiledPolicy) -> None:
        """Collect from everything in a policy that looks at a request."""
        for matcher in conditions_of(policy):
            for term in terms_of(matcher):
                self._term(term)
        for budget in policy.budgets:
            kind, _, name = budget.scope.partition("/")
            self.words.setdefault(kind, []).extend(() if name == "*" else (name,))
        for constraint in policy.constraints:
            self.members.setdefault("findings", set()).update(constraint.mask)

    def cuts(self, fact: str) -> frozenset[int]:
        """The whole numbers at which comparisons of a fact that is one turn."""
        found: set[int] = set()
        for number in self.numbers.get(fact, ()):
            below = floor(number)
            found |= {below} if below == number else {below, below + 1}
        return frozenset(found)

    def _term(self, term: Matcher) -> None:
        match term.test:
            case Range(low, _, high, _):
                self._number(term.fact, *(one for one in (low, high) if one is not None))
            case Among(numbers):
                self._number(term.fact, *numbers)
            case Words(words):
                self.words.setdefault(term.fact, []).extend(words)
            case Members() as members:
                named = {*members.any, *members.all, *members.none}
                self.members.setdefault(term.fact, set()).update(named)
            case Tagged(tags):
                for name, words in tags:
                    self.tags.setdefault(name, []).extend(words)
            case Hours() as hours:
                if hours not in self.windows:
                    self.windows.append(hours)
            case Is() | None:
                pass

    def _number(self, fact: str, *numbers: Decimal) -> None:
        # As conditions compare it: dollars became nano-dollars.
        scale = NANO if fact == "estimated_cost" else 1
        self.numbers.setdefault(fact, set()).update(float(number * scale) for number in numbers)


def conditions_of(policy: CompiledPolicy) -> Iterator[Matcher]:
    """Every condition of a policy."""
    for constraint in constraints_of(policy):
        yield constraint.when
    for invariant in policy.invariants:
        yield invariant.when
    for route in policy.routes:
        yield route.when
    if policy.second_stage is not None:
        yield policy.second_stage.when


def constraints_of(policy: CompiledPolicy) -> tuple[Constraint, ...]:
    """Everything that narrows as a constraint does: the file's own, and what failures bring."""
    return (*policy.constraints, *policy.safeguards)


def terms_of(matcher: Matcher) -> Iterator[Matcher]:
    """The terms of a condition."""
    if matcher.kind == "term":
        yield matcher
    for part in matcher.parts:
        yield from terms_of(part)
