"""Words beside a place."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.detectors import all_detectors
from gateway.classify.detectors.base import View, Words, near

WORDS = [
    value
    for detector in all_detectors()
    for value in vars(import_module(f"gateway.classify.detectors.{detector.name}")).values()
    if isinstance(value, Words)
]
PIECES = st.sampled_from(
    (
        *("id", "ids", "pan", "card", "ssn", "call", "called", "tel", "v", "ip", "vin", "order"),
        *("ss #", "tax payer id", "my id", "send", "build", "==", "lot", "tin", "office", "fin"),
        *(" ", "_", ".", ":", "\n", "4", "x", "'"),
    )
)
TEXTS = st.lists(PIECES, max_size=24).map("".join)


def plainly(lower: str, start: int, end: int, words: Words, before: int, after: int) -> bool:
    """What `near` says, by a search with `re`."""
    shape = re.compile(words.pattern)
    if shape.search(lower, max(0, start - before), start) is not None:
        return True
    return after > 0 and shape.search(lower, end, end + after) is not None


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.pattern[:24])
@settings(max_examples=60, deadline=None)
@given(
    text=TEXTS,
    start=st.integers(0, 60),
    size=st.integers(0, 9),
    before=st.integers(0, 60),
    after=st.integers(0, 30),
)
def test_near_says_what_a_search_says(
    words: Words, text: str, start: int, size: int, before: int, after: int
):
    """Also where the part that is looked at begins or ends inside a word."""
    start = min(start, len(text))
    end = min(start + size, len(text))

    seen = near(View(text, text), start, end, words, before, after)

    assert seen is plainly(text, start, end, words, before, after)


def test_all_words_are_tried():
    """There are such words in several detectors."""
    assert len(WORDS) > 10
