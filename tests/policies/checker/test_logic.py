"""The words around the solver."""

from __future__ import annotations

from itertools import product

import pytest

from policies.checker.logic import (
    Choice,
    Logic,
    all_of,
    any_of,
    both,
    differ,
    either,
    negated,
)


@pytest.mark.parametrize(("one", "other"), list(product((False, True), repeat=2)))
def test_plain_truths_are_simplified_away(one: bool, other: bool) -> None:
    """No solver is needed for them."""
    assert both(one, other) is (one and other)
    assert either(one, other) is (one or other)
    assert differ(one, other) is (one is not other)
    assert negated(one) is not one
    assert all_of(()) is True
    assert any_of(()) is False


def test_a_choice_takes_each_place_and_no_other() -> None:
    """Places are found one after the other; their end is a contradiction."""
    logic = Logic()
    choice = Choice(logic, "place", 4)
    found = set()
    while logic.possible(choice.among(set(range(4)) - found)):
        found.add(logic.place(choice))

    assert found == {0, 1, 2, 3}
    assert not logic.possible(choice.at_least(4))
    assert not logic.possible(both(choice.among((1, 3)), choice.among((0, 2))))


def test_a_choice_of_one_is_none() -> None:
    """It costs nothing."""
    choice = Choice(Logic(), "only", 1)

    assert choice.among((0,)) is True
    assert choice.at_least(1) is False


def test_what_is_supposed_is_forgotten_after_the_block() -> None:
    """And what is required stays."""
    logic = Logic()
    rain, wet = logic.flag("rain"), logic.flag("wet")
    logic.require(either(negated(rain), wet))
    with logic.supposing(rain):
        assert not logic.possible(negated(wet))

    assert logic.possible(negated(wet))
    assert not logic.holds(rain)


def test_whole_numbers_keep_their_bounds() -> None:
    """The answer has the number that the formula leaves."""
    logic = Logic()
    number = logic.whole("tokens", 3, 9)

    assert logic.possible(number >= 9)
    assert logic.number(number) == 9
    assert not logic.possible(number >= 10)
