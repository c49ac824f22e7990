"""Encoded passages."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.decoding import may_be_deflated


@given(st.binary(min_size=24, max_size=80))
def test_what_can_be_unpacked_is_never_turned_away(raw: bytes):
    """Whatever zlib reads passes the look at the first block."""
    try:
        zlib.decompressobj(-15).decompress(raw)
    except zlib.error:
        return

    assert may_be_deflated(raw)


@pytest.mark.parametrize("level", range(10))
@given(plain=st.binary(min_size=40, max_size=4000))
def test_what_was_packed_passes(level: int, plain: bytes):
    """At every level, stored blocks included."""
    packing = zlib.compressobj(level, wbits=-15)
    raw = packing.compress(plain) + packing.flush()

    assert may_be_deflated(raw + bytes(24))
