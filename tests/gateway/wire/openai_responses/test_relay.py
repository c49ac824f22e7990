"""Streams flow through untouched, cut anywhere; usage is read on the side, the end is held."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.openai_responses.relay import PassThrough, RelayReader
from gateway.wire.openai_responses.view import decode

USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 13,
}
READ_USAGE = Usage(
    input_tokens=9,
    cached_input_tokens=3,
    cache_write_tokens=2,
    output_tokens=4,
    reasoning_tokens=1,
)
KEEPING = decode(b'{"model":"a","input":"x"}')
FORGETTING = decode(b'{"model":"a","input":"x","store":false}')
CONTINUING = decode(b'{"model":"a","input":"x","previous_response_id":"resp_0"}')


def event(kind: str, **fields: object) -> bytes:
    payload = json.dumps({"type": kind, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {payload}\n\n".encode()


def response(status: str, **fields: object) -> dict[str, object]:
    return {"id": "resp_1", "status": status, "output": [], "store": False, **fields}


CREATED = event("response.created", response=response("in_progress"))
ADDED = event("response.output_item.added", output_index=0, item={"type": "message", "id": "m"})
PART = event("response.content_part.added", output_index=0, part={"type": "output_text"})
WORDS = event("response.output_text.delta", delta='say "type":"error" ') + event(
    "response.output_text.delta", delta="héllo 😀"
)
COMPLETED = event("response.completed", response=response("completed", usage=USAGE))
RECORDED = CREATED + ADDED + PART + WORDS + COMPLETED


def read(*chunks: bytes, request: object = FORGETTING) -> tuple[bytes, RelayReader]:
    reader = PassThrough().stream(request)  # type: ignore[arg-type]
    assert isinstance(reader, RelayReader)
    out = b"".join(reader.feed(chunk) for chunk in chunks)
    return out + reader.finish(), reader


def test_a_recorded_stream_cut_at_every_byte_gives_the_same_bytes() -> None:
    """Chunk borders of the network mean nothing, and not a byte is changed."""
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


def test_nothing_reaches_the_client_before_there_is_content() -> None:
    """A response that was only begun commits to nothing, so a fallback stays possible."""
    reader = RelayReader({})

    assert reader.feed(CREATED + ADDED + PART) == b""
    assert not reader.has_content
    assert reader.feed(WORDS) == CREATED + ADDED + PART + WORDS


def test_the_last_event_waits_for_the_end() -> None:
    """A client that reads it may continue at once, so the turn must have been stored by then."""
    reader = RelayReader({})
    passed = reader.feed(CREATED + WORDS + COMPLETED)

    assert passed == CREATED + WORDS
    assert reader.ended
    assert reader.finish() == COMPLETED


def test_what_the_client_asked_of_the_gateway_is_told_back() -> None:
    """The backend was told to store nothing; the client still reads what it asked for."""
    out, _ = read(RECORDED, request=CONTINUING)
    told = [json.loads(line[6:]) for line in out.decode().split("\n") if line.startswith("data: ")]
    responses = [one["response"] for one in told if "response" in one]

    assert [(r["store"], r["previous_response_id"]) for r in responses] == [(True, "resp_0")] * 2
    assert WORDS in out


def test_a_call_is_content_from_its_name_on() -> None:
    """Clients act on it, so nothing may fall back any more."""
    reader = RelayReader({})
    begun = event("response.output_item.added", item={"type": "function_call", "name": "f"})

    assert reader.feed(begun) == begun


FAILED = event("response.failed", response=response("failed", error={"code": "server_error"}))
FLAT = event("error", code="rate_limit_exceeded", message="slow down", param=None)
NESTED = event("error", error={"type": "x", "code": "rate_limit_exceeded", "message": "boom"})


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (FAILED, FailureKind.SERVER_ERROR),
        (FLAT, FailureKind.RATE_LIMITED),
        (NESTED, FailureKind.RATE_LIMITED),
        (b'data: {"error":{"message":"boom","code":"overloaded"}}\n\n', FailureKind.OVERLOADED),
        (event("response.failed", response={"error": {"code": "invalid_prompt"}}), "rejected"),
    ],
)
def test_an_error_inside_the_stream_is_a_failure(told: bytes, kind: str) -> None:
    """However a server says it; its message goes into no log."""
    out, reader = read(CREATED, told)

    assert out == b""
    assert reader.failure is not None
    assert reader.failure.kind == kind
    assert "boom" not in reader.failure.detail


def test_an_error_after_content_is_never_free() -> None:
    """Model output was paid for, so even a "rate limit" in mid-stream is booked."""
    out, reader = read(WORDS, FLAT)

    assert out == WORDS
    assert reader.failure is not None
    assert not reader.failure.free


@pytest.mark.parametrize("garbage", [b"data: {broken\n\n", b"data: 5\n\n", b"data: {}\n\n"])
def test_an_event_that_is_none_is_a_failure(garbage: bytes) -> None:
    """Garbage is not passed on as an answer."""
    assert read(garbage)[1].failure is not None


def test_a_cut_stream_does_not_end_cleanly() -> None:
    """No last event: it broke off, and nobody pretends otherwise."""
    out, reader = read(CREATED, WORDS, COMPLETED[:-40])

    assert not reader.ended
    assert b"response.completed" not in out


@pytest.mark.parametrize("usage", [None, "many", {"input_tokens": 0, "output_tokens": 0}])
def test_missing_or_zero_usage_is_estimated_from_the_text(usage: object) -> None:
    """Figures that cannot be true count as missing; the text's size stands in."""
    end = event("response.completed", response=response("completed", usage=usage))
    _, reader = read(CREATED, WORDS, end)

    assert reader.usage is None
    assert reader.text_size > 25


def test_crlf_comments_and_a_missing_last_blank_line_are_read() -> None:
    """Servers differ in line ends and in how they stop."""
    raw = b": ping\r\n\r\n" + RECORDED.replace(b"\n", b"\r\n").removesuffix(b"\r\n\r\n")
    out, reader = read(raw)

    assert reader.ended
    assert reader.usage == READ_USAGE
    assert out.startswith(b": ping")


def test_a_done_marker_of_a_chat_server_does_no_harm() -> None:
    """Some servers end every stream the same way."""
    out, reader = read(RECORDED, b"data: [DONE]\n\n")

    assert out == RECORDED + b"data: [DONE]\n\n"
    assert reader.failure is None


def test_a_whole_answer_passes_as_it_came_and_its_usage_is_read() -> None:
    """Byte for byte, unless the client is to be told back what it asked of us."""
    words = [{"type": "message", "content": [{"type": "output_text", "text": "hello"}]}]
    raw = json.dumps(response("completed", output=words, usage=USAGE)).encode()
    plain, kept = PassThrough().reply(FORGETTING, raw), PassThrough().reply(KEEPING, raw)

    assert plain.body is raw
    assert (plain.usage, plain.text_size) == (READ_USAGE, 5)
    assert json.loads(kept.body) == json.loads(raw) | {"store": True}


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"error": {"code": "boom"}}',
        b'{"status": "failed", "output": [], "error": {"code": "server_error"}}',
        b'{"status": "queued", "output": []}',
    ],
)
def test_a_200_that_is_no_answer_is_a_failure(body: bytes) -> None:
    """An error page or a failed response under a 200 status is not delivered."""
    assert PassThrough().reply(FORGETTING, body).failure is not None


def test_a_status_that_is_no_word_is_not_looked_up() -> None:
    """A list is no status, and no reason to break off."""
    reply = PassThrough().reply(FORGETTING, json.dumps({"status": [], "output": []}).encode())

    assert reply.failure is None
