"""What a policy sees of any request, as formulas: levels, costs, and conditions in three values.

Rules of this file:
- a condition becomes two formulas, that it holds and that it does not; where neither is so, it
  cannot be told, as in the engine;
- how a term answers is asked of the term itself, once for each region of its fact, so that the
  solver and the engine cannot disagree about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import msgspec

from gateway.core.findings import WEAK_TYPES, SensitivityRules
from gateway.core.money import MILLION
from gateway.core.prices import Price, possible_prices, worst_cost
from gateway.core.sensitivity import Sensitivity
from policies.checker.logic import (
    Choice,
    Formula,
    Logic,
    Number,
    all_of,
    any_of,
    both,
    either,
    negated,
)
from policies.checker.regions import fits, whole_regions
from policies.checker.space import MOST_TOKENS, Point, Space
from policies.compiled import CompiledPolicy, Matcher, Seen
from policies.model.conditions import Members, Tagged

#: The judgement without which a fact cannot be told.
_NEEDED_JUDGEMENT = {
    "difficulty": "difficulty",
    "reliability": "difficulty",
    "task": "task",
    "input_tokens": "tokens",
    "estimated_cost": "tokens",
}

#: A request of which nothing is said; terms are asked about it with one fact changed.
_BLANK = Seen(
    sensitivity=0,
    types=frozenset(),
    types_complete=True,
    difficulty=0.5,
    task="chat",
    needs=frozenset(),
    input_tokens=0,
    estimated_cost=0,
    budget_used=0.0,
    model="",
    org="",
    team="",
    app="",
    user="",
    tags={},
    now=0.0,
    stream=False,
    key="",
    api="chat",
    reliability=0.0,
    output_tokens=1,
)


class Told(msgspec.Struct, frozen=True):
    """A condition for any request: the formula that it holds, and the one that it does not."""

    yes: Formula
    no: Formula


class AnyRequest:
    """Any request of a space: everything about it is the solver's choice."""

    def __init__(self, logic: Logic, space: Space) -> None:
        self.logic, self.space = logic, space
        self.has = {name: logic.flag(f"finding {name}") for name in space.types}
        self.failed = {name: logic.flag(f"failed {name}") for name in space.failed}
        self.needs = {name: logic.flag(f"needs {name}") for name in space.needs}
        self.stream = logic.flag("stream")
        self.declared = Choice(logic, "declared", len(Sensitivity))
        self.chosen = {
            fact: Choice(logic, fact, len(held.values)) for fact, held in space.regions.items()
        }
        self.input_tokens = logic.whole("input_tokens", 0, MOST_TOKENS)
        self.counted = {
            name: logic.whole(f"tokens of {name}", 0, MOST_TOKENS) for name in space.families
        }
        self.output_tokens = logic.whole("output_tokens", 1, MOST_TOKENS)
        self.gives_cap = logic.flag("gives an output cap")

    def is_value(self, fact: str, wanted: Callable[[str | float], bool]) -> Formula:
        """That a fact of the space's regions has a value like this."""
        values = self.space.regions[fact].values
        return self.chosen[fact].among(place for place, value in enumerate(values) if wanted(value))

    def tokens_by(self, family: str) -> Number:
        """The tokens of the input as a family counts them."""
        return self.counted.get(family, self.input_tokens)

    def answer(self) -> Point:
        """The request of the solver's last answer."""
        logic = self.logic

        def held(flags: Mapping[str, Formula]) -> frozenset[str]:
            return frozenset(name for name, flag in flags.items() if logic.holds(flag))

        return Point(
            types=held(self.has),
            failed=held(self.failed),
            needs=held(self.needs),
            stream=logic.holds(self.stream),
            declared=Sensitivity(logic.place(self.declared)),
            places={fact: logic.place(choice) for fact, choice in self.chosen.items()},
            input_tokens=logic.number(self.input_tokens),
            counted={name: logic.number(tokens) for name, tokens in self.counted.items()},
            output_tokens=logic.number(self.output_tokens) if logic.holds(self.gives_cap) else None,
        )


class Sight:
    """What one policy sees of any request, as formulas."""

    def __init__(self, request: AnyRequest, policy: CompiledPolicy) -> None:
        self.request, self.policy = request, policy
        self.level = level_of(request, policy.rules)
        self._told: dict[int, tuple[Matcher, Told]] = {}

    def told(self, matcher: Matcher) -> Told:
        """A condition; the same matcher is asked only once."""
        known = self._told.get(id(matcher))
        if known is None:
            known = self._told[id(matcher)] = (matcher, self._tell(matcher))
        return known[1]

    def applies(self, matcher: Matcher) -> Formula:
        """That a condition holds or cannot be told."""
        return negated(self.told(matcher).no)

    def output_at_least(self, tokens: int) -> Formula:
        """That the longest answer that is asked for has this many tokens or more."""
        request = self.request
        usual = self.policy.defaults.max_output_tokens >= tokens
        own = both(request.gives_cap, request.output_tokens >= tokens)
        return either(own, both(negated(request.gives_cap), usual))

    def cost_at_least(self, nanousd: int) -> Formula:
        """That the request may cost this much or more at the dearest deployment."""
        return any_of(
            self._costs(one.price, self.request.tokens_by(one.tokenizer), nanousd)
            for one in self.policy.deployments.values()
        )

    def _costs(self, price: Price, tokens: Number, nanousd: int) -> Formula:
        """That `worst_cost` of a price is this much or more: so is one of its possible prices."""
        pieces = []
        for start in whole_regions((case.above for case in price.cases), 0):
            dearer = any_of(
                self._costs_flat(one, tokens, nanousd) for one in possible_prices(price, start)
            )
            # Prices for long inputs come beside the others: longer can only be dearer.
            pieces.append(both(tokens >= start, dearer))
        return any_of(pieces)

    def _costs_flat(self, price: Price, tokens: Number, nanousd: int) -> Formula:
        """The same for one price without cases, and without the division that rounds up."""
        left = nanousd - price.per_request
        if left <= 0:
            return True
        flat = msgspec.structs.replace(price, cases=(), per_request=0)
        reading, writing = worst_cost(flat, MILLION, 0), worst_cost(flat, 0, MILLION)
        request = self.request
        read = tokens * reading
        usual = self.policy.defaults.max_output_tokens * writing
        own = read + request.output_tokens * writing > (left - 1) * MILLION
        return either(
            both(request.gives_cap, own),
            both(negated(request.gives_cap), read + usual > (left - 1) * MILLION),
        )

    def _tell(self, matcher: Matcher) -> Told:
        if matcher.kind == "always":
            return Told(True, False)
        if matcher.kind == "term":
            return self._term(matcher)
        parts = [self.told(part) for part in matcher.parts]
        if matcher.kind == "all":
            return Told(all_of(one.yes for one in parts), any_of(one.no for one in parts))
        some = Told(any_of(one.yes for one in parts), all_of(one.no for one in parts))
        return some if matcher.kind == "any" else Told(some.no, some.yes)

    def _term(self, term: Matcher) -> Told:
        request = self.request
        match term.test:
            case Members() as members if term.fact == "findings":
                return _findings(members, request)
            case Members() as members:
                return _certain(_holds_members(members, request.needs))
            case Tagged(tags):
                return _certain(all_of(self._tag(name, words) for name, words in tags))
        if term.fact == "classifier_failed":
            return _certain(any_of(request.failed.values()))
        if term.fact == "stream":
            wanted = term.holds(msgspec.structs.replace(_BLANK, stream=True)) is True
            return _certain(request.stream if wanted else negated(request.stream))
        if term.fact == "time":
            moments = request.space.moments
            holding = [
                place for place, moment in enumerate(moments) if _ask(term, "now", moment.at)
            ]
            return _certain(request.chosen["time"].among(holding))
        return self._unless_failed(term, self._yes(term))

    def _yes(self, term: Matcher) -> Formula:
        """That a term of a fact with an order or a list of values holds, where it is known."""
        fact, space = term.fact, self.request.space
        if fact in space.regions:
            return self.request.is_value(fact, lambda value: _ask(term, fact, value))
        if fact == "sensitivity":
            return _stepwise(term, fact, range(len(Sensitivity)), self.level_at_least)
        if fact == "input_tokens":
            starts = whole_regions(space.input_cuts, 0)
            return _stepwise(term, fact, starts, lambda low: self.request.input_tokens >= low)
        if fact == "output_tokens":
            return _stepwise(term, fact, whole_regions(space.output_cuts, 1), self.output_at_least)
        if fact == "estimated_cost":
            return _stepwise(term, fact, whole_regions(space.costs, 0), self.cost_at_least)
        raise AssertionError(f"the checker does not know the fact '{fact}'")

    def level_at_least(self, level: int) -> Formula:
        """That the request is this sensitive or more."""
        return self.level[level]

    def _unless_failed(self, term: Matcher, yes: Formula) -> Told:
        judgement = _NEEDED_JUDGEMENT.get(term.fact)
        if judgement is None:
            return _certain(yes)
        known = negated(self.request.failed[judgement])
        return Told(both(known, yes), both(known, negated(yes)))

    def _tag(self, name: str, words: tuple[str, ...]) -> Formula:
        """That a tag is there with one of these values, or with any when none is asked for."""

        def wanted(value: str | float) -> bool:
            text = str(value)
            return bool(text) and (not words or any(fits(text, word) for word in words))

        return self.request.is_value(f"tag:{name}", wanted)


def level_of(
    request: AnyRequest, rules: SensitivityRules, hidden: Mapping[str, Formula] | None = None
) -> tuple[Formula, ...]:
    """For each level, that the request is at least so sensitive; the lowest is always so.

    This is `sensitivity_of` for all findings at once; what failed to be judged is restricted.
    `hidden` says by finding type that such findings are left out.
    """
    there = {
        name: both(has, negated((hidden or {}).get(name, False)))
        for name, has in request.has.items()
    }
    failed = any_of(request.failed.values())
    steps: list[Formula] = []
    for level in Sensitivity:
        raising = any_of(has for name, has in there.items() if _level(name, rules) >= level)
        known = either(request.declared.at_least(level), rules.default >= level)
        steps.append(any_of((failed, raising, known)))
    if rules.weak_pair is None:
        return tuple(steps)
    weak = [has for name, has in there.items() if _is_weak(name, rules)]
    two = any_of(both(one, other) for one, other in combinations(weak, 2))
    beside = both(any_of(weak), steps[Sensitivity.CONFIDENTIAL])
    paired = either(two, beside)
    return tuple(
        either(step, both(paired, rules.weak_pair >= level))
        for level, step in zip(Sensitivity, steps, strict=True)
    )


def _is_weak(name: str, rules: SensitivityRules) -> bool:
    return name in WEAK_TYPES and name not in rules.levels


def _level(name: str, rules: SensitivityRules) -> Sensitivity:
    """The level that one finding of a type gives by itself."""
    if _is_weak(name, rules):
        return Sensitivity.PUBLIC
    return rules.levels.get(name, Sensitivity.RESTRICTED)


def _findings(members: Members, request: AnyRequest) -> Told:
    """As the engine: with a failed detector, what was found counts and nothing else is sure."""
    complete = negated(request.failed["findings"])
    held = _holds_members(members, request.has)
    unwanted = any_of(request.has[name] for name in members.none)
    certain = False if members.none else held
    return Told(
        either(both(complete, held), both(negated(complete), certain)),
        either(both(complete, negated(held)), both(negated(complete), unwanted)),
    )


def _holds_members(members: Members, there: Mapping[str, Formula]) -> Formula:
    return all_of(
        (
            any_of(there.get(name, False) for name in members.any) if members.any else True,
            *(there.get(name, False) for name in members.all),
            *(negated(there.get(name, False)) for name in members.none),
        )
    )


def _stepwise(
    term: Matcher,
    fact: str,
    starts: range | tuple[int, ...],
    at_least: Callable[[int], Formula],
) -> Formula:
    """That a term holds of a number which lies in one of the regions that begin at `starts`."""
    pieces = []
    for place, start in enumerate(starts):
        if _ask(term, fact, start):
            end = at_least(starts[place + 1]) if place + 1 < len(starts) else False
            lowest = True if place == 0 else at_least(start)
            pieces.append(both(lowest, negated(end)))
    return any_of(pieces)


def _ask(term: Matcher, fact: str, value: object) -> bool:
    """How a term answers a blank request in which one fact has this value."""
    return term.holds(msgspec.structs.replace(_BLANK, **{fact: value})) is True


def _certain(yes: Formula) -> Told:
    return Told(yes, negated(yes))
