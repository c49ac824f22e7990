"""The solver, behind a few words: the only module that knows z3.

Formulas are z3's, or plain `True` and `False`, which are simplified away at once. Each `Logic` has
a context of its own, so that proofs in different threads do not meet.

    >>> logic = Logic()
    >>> rain, wet = logic.flag("rain"), logic.flag("wet")
    >>> logic.require(either(negated(rain), wet))
    >>> logic.possible(both(rain, negated(wet)))
    False
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import z3

#: A formula; z3 has no types of its own, so it is said here what is meant.
Formula = Any
#: A whole number that the solver chooses, or a sum of such.
Number = Any

#: How long the solver may think about one question before it gives up; milliseconds.
PATIENCE_MS = 20_000


class Undecided(Exception):
    """The solver gave up on a question within its patience."""


class Choice:
    """One of several places, `0 ..< count`, as the solver chooses.

    It is kept as the flags "at least place 1, 2, …", so that a range costs two of them.
    """

    def __init__(self, logic: Logic, name: str, count: int) -> None:
        self.count = count
        self._from = [True, *(logic.flag(f"{name}>={place}") for place in range(1, count)), False]
        for low, high in zip(self._from[1:-1], self._from[2:-1], strict=False):
            logic.require(either(low, negated(high)))

    def at_least(self, place: int) -> Formula:
        """That the chosen place is this one or a later one."""
        return self._from[min(max(place, 0), self.count)]

    def among(self, places: Iterable[int]) -> Formula:
        """That the chosen place is one of these."""
        return any_of(
            both(self._from[first], negated(self._from[last + 1])) for first, last in _runs(places)
        )


class Logic:
    """One solver with what it must respect, and the last answer it found."""

    def __init__(self) -> None:
        self._context = z3.Context()
        self._solver = z3.Solver(ctx=self._context)
        self._solver.set("timeout", PATIENCE_MS)
        self._model: Any = None

    def flag(self, name: str) -> Formula:
        """A truth that the solver chooses."""
        return z3.Bool(name, self._context)

    def whole(self, name: str, low: int, high: int) -> Number:
        """A whole number within bounds that the solver chooses."""
        number = z3.Int(name, self._context)
        self.require(both(number >= low, number <= high))
        return number

    def require(self, formula: Formula) -> None:
        """What every answer must respect from now on."""
        if formula is not True:
            self._solver.add(formula)

    @contextmanager
    def supposing(self, formula: Formula) -> Iterator[None]:
        """What answers must respect within the block only."""
        self._solver.push()
        try:
            self.require(formula)
            yield
        finally:
            self._solver.pop()

    def possible(self, formula: Formula) -> bool:
        """Whether everything that is required leaves room for this, too; keeps the answer.

        Raises:
            Undecided: the solver gave up.
        """
        if formula is False:
            return False
        self._solver.push()
        try:
            self.require(formula)
            answer = self._solver.check()
            if answer == z3.unknown:
                raise Undecided(self._solver.reason_unknown())
            if answer == z3.sat:
                self._model = self._solver.model()
            return bool(answer == z3.sat)
        finally:
            self._solver.pop()

    def holds(self, formula: Formula) -> bool:
        """Whether a formula holds in the last answer."""
        if isinstance(formula, bool):
            return formula
        return bool(z3.is_true(self._model.eval(formula, model_completion=True)))

    def number(self, number: Number) -> int:
        """The value of a number in the last answer."""
        return int(self._model.eval(number, model_completion=True).as_long())

    def place(self, choice: Choice) -> int:
        """The chosen place in the last answer."""
        return max(place for place in range(choice.count) if self.holds(choice.at_least(place)))


def all_of(formulas: Iterable[Formula]) -> Formula:
    """That all of these hold."""
    parts: list[Formula] = []
    for formula in formulas:
        if formula is False:
            return False
        if formula is not True:
            parts.append(formula)
    if len(parts) < 2:
        return parts[0] if parts else True
    return z3.And(parts)


def any_of(formulas: Iterable[Formula]) -> Formula:
    """That one of these holds."""
    parts: list[Formula] = []
    for formula in formulas:
        if formula is True:
            return True
        if formula is not False:
            parts.append(formula)
    if len(parts) < 2:
        return parts[0] if parts else False
    return z3.Or(parts)


def both(one: Formula, other: Formula) -> Formula:
    """That both hold."""
    return all_of((one, other))


def either(one: Formula, other: Formula) -> Formula:
    """That one of the two holds."""
    return any_of((one, other))


def negated(formula: Formula) -> Formula:
    """That it does not hold."""
    return not formula if isinstance(formula, bool) else z3.Not(formula)


def differ(one: Formula, other: Formula) -> Formula:
    """That exactly one of the two holds."""
    return either(both(one, negated(other)), both(negated(one), other))


def _runs(places: Iterable[int]) -> Sequence[tuple[int, int]]:
    """Neighbouring places as first and last."""
    runs: list[tuple[int, int]] = []
    for place in sorted(set(places)):
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs
