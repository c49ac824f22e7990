"""Turns conditions into functions of the seen facts, in three values: yes, no, cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gateway.core.money import NANO
from policies.compiled import Matcher, Seen, Truth
from policies.model.conditions import (
    Among,
    Condition,
    Group,
    Hours,
    Is,
    Members,
    Range,
    Tagged,
    Term,
    Words,
)

Holds = Callable[[Seen], Truth]


#: How seldom conditions on a fact hold, as a guess: lower is tried first.
_SELDOM_HOLDS: Mapping[str, int] = MappingProxyType(
    {"key": 0, "user": 0, "app": 0, "team": 0, "model": 0, "tags": 1, "findings": 1, "task": 1}
)


def _always(_seen: Seen) -> Truth:
    return True


#: The condition of a statement that has none.
ALWAYS = Matcher(kind="always", words="always", holds=_always)


def compile_condition(condition: Condition | None) -> Matcher:
    """The matcher of a condition; no condition at all always holds."""
    if condition is None:
        return ALWAYS
    if isinstance(condition, Term):
        return Matcher(
            kind="term",
            words=condition.text,
            holds=_term(condition),
            fact=condition.fact,
            test=condition.test,
        )
    parts = tuple(compile_condition(part) for part in condition.parts)
    words = {"all": "all of these", "any": "any of these", "not": "none of these"}
    return Matcher(
        kind=condition.kind,
        words=words[condition.kind],
        holds=_group(condition, parts),
        parts=parts,
    )


def facts_asked(condition: Condition | None) -> frozenset[str]:
    """The names of the facts that a condition looks at."""
    if condition is None:
        return frozenset()
    if isinstance(condition, Term):
        return frozenset((condition.fact,))
    return frozenset().union(*(facts_asked(part) for part in condition.parts))


def _group(group: Group, parts: tuple[Matcher, ...]) -> Holds:
    # The answer does not depend on the order; what seldom holds first saves the rest.
    seldom_first = sorted(parts, key=lambda part: _SELDOM_HOLDS.get(part.fact, 2))
    tests = tuple(part.holds for part in seldom_first)
    if group.kind == "all":
        return _all_of(tests)
    anything = _any_of(tests)
    if group.kind == "any":
        return anything

    def none_holds(seen: Seen) -> Truth:
        found = anything(seen)
        return None if found is None else not found

    return none_holds


def _all_of(tests: tuple[Holds, ...]) -> Holds:
    if not tests:
        return _always
    first, rest = tests[0], tests[1:]

    def every(seen: Seen) -> Truth:
        answer = first(seen)
        if answer is False:
            return False
        for test in rest:
            found = test(seen)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return every


def _any_of(tests: tuple[Holds, ...]) -> Holds:
    def some(seen: Seen) -> Truth:
        answer: Truth = False
        for test in tests:
            found = test(seen)
            if found:
                return True
            if found is None:
                answer = None
        return answer

    return some


def _term(term: Term) -> Holds:
    match term.test:
        case Range() as span:
            return _range(term.fact, span)
        case Among(numbers):
            return _among(term.fact, tuple(float(number) for number in numbers))
        case Words(words):
            return _words(term.fact, words)
        case Members() as members:
            return _findings(members) if term.fact == "findings" else _needs(members)
        case Tagged(tags):
            return _tagged(tags)
        case Hours() as hours:
            within = window(hours)
            return lambda seen: within(seen.now)
        case Is(wanted):
            return lambda seen: seen.stream is wanted


def _scale(fact: str) -> int:
    return NANO if fact == "estimated_cost" else 1


def _range(fact: str, span: Range) -> Holds:
    read = attrgetter(fact)
    scale = _scale(fact)
    low = None if span.low is None else float(span.low * scale)
    high = None if span.high is None else float(span.high * scale)
    if high is None and low is not None:
        return _above(read, low, span.low_included)
    if low is None and high is not None:
        return _below(read, high, span.high_included)
    if low is None or high is None:
        return _always
    above, below = _above(read, low, span.low_included), _below(read, high, span.high_included)

    def within(seen: Seen) -> Truth:
        return below(seen) if above(seen) else above(seen)

    return within


def _above(read: Callable[[Seen], float | None], low: float, included: bool) -> Holds:
    def at_least(seen: Seen) -> Truth:
        number = read(seen)
        return None if number is None else number >= low

    def more(seen: Seen) -> Truth:
        number = read(seen)
        return None if number is None else number > low

    return at_least if included else more


def _below(read: Callable[[Seen], float | None], high: float, included: bool) -> Holds:
    def at_most(seen: Seen) -> Truth:
        number = read(seen)
        return None if number is None else number <= high

    def less(seen: Seen) -> Truth:
        number = read(seen)
        return None if number is None else number < high

    return at_most if included else less


def _among(fact: str, numbers: tuple[float, ...]) -> Holds:
    read = attrgetter(fact)
    wanted = frozenset(number * _scale(fact) for number in numbers)

    def among(seen: Seen) -> Truth:
        number = read(seen)
        return None if number is None else number in wanted

    return among


def _words(fact: str, words: tuple[str, ...]) -> Holds:
    read = attrgetter(fact)
    whole = frozenset(word for word in words if not word.endswith("*"))
    begun = tuple(word[:-1] for word in words if word.endswith("*"))

    def named(seen: Seen) -> Truth:
        text = read(seen)
        return None if text is None else text in whole

    def begins(seen: Seen) -> Truth:
        text = read(seen)
        return None if text is None else text in whole or text.startswith(begun)

    return begins if begun else named


def _needs(members: Members) -> Holds:
    def needed(seen: Seen) -> Truth:
        return _in(members, seen.needs)

    return needed


def _in(members: Members, there: frozenset[str]) -> bool:
    if members.any and there.isdisjoint(members.any):
        return False
    return there.issuperset(members.all) and there.isdisjoint(members.none)


def _findings(members: Members) -> Holds:
    """A failed detector leaves open whether more would have been found: what was found counts,
    and what was not found cannot be told."""

    def found(seen: Seen) -> Truth:
        types = seen.types
        if seen.types_complete:
            return _in(members, types)
        if not types.isdisjoint(members.none):
            return False
        certain = (
            not members.none
            and types.issuperset(members.all)
            and not (members.any and types.isdisjoint(members.any))
        )
        return True if certain else None

    return found


def _tagged(tags: tuple[tuple[str, tuple[str, ...]], ...]) -> Holds:
    tests = tuple(_tag(name, values) for name, values in tags)
    # One tag is what most conditions ask for, and policies ask it often.
    return tests[0] if len(tests) == 1 else _all_of(tests)


def _tag(name: str, words: tuple[str, ...]) -> Holds:
    """Whether a tag is there with one of these words; without words, whether it is there."""
    whole = frozenset(word for word in words if not word.endswith("*"))
    begun = tuple(word[:-1] for word in words if word.endswith("*"))

    def there(seen: Seen) -> Truth:
        return name in seen.tags

    def one_of(seen: Seen) -> Truth:
        return seen.tags.get(name) in whole

    def begins(seen: Seen) -> Truth:
        text = seen.tags.get(name)
        return text is not None and (text in whole or text.startswith(begun))

    if not words:
        return there
    return begins if begun else one_of


def window(hours: Hours) -> Callable[[float], bool]:
    """A window of time as a function of the moment, in epoch seconds."""
    zone = ZoneInfo(hours.zone)
    start, end = hours.start, hours.end
    weekdays = frozenset(hours.weekdays)
    days = None if hours.days is None else frozenset(hours.days)
    first, last = hours.dates or ("", "")

    def on(day: datetime) -> bool:
        return (
            day.weekday() in weekdays
            and (days is None or day.day in days)
            and (not first or first <= day.date().isoformat() <= last)
        )

    def within(now: float) -> bool:
        local = datetime.fromtimestamp(now, zone)
        minute = local.hour * 60 + local.minute
        if start < end:
            return start <= minute < end and on(local)
        return (minute >= start and on(local)) or (minute < end and on(local - timedelta(days=1)))

    return within
