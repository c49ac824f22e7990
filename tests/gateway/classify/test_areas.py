"""Areas of a text are joined where they overlap or touch."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.areas import Area, Areas, joined

AREAS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda p: (p[0], sum(p))))


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ([], ()),
        ([(3, 5)], ((3, 5),)),
        ([(4, 6), (0, 2)], ((0, 2), (4, 6))),
        ([(0, 2), (2, 4)], ((0, 4),)),
        ([(0, 9), (2, 4), (8, 10)], ((0, 10),)),
    ],
)
def test_areas_are_joined(areas: list[Area], expected: Areas) -> None:
    """In order, whatever order they came in."""
    assert joined(areas) == expected


@given(AREAS)
def test_joining_keeps_every_place_and_adds_none(areas: list[Area]) -> None:
    """What is covered stays covered, and what lies between areas stays free."""
    whole = joined(areas)
    covered = {place for start, end in areas for place in range(start, end)}

    assert {place for start, end in whole for place in range(start, end)} == covered
    assert all(one[1] < other[0] for one, other in pairwise(whole))
