"""Short strings are counted in one pass exactly as searching for each would count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.markers import Markers

MARKS = (b" or ", b'"a"', b'"bc"', b"day", b"__", b"    ", b"abab", b"EXCEPT", b"of the above")
#: Long enough that the text is not searched for each string.
ROOM = b"." * 400

pieces = st.sampled_from([*MARKS, *(mark[1:] for mark in MARKS), b" ", b"a", b'"', b"\xc3\xa9"])


@given(st.lists(pieces, max_size=30).map(b"".join), st.sampled_from([b"", ROOM]), st.booleans())
def test_counts_are_those_of_a_search(text: bytes, room: bytes, before: bool) -> None:
    """Whatever stands beside and within one another, in short texts and in longer ones."""
    whole = room + text if before else text + room

    assert Markers(MARKS).count(whole).tolist() == [whole.count(mark) for mark in MARKS]


def test_a_string_does_not_overlap_the_next() -> None:
    """The blank between two of them belongs to the first."""
    counts = Markers((b" or ",)).count(b" or or or " + ROOM)

    assert counts.tolist() == [2]


def test_what_is_cut_off_by_the_beginning_is_not_there() -> None:
    """Its last bytes alone, at the beginning of a text, are not it, even if its first end it."""
    counts = Markers((b"beginning",)).count(b"ning" + ROOM + b"begin")

    assert counts.tolist() == [0]


def test_strings_that_end_alike_cannot_be_told_apart() -> None:
    """Then it is better not to begin."""
    with pytest.raises(ValueError, match="last four bytes"):
        Markers((b"with", b"herewith"))
