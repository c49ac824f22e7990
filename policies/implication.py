"""Whether one condition holds whenever another does, or with it, as far as their words tell it.

Rules of this file:
- yes is certain; no only says that it does not follow part by part (`policies.checker` knows more,
  with a solver);
- a condition holds when it is true for certain: what cannot be told holds nowhere here.
"""

from __future__ import annotations

from policies.model.conditions import (
    Among,
    Condition,
    Group,
    Members,
    Range,
    Tagged,
    Term,
    Test,
    Words,
)


def implies(one: Condition | None, other: Condition | None) -> bool:
    """Whether `other` holds for certain where `one` does; None always holds."""
    if isinstance(other, Group) and other.kind == "all":
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, Group) and one.kind == "any":
        return all(implies(part, other) for part in one.parts)
    if other is None:
        return True
    if isinstance(one, Group) and one.kind == "all":
        return any(implies(part, other) for part in one.parts)
    if isinstance(other, Group) and other.kind == "any":
        return any(implies(one, part) for part in other.parts)
    if isinstance(one, Group) or isinstance(other, Group):
        return _none_of(one, other)
    return one is not None and one.fact == other.fact and within(one.test, other.test)


def _none_of(one: Condition | None, other: Condition) -> bool:
    """For two groups of what must not be: whatever the other excludes lies in what one excludes."""
    if not (isinstance(one, Group) and isinstance(other, Group)):
        return False
    return one.kind == other.kind == "not" and all(
        any(_excluded_with(part, wider) for wider in one.parts) for part in other.parts
    )


def _excluded_with(part: Condition, wider: Condition) -> bool:
    """Whether a part is certainly false where a wider one is: both ask the same of one fact."""
    if not (isinstance(part, Term) and isinstance(wider, Term) and part.fact == wider.fact):
        return False
    # What a failed detector left open is false for one question and open for another.
    same = part.test == wider.test
    return same if isinstance(part.test, Members) else within(part.test, wider.test)


def within(one: Test, other: Test) -> bool:
    """Whether all values that pass `one` pass `other`."""
    if one == other:
        return True
    match one, other:
        case Range(), Range():
            return _above(one, other) and _below(one, other)
        case Among(numbers), Range():
            spans = (Range(low=number, high=number) for number in numbers)
            return all(_above(span, other) and _below(span, other) for span in spans)
        case Among(numbers), Among(others):
            return set(numbers) <= set(others)
        case Words(words), Words(others):
            return _covered(words, others)
        case Members(), Members():
            return _members_within(one, other)
        case Tagged(tags), Tagged(others):
            there = dict(tags)
            return all(name in there and _tag(there[name], words) for name, words in others)
        case _:
            return False


def _above(one: Range, other: Range) -> bool:
    if other.low is None:
        return True
    if one.low is None:
        return False
    return one.low > other.low or (
        one.low == other.low and (other.low_included or not one.low_included)
    )


def _below(one: Range, other: Range) -> bool:
    if other.high is None:
        return True
    if one.high is None:
        return False
    return one.high < other.high or (
        one.high == other.high and (other.high_included or not one.high_included)
    )


def _covered(words: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether every word is among the others, or begins as one of them that ends in `*`."""
    begun = tuple(word[:-1] for word in others if word.endswith("*"))
    return all(word in others or word.removesuffix("*").startswith(begun) for word in words)


def _tag(words: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not others or (bool(words) and _covered(words, others))


def _members_within(one: Members, other: Members) -> bool:
    some = (
        not other.any
        or not set(one.all).isdisjoint(other.any)
        or (bool(one.any) and set(one.any) <= set(other.any))
    )
    return some and set(other.all) <= set(one.all) and set(other.none) <= set(one.none)


def overlap(one: Test, other: Test) -> bool:
    """Whether some value certainly passes both; told of numbers and words only."""
    match one, other:
        case Among(numbers), Range() | Among():
            return any(within(Among((number,)), other) for number in numbers)
        case Range(), Among():
            return overlap(other, one)
        case Range(), Range():
            return _reaches(one, other) and _reaches(other, one)
        case Words(words), Words(others):
            return any(
                _covered((word,), others) or _covered((another,), words)
                for word in words
                for another in others
            )
        case _:
            return False


def _reaches(one: Range, other: Range) -> bool:
    """Whether the upper end of one is not below the lower end of the other."""
    if one.high is None or other.low is None:
        return True
    return one.high > other.low or (
        one.high == other.low and one.high_included and other.low_included
    )
