"""Lines cut anywhere are put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.ndjson import LineParser
from gateway.wire.sse import EventTooLarge


@given(st.lists(st.binary(max_size=6), max_size=8))
def test_any_cut_gives_the_same_lines(chunks: list[bytes]) -> None:
    """Lines do not depend on how the network cut them."""
    parser = LineParser()
    lines = [line for chunk in chunks for line in parser.feed(chunk)] + parser.finish()

    assert lines == [line for line in b"".join(chunks).split(b"\n") if line.strip()]


@pytest.mark.parametrize("chunks", [[b"123456"], [b"123", b"456"], [b"1\n23456789\n"]])
def test_a_line_is_bounded(chunks: list[bytes]) -> None:
    """A line larger than the bound is refused, however it comes."""
    parser = LineParser(largest=5)

    *first, last = chunks
    for chunk in first:
        parser.feed(chunk)

    with pytest.raises(EventTooLarge):
        parser.feed(last)
