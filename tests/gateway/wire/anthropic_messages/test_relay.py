"""Anthropic streams flow through untouched, cut anywhere; usage is read on the side."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.anthropic_messages.api import MessagesApi
from gateway.wire.anthropic_messages.relay import PassThrough, RelayReader
from gateway.wire.anthropic_messages.view import decode
from gateway.wire.sse import LARGEST_EVENT
from tests.upstreams import anthropic_messages as messages
from tests.upstreams.scripted import Received, Script, sse

REQUEST = decode(b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}')
TOOLS = (("toolu_1", "weather", '{"city":"Rome"}'), ("toolu_2", "now", "{}"))
READ_USAGE = Usage(
    input_tokens=135, cached_input_tokens=100, cache_write_tokens=30, output_tokens=2
)


def play(answering: Any) -> Script:
    received = Received("POST", "/", (), b'{"model": "claude-x"}', b"", 1, 0.0)
    script = answering(received)
    assert isinstance(script, Script)
    return script


PIECES = play(
    messages.stream(
        ['h\u00e9 \U0001f600 "type":"error" {"error":{}}', " there"],
        thinking=["hm"],
        tools=TOOLS,
        used=(5, 2, 100, 30),
    )
).pieces
RECORDED = b"".join(PIECES)
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def read(*chunks: bytes) -> tuple[bytes, RelayReader]:
    reader = RelayReader()
    out = b"".join(reader.feed(chunk) for chunk in chunks)
    return out + reader.finish(), reader


def test_a_recorded_stream_cut_at_every_byte_gives_the_same_bytes() -> None:
    """Chunk borders of the network mean nothing."""
    for cut in range(len(RECORDED) + 1):
        out, reader = read(RECORDED[:cut], RECORDED[cut:])

        assert out == RECORDED
        assert reader.usage == READ_USAGE
        assert reader.ended


@given(st.lists(st.integers(0, len(RECORDED)), max_size=12))
def test_any_chunking_gives_the_same_bytes(cuts: list[int]) -> None:
    """Property: many cuts at once, too."""
    borders = [0, *sorted(cuts), len(RECORDED)]

    assert read(*(RECORDED[a:b] for a, b in pairwise(borders)))[0] == RECORDED


@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_other_line_ends_pass_as_they_came(newline: bytes) -> None:
    """Cut at every byte, also inside a line end."""
    recorded = RECORDED.replace(b"\n", newline)
    for cut in range(0, len(recorded) + 1, 3):
        out, reader = read(recorded[:cut], recorded[cut:])

        assert out == recorded
        assert reader.usage == READ_USAGE


def test_nothing_reaches_the_client_before_there_is_content() -> None:
    """Start, pings and an opened block commit to nothing, so a fallback stays possible."""
    reader = RelayReader()
    held = b"".join(PIECES[:3])

    assert reader.feed(held) == b""
    assert not reader.has_content
    assert reader.feed(PIECES[3]) == held + PIECES[3]
    assert reader.has_content


def test_an_empty_answer_is_an_answer() -> None:
    """A model may stop without a word; nothing is left waiting."""
    pieces = b"".join(play(messages.stream("")).pieces)
    out, reader = read(pieces)

    assert out == pieces
    assert reader.ended
    assert reader.text_size == 0


ERRORS = [
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"b"}}\n\n',
    b'event: error\ndata: {"error":{"type":"overloaded_error","message":"b"}}\n\n',
]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_event_is_a_failure_and_after_content_never_free(error: bytes) -> None:
    """A 200 stream can still fail, before or after output; its words are not repeated."""
    before, early = read(PIECES[0], error)
    after, late = read(*PIECES[:5], error, *PIECES[5:])

    assert before == b""
    assert early.failure is not None
    assert early.failure.kind is FailureKind.OVERLOADED
    assert early.failure.free
    assert after == b"".join(PIECES[:5])
    assert late.failure is not None
    assert not late.failure.free
    assert not late.ended


@pytest.mark.parametrize("garbage", [b"data: {broken\n\n", b"data: 5\n\n", b"data: \xff\n\n"])
def test_an_event_that_is_no_json_object_is_a_failure(garbage: bytes) -> None:
    """Garbage is not passed on as an answer."""
    _, reader = read(garbage)

    assert reader.failure is not None
    assert reader.failure.kind is FailureKind.BAD_RESPONSE


def test_a_cut_stream_has_no_clean_end() -> None:
    """Before the stop reason the answer is not whole."""
    for count in range(len(PIECES) - 2):
        _, reader = read(*PIECES[:count], PIECES[count][:-3])

        assert not reader.ended


def test_a_forgotten_end_marker_is_added_once_the_model_stopped() -> None:
    """Also where the last event was cut."""
    for tail in (b"", PIECES[-1][:-5]):
        out, reader = read(*PIECES[:-1], tail)

        assert out == b"".join(PIECES[:-1]) + STOP
        assert reader.ended


def test_a_forgotten_blank_line_at_the_end_is_forgiven() -> None:
    """The last event is whole without it."""
    out, reader = read(RECORDED.rstrip(b"\n"))

    assert out == RECORDED
    assert reader.ended


def test_an_event_without_bound_is_refused() -> None:
    """A line that never ends does not fill the memory."""
    reader = RelayReader()
    for _ in range(LARGEST_EVENT // (1 << 20) + 1):
        reader.feed(b"x" * (1 << 20))

    assert reader.failure is not None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([{"input_tokens": 7, "output_tokens": 1}, {"output_tokens": 5}], (7, 5)),
        (
            [{"input_tokens": 7, "output_tokens": 1}, {"input_tokens": 8, "output_tokens": 5}],
            (8, 5),
        ),
        ([{"input_tokens": 0, "output_tokens": 0}, {"output_tokens": 5}], None),
        ([None, {"output_tokens": 5}], None),
        (["many", {"input_tokens": "x", "output_tokens": 5}], None),
    ],
    ids=["cumulative", "told again", "zero", "missing", "garbage"],
)
def test_usage_styles(told: list[Any], expected: tuple[int, int] | None) -> None:
    """Figures are totals: the later wins; zero, none and garbage are estimated instead."""
    start = {"type": "message_start", "message": {"model": "m", "usage": told[0]}}
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": told[1]}
    text = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "abcd"}}
    events = [(event["type"], event) for event in (start, text, delta)]
    _, reader = read(*sse(events))  # type: ignore[arg-type]

    usage = reader.usage
    assert (usage and (usage.input_tokens, usage.output_tokens)) == expected
    assert reader.text_size == 4


def test_whole_answers_pass_and_lies_are_found_out() -> None:
    """A body under 200 that is an error or no message is a failure."""
    bridge = MessagesApi().pass_through()
    body = b"".join(play(messages.answer("abc", tools=TOOLS, used=(5, 2, 100, 30))).pieces)
    whole = bridge.reply(REQUEST, body)
    error = bridge.reply(REQUEST, b"".join(messages.error(200, "overloaded_error").pieces))

    assert (whole.body, whole.usage, whole.failure) == (body, READ_USAGE, None)
    assert whole.text_size >= len('abc{"city":"Rome"}')
    assert error.failure is not None
    assert error.failure.kind is FailureKind.OVERLOADED
    for garbage in (b"", b"[]", b"<html>", json.dumps({"choices": []}).encode()):
        failure = PassThrough().reply(REQUEST, garbage).failure
        assert failure is not None
        assert failure.kind is FailureKind.BAD_RESPONSE


def test_the_estimate_of_a_long_answer_is_scaled_up() -> None:
    """Only the first megabyte is kept, yet the size counts it all."""
    text = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x" * 9_900}}
    (event,) = sse([("content_block_delta", text)])
    reader = RelayReader()
    for _ in range(300):
        reader.feed(event)

    assert 2_800_000 < reader.text_size < 3_100_000


def test_a_whole_answer_with_an_empty_text_is_passed_on() -> None:
    """An empty block is no fault, and takes no room in the text."""
    body = b'{"type":"message","content":[{"type":"text","text":""}],"stop_reason":"end_turn"}'
    reply = PassThrough().reply(REQUEST, body)

    assert reply.failure is None
    assert (reply.body, reply.text_size) == (body, 0)
