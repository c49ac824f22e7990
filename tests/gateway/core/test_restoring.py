"""Hidden values are put back, however the text comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.restoring import Restoration, Restoring

VALUES = {"[EMAIL-KXQWZP]": "a@b.co", "[PERSON-BCDFGH]": "Ann", "[EMAIL-KXQWZZ]": "[EMAIL-KXQWZP]"}
_PIECES = st.lists(
    st.one_of(
        st.text("[]EMAILPRSON-KXQWZBCDFGH", max_size=4),
        st.sampled_from(sorted(VALUES)),
        st.sampled_from(["EMAIL-KXQWZP", "[EMAIL-", "P", "[PERSON-BCDFG"]),
    ),
    max_size=8,
)


@given(_PIECES, st.lists(st.integers(1, 7), min_size=1))
def test_a_text_in_pieces_is_restored_as_the_whole(pieces: list[str], sizes: list[int]) -> None:
    """Property: for any text and any way of cutting it."""
    text = "".join(pieces)
    restoration = Restoration(VALUES)
    restoring = Restoring(restoration)
    said, at, number = "", 0, 0
    while at < len(text):
        size = sizes[number % len(sizes)]
        said += restoring.feed(text[at : at + size])
        at, number = at + size, number + 1

    assert said + restoring.end() == restoration.whole(text)


@given(_PIECES)
def test_no_more_is_held_back_than_the_longest_placeholder(pieces: list[str]) -> None:
    """Property: what is not told yet could still become a placeholder."""
    restoration = Restoration(VALUES)
    for cut in range(len("".join(pieces))):
        restoring = Restoring(restoration)
        restoring.feed("".join(pieces)[:cut])
        assert len(restoring._held) < restoration.longest


def test_text_that_cannot_become_a_placeholder_is_told_at_once() -> None:
    restoring = Restoring(Restoration(VALUES))

    assert restoring.feed("Dear ") == "Dear "
    assert restoring.feed("[PER") == ""
    assert restoring.feed("haps]") == "[PERhaps]"


def test_what_is_put_back_is_not_looked_through_again() -> None:
    """A value that looks like a placeholder stays what it is."""
    assert Restoration(VALUES).whole("[EMAIL-KXQWZZ]") == "[EMAIL-KXQWZP]"


def test_without_values_every_text_stays() -> None:
    restoring = Restoring(Restoration({}))

    assert restoring.feed("[EMAIL-KXQWZP]") + restoring.end() == "[EMAIL-KXQWZP]"
