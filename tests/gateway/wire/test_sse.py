"""Server-sent events are put together again however the network cut them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.sse import EventBlocks, EventTooLarge, SseParser


def _parse(*chunks: bytes) -> list[tuple[str, bytes]]:
    parser = SseParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events + parser.finish()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\n\n", [("", b"a")]),
        (b"data:  a\n\n", [("", b" a")]),
        (b"event: ping\ndata: {}\n\n", [("ping", b"{}")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [("", b"a"), ("", b"b")]),
        (b"data: a\r\rdata: b\r\r", [("", b"a"), ("", b"b")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b": keep-alive\n\ndata: a\n\n", [("", b"a")]),
        (b"id: 7\nretry: 10\ndata: a\nodd\n\n", [("", b"a")]),
        (b"event: empty\n\ndata: a\n\n", [("", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"data\n\n", [("", b"")]),
        (b"data: forgotten blank line\n", [("", b"forgotten blank line")]),
        (b"data: nor any", [("", b"nor any")]),
        (b"", []),
    ],
)
def test_events_of_a_stream(stream: bytes, events: list[tuple[str, bytes]]) -> None:
    """Line ends, comments, several data lines and unknown fields are read as the standard says."""
    assert _parse(stream) == events


@given(
    events=st.lists(
        st.tuples(st.sampled_from(["", "delta"]), st.text("aé\u2028: ", max_size=8)), max_size=5
    ),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_cuts_do_not_matter(events: list[tuple[str, str]], newline: str, cuts: list[int]) -> None:
    """Whatever the cuts, the same events come out."""
    lines = [
        (f"event: {name}{newline}" if name else "") + f"data: {text}{newline}{newline}"
        for name, text in events
    ]
    stream = "".join(lines).encode()
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]

    assert _parse(*pieces) == [(name, text.encode()) for name, text in events]


@pytest.mark.parametrize("piece", [b"data: xxxxxxxx\n", b"xxxxxxxxxxxx"])
def test_event_above_the_bound_is_refused(piece: bytes) -> None:
    """An event that never ends does not fill the memory."""
    parser = SseParser(largest=100)

    for _ in range(8):
        parser.feed(piece)

    with pytest.raises(EventTooLarge):
        parser.feed(piece * 12)


def test_an_empty_chunk_changes_nothing() -> None:
    """A network that gives nothing between CR and LF does not make two lines of one."""
    parser = SseParser()
    events = [
        event for chunk in (b"data: a\r", b"", b"\ndata: b\r\n\r\n") for event in parser.feed(chunk)
    ]

    assert events == [("", b"a\nb")]


def test_a_large_event_is_searched_once() -> None:
    """Ten megabytes in one event, in many chunks, cost as much as their bytes and no more."""
    parser = SseParser()
    body = b"x" * (10 * 1024 * 1024)
    stream = b"data: " + body + b"\n\n"
    pieces = [stream[at : at + 4096] for at in range(0, len(stream), 4096)]

    assert [event for piece in pieces for event in parser.feed(piece)] == [("", body)]


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\n\n", b"\r\n\r\n", b"b\r\n"]), max_size=14))
def test_blocks_end_behind_an_event(chunks: list[bytes]) -> None:
    """Nothing is lost, what is given ends an event, and no whole event waits."""
    blocks = EventBlocks()
    given_out = [blocks.feed(chunk) for chunk in chunks]
    marks = (b"\n\n", b"\r\n\r\n", b"\r\r")

    assert b"".join(given_out) + blocks.tail() == b"".join(chunks)
    assert blocks.waiting == len(blocks.tail())
    assert all(block.endswith(marks) for block in given_out if block)
    assert not any(mark in blocks.tail() for mark in marks)
