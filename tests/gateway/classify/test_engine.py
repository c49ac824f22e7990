"""Anchors, and the two engines that find them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.engine import (
    EDGE,
    Anchor,
    InvalidAnchor,
    measure,
    open_engine,
)

ANCHORS = [
    measure("ab"),
    measure(r"[0-9]{2}"),
    Anchor("a+b{2,}", 0),
    measure("aba"),
    measure(f"{EDGE}ab{EDGE}"),
    Anchor("b0", 0),
    measure(f"{EDGE}0{EDGE}"),
    measure(f"{EDGE}a-b{EDGE}"),
]


def test_an_anchor_of_varying_length_is_refused():
    """An anchor must have one length, because engines report such places differently."""
    with pytest.raises(InvalidAnchor, match=r"1\.\.3"):
        measure("a{1,3}")


@settings(deadline=None)
@given(text=st.text(alphabet="aAbB01 -_\n\x00\x7f", max_size=40))
def test_engines_report_the_same_hits(text: str):
    """Overlapping hits, in any case, come out of both engines alike; a gate comes once."""
    one = open_engine("hyperscan", ANCHORS)
    two = open_engine("re2", ANCHORS)

    assert one.hits(text.encode()) == two.hits(text.encode())
    assert one.gates(text.encode()) == two.gates(text.encode())
