"""Anchors, and the two engines that find them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.engine import (
    Anchor,
    InvalidAnchor,
    measure,
    open_engine,
)

ANCHORS = [measure("ab"), measure(r"[0-9]{2}"), measure("aba"), Anchor("a+b{2,}", 0)]


def test_an_anchor_of_varying_length_is_refused():
    """An anchor must have one length, because engines report such places differently."""
    with pytest.raises(InvalidAnchor, match=r"1\.\.3"):
        measure("a{1,3}")


@settings(deadline=None)
@given(text=st.text(alphabet="aAbB01 ", max_size=40))
def test_engines_report_the_same_hits(text: str):
    """Overlapping hits, in any case, come out of both engines alike; a gate comes once."""
    one = open_engine("hyperscan", ANCHORS)
    two = open_engine("re2", ANCHORS)

    assert one.scan(text.encode()) == two.scan(text.encode())
