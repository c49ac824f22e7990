"""Places in rewritten text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.offsets import rewrite


def test_a_replaced_piece_counts_as_a_whole():
    """A place inside a replacement is the whole of what was replaced."""
    text, offsets = rewrite("a&#64;b", [(1, 6, "@")])

    assert text == "a@b"
    assert offsets.span(1, 2) == (1, 6)
    assert offsets.span(0, 3) == (0, 7)


@given(text=st.text(alphabet="abcdef", min_size=1, max_size=30), cuts=st.sets(st.integers(0, 29)))
def test_copied_characters_lead_back_to_themselves(text: str, cuts: set[int]):
    """After any deletions, every character that stayed maps to where it was."""
    gone = [(place, place + 1, "") for place in sorted(cuts) if place < len(text)]
    new, offsets = rewrite(text, gone)

    kept = [place for place in range(len(text)) if place not in cuts]
    assert [offsets.span(place, place + 1) for place in range(len(new))] == [
        (place, place + 1) for place in kept
    ]
