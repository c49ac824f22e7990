"""Streams flow through untouched, cut anywhere; usage is read on the side."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.openai_chat.relay import LARGEST_EVENT, PassThrough, RelayReader
from gateway.wire.openai_chat.view import decode

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 4,
    "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
READ_USAGE = Usage(input_tokens=9, cached_input_tokens=3, output_tokens=4, reasoning_tokens=1)


def event(**chunk: object) -> bytes:
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def delta(**fields: object) -> bytes:
    return event(id="c", choices=[{"index": 0, "delta": fields, "finish_reason": None}])


ROLE = delta(role="assistant", content="")
WORDS = delta(content='say "usage" and {"error": 1} ') + delta(content="héllo 😀")
STOP = event(id="c", choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
TOLD_USAGE = event(id="c", choices=[], usage=USAGE)
DONE = b"data: [DONE]\n\n"
RECORDED = ROLE + WORDS + STOP + TOLD_USAGE + DONE


def read(*chunks: bytes, strip: bool = True) -> tuple[bytes, RelayReader]:
    reader = RelayReader(strip_usage=strip)
    out = b"".join(reader.feed(chunk) for chunk in chunks)
    return out + reader.finish(), reader


def test_a_recorded_stream_cut_at_every_byte_gives_the_same_bytes() -> None:
    """Chunk borders of the network mean nothing."""
    expected = ROLE + WORDS + STOP + DONE
    for cut in range(len(RECORDED) + 1):
        out, reader = read(RECORDED[:cut], RECORDED[cut:])

        assert out == expected
        assert reader.usage == READ_USAGE
        assert reader.ended


@given(st.lists(st.integers(0, len(RECORDED)), max_size=12))
def test_any_chunking_gives_the_same_bytes(cuts: list[int]) -> None:
    """Property: many cuts at once, too."""
    borders = [0, *sorted(cuts), len(RECORDED)]
    chunks = [RECORDED[a:b] for a, b in pairwise(borders)]

    assert read(*chunks)[0] == ROLE + WORDS + STOP + DONE


def test_usage_that_the_client_asked_for_passes_through() -> None:
    """Only what we asked for ourselves is taken out."""
    assert read(RECORDED, strip=False)[0] == RECORDED


def test_null_usage_that_our_question_caused_is_taken_out() -> None:
    """OpenAI adds `usage: null` to every chunk once usage is asked for."""
    chunk = b'data: {"choices":[{"delta":{"content":"a"}}],"usage":null}\n\n'

    assert read(chunk, STOP, DONE)[0] == (
        b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n' + STOP + DONE
    )


def test_nothing_reaches_the_client_before_there_is_content() -> None:
    """A role without words commits to nothing, so a fallback stays possible."""
    reader = RelayReader(strip_usage=True)

    assert reader.feed(b": ping\n\n" + ROLE) == b""
    assert not reader.has_content
    assert reader.feed(WORDS) == b": ping\n\n" + ROLE + WORDS


def test_an_error_event_inside_the_stream_is_a_failure() -> None:
    """A 200 stream can still fail, with or without content before it."""
    _, reader = read(ROLE, event(error={"message": "boom", "code": "overloaded_error"}))

    assert reader.failure is not None
    assert reader.failure.kind is FailureKind.OVERLOADED
    assert "overloaded" in reader.failure.detail
    assert "boom" not in reader.failure.detail


def test_an_error_after_content_is_never_free() -> None:
    """Model output was paid for, so even a "rate limit" in mid-stream is booked."""
    reader = RelayReader(strip_usage=True)
    reader.feed(WORDS)
    reader.feed(event(error={"message": "slow down", "code": "rate_limit_exceeded"}))

    assert reader.failure is not None
    assert not reader.failure.free


@pytest.mark.parametrize("garbage", [b"data: {broken\n\n", b"data: 5\n\n", b"data: []\n\n"])
def test_an_event_that_is_no_chunk_is_a_failure(garbage: bytes) -> None:
    """Garbage is not passed on as an answer."""
    _, reader = read(garbage)

    assert reader.failure is not None


def test_a_stream_without_its_end_marker_gets_one_if_every_choice_finished() -> None:
    """Some servers forget `[DONE]`; clients wait for it."""
    out, reader = read(ROLE, WORDS, STOP)

    assert out.endswith(DONE)
    assert reader.ended


def test_a_cut_stream_does_not_end_cleanly() -> None:
    """No finish reason and no marker: it broke off, and nobody pretends otherwise."""
    out, reader = read(ROLE, WORDS, b'data: {"choices":[{"del')

    assert not reader.ended
    assert b"[DONE]" not in out


@pytest.mark.parametrize("usage", [{"prompt_tokens": 0, "completion_tokens": 0}, "many", None])
def test_missing_or_zero_usage_is_estimated_from_the_text(usage: object) -> None:
    """Figures that cannot be true count as missing; the text's size stands in."""
    _, reader = read(ROLE, WORDS, STOP, event(choices=[], usage=usage), DONE)

    assert reader.usage is None
    assert reader.text_size > 30


def test_usage_in_every_chunk_is_not_added_up() -> None:
    """The last figures are the total."""
    running = [
        event(choices=[{"delta": {"content": "a"}}], usage=USAGE | {"completion_tokens": n})
        for n in (1, 2, 4)
    ]
    _, reader = read(*running, STOP, DONE)

    assert reader.usage == READ_USAGE


def test_crlf_events_and_a_missing_last_blank_line_are_read() -> None:
    """Servers differ in line ends and in how they stop."""
    crlf = (ROLE + WORDS + STOP + TOLD_USAGE).replace(b"\n", b"\r\n") + b"data: [DONE]"
    out, reader = read(crlf)

    assert reader.ended
    assert reader.usage == READ_USAGE
    assert b"prompt_tokens" not in out


def test_an_event_without_end_is_given_up() -> None:
    """A server cannot fill the gateway's memory with one event."""
    reader = RelayReader(strip_usage=True)
    reader.feed(b"data: " + b"x" * LARGEST_EVENT)

    assert reader.failure is not None


def test_a_whole_answer_passes_as_it_came_and_its_usage_is_read() -> None:
    """Non-stream answers keep their bytes."""
    request = decode(b'{"model":"a","messages":[{"role":"user","content":"x"}]}')
    answer = {"id": "c", "choices": [{"message": {"content": "hello"}}], "usage": USAGE}
    raw = json.dumps(answer).encode()

    reply = PassThrough().reply(request, raw)

    assert reply.body is raw
    assert reply.usage == READ_USAGE


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"error": {"code": "boom"}}', b"{}", b'{"object": "list"}']
)
def test_a_200_that_is_no_answer_is_a_failure(body: bytes) -> None:
    """An error page or error body under a 200 status is not delivered as an answer."""
    request = decode(b'{"model":"a","messages":[{"role":"user","content":"x"}]}')

    assert PassThrough().reply(request, body).failure is not None
