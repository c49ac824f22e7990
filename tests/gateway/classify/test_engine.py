"""Anchors, and the two engines that find them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.engine import (
    Anchor,
    InvalidAnchor,
    compile_database,
    database_key,
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


def test_a_stored_database_spares_compiling():
    """The serialised database gives the same hits as compiling anew."""
    stored = open_engine("hyperscan", ANCHORS, compile_database(ANCHORS))

    assert stored.scan(b"xABA 12") == [(0, 3), (1, 7), (2, 4)]


@pytest.mark.parametrize("damaged", [b"", b"nonsense" * 40])
def test_a_damaged_database_is_compiled_anew(damaged: bytes):
    """A cache that cannot be read costs time and nothing else."""
    assert open_engine("hyperscan", ANCHORS, damaged).scan(b"ab") == [(0, 2)]


def test_the_key_changes_with_the_anchors():
    """A database is never reused for other patterns."""
    assert database_key(ANCHORS) != database_key(ANCHORS[:-1])
