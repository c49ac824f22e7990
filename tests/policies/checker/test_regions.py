"""Regions of numbers and words: exact, few, and with a value in each."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.checker.regions import fits, fresh_word, number_regions, whole_regions, word_regions

cuts = st.lists(st.sampled_from((0.0, 0.1, 0.3, 0.5, 0.6, 1.0, 2.5)), max_size=4)


@pytest.mark.parametrize(
    ("marks", "high", "expected"),
    [
        ((), 1.0, (0.5,)),
        ((0.6,), 1.0, (0.5, 0.6, 0.8)),
        ((0.5,), 1.0, (0.0, 0.5, 0.8)),
        ((0.0, 1.0), 1.0, (0.0, 0.5, 1.0)),
        ((0.2, 0.8), inf, (0.0, 0.2, 0.5, 0.8, 1.8)),
        ((7.0,), 1.0, (0.5,)),
    ],
)
def test_numbers_are_cut_where_conditions_compare(
    marks: tuple[float, ...], high: float, expected: tuple[float, ...]
) -> None:
    """Each cut is a region, and so is each gap; the usual 0.5 stands for the one it lies in."""
    assert number_regions(marks, 0.0, high, 0.5) == expected


@given(marks=cuts, number=st.floats(0.0, 1.0))
def test_every_number_has_a_region_that_compares_alike(marks: list[float], number: float) -> None:
    """For any number there is a value on the same side of every cut."""

    def sides(one: float) -> list[tuple[bool, bool]]:
        return [(one < mark, one == mark) for mark in marks]

    values = number_regions(marks, 0.0, 1.0, 0.5)

    assert sides(number) in [sides(value) for value in values]
    assert 0.5 in values
    assert list(values) == sorted(set(values))


patterns = st.lists(st.sampled_from(("a", "ab", "a*", "ab*", "abc", "b*", "*")), max_size=4)


@given(words=patterns, text=st.text("abc", max_size=4))
def test_every_word_has_a_region_that_fits_alike(words: list[str], text: str) -> None:
    """For any text there is a word that fits the same patterns; no two words fit the same."""

    def fitted(one: str) -> frozenset[str]:
        return frozenset(word for word in words if fits(one, word))

    found = [fitted(word) for word in word_regions(words, "default", empty=True)]

    assert fitted(text) in found
    assert len(found) == len(set(found))


def test_a_fresh_word_dodges_what_is_asked() -> None:
    """It begins as wanted and fits no other pattern."""
    told = fresh_word("a", ("a*", "ao*", "aanother"))

    assert told.startswith("a")
    assert not fits(told, "ao*")
    assert told != "aanother"


def test_a_fresh_word_is_found_when_every_letter_is_asked_for() -> None:
    """There are more scripts than one."""
    every = tuple(f"x{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz")
    told = fresh_word("x", every)

    assert told.startswith("x")
    assert not any(fits(told, word) for word in every)


def test_whole_numbers_begin_new_regions_at_and_after_a_cut() -> None:
    """Comparisons may include the cut or not, so it is a region of its own."""
    assert whole_regions((0, 10, 11), 0) == (0, 1, 10, 11, 12)
    assert whole_regions((), 1) == (1,)
