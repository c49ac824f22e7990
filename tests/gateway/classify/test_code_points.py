"""Places stay what they are, whatever the characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.code_points import code_points, lowered


@given(st.text())
def test_every_character_is_one_code_point(text: str) -> None:
    """Surrogates that stand alone included."""
    assert code_points(text).tolist() == [ord(character) for character in text]


@given(st.text())
def test_small_letters_stand_where_the_large_ones_stood(text: str) -> None:
    """No text becomes longer or shorter."""
    assert len(lowered(text)) == len(text)


@pytest.mark.parametrize(("text", "small"), [("ÄB", "äb"), ("İB", "İB"), ("\ud800A", "\ud800a")])
def test_what_would_grow_stays_as_it_is(text: str, small: str) -> None:
    """The small form of one Turkish letter is two characters."""
    assert lowered(text) == small
