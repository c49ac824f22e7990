"""Text as detectors see it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.folding import Folding

FOLDING = Folding()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("４１１１", "4111"),
        ("٤١١١ ۴১", "4111 41"),
        ("𝟜𝟙 ④①", "41 41"),
        ("рassw\u043erd", "password"),
        ("G\u041225J\u041a\u041dY", "GB25JKHY"),
        ("4\u200d1\u20601\ufe0f1", "4111"),
        ("FÜR – é", "FUR - e"),
        ("\U000e0034\U000e0031", "41"),
        ("身份", "??"),
        ("a\u00a0b\u3000c", "a b c"),
    ],
)
def test_shows_what_a_reader_sees(text: str, seen: str):
    """Disguised characters become the ASCII characters that they look like."""
    assert FOLDING.view(text)[0].text == seen


@given(text=st.text())
def test_is_ascii_and_maps_back(text: str):
    """A view is ASCII, its lower case has the same length, and places lead back into the text."""
    view, offsets = FOLDING.view(text)

    assert view.text.isascii()
    assert len(view.lower) == len(view.text)
    if offsets is None:
        assert len(view.text) == len(text)
    for place in range(len(view.text)) if offsets is not None else ():
        start, end = offsets.span(place, place + 1)
        assert 0 <= start < end <= len(text)
