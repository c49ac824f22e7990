"""A backend's responses as events: whole, streamed, cut anywhere, and from servers with quirks."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Answer, Event, Failed, fold
from gateway.core.failure import FailureKind
from gateway.core.usage import Usage
from gateway.wire.openai_responses.decode import ResponseReader, read_response
from tests.upstreams import openai_responses as upstream
from tests.upstreams.scripted import Received

ASKED = Received("POST", "/v1/responses", (), b'{"model":"gpt"}', b"", 1, 0.0)
CALLS = (("call_a", "f", '{"a": 1}'), ("call_b", "g", "{}"))


def played(make: Any, *args: Any, **fields: Any) -> bytes:
    return b"".join(make(*args, **fields)(ASKED).pieces)


def streamed(*chunks: bytes) -> list[Event]:
    reader = ResponseReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + reader.finish()


RECORDED = played(upstream.stream, ["Héllo ", "😀"], tools=CALLS, reasoning="hm", used=(9, 4, 3))
WHOLE = played(upstream.answer, "Héllo 😀", tools=CALLS, reasoning="hm", used=(9, 4, 3))


def test_a_whole_response_is_read() -> None:
    """Model, words, reasoning, calls, usage and the reason."""
    answer = fold(read_response(WHOLE))

    assert (answer.model, answer.text, answer.reasoning) == ("gpt", "Héllo 😀", "hm")
    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == list(CALLS)
    assert answer.usage == Usage(input_tokens=9, cached_input_tokens=3, output_tokens=4)
    assert (answer.finish, answer.ended) == ("tool_calls", True)


def test_the_folded_stream_is_the_whole_response_at_every_cut() -> None:
    """Chunk borders mean nothing, not even inside a character."""
    expected = fold(read_response(WHOLE))
    for cut in range(len(RECORDED) + 1):
        assert fold(streamed(RECORDED[:cut], RECORDED[cut:])) == expected


@given(st.lists(st.integers(0, len(RECORDED)), max_size=12))
def test_any_chunking_gives_the_same_answer(cuts: list[int]) -> None:
    """Property: many cuts at once, too."""
    borders = [0, *sorted(cuts), len(RECORDED)]

    assert fold(streamed(*(RECORDED[a:b] for a, b in pairwise(borders)))) == fold(
        read_response(WHOLE)
    )


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


CALL = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
SAID = {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}
END = {"type": "response.completed", "response": {"output": [], "usage": None}}


def answered(*events: dict[str, Any]) -> Answer:
    return fold(streamed(sse(*events)))


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "response.output_item.done", "output_index": 0, "item": SAID}, END],
        [{"type": "response.completed", "response": {"output": [SAID]}}],
        [
            {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"},
            {"type": "response.output_item.done", "output_index": 0, "item": SAID},
            {"type": "response.completed", "response": {"output": [SAID]}},
        ],
    ],
)
def test_words_that_only_come_whole_are_not_lost(events: list[dict[str, Any]]) -> None:
    """Nor told twice, where a server sends them piecewise and whole."""
    assert answered(*events).text == "Hello"


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "response.output_item.done", "output_index": 1, "item": CALL}, END],
        [
            {"type": "response.output_item.added", "output_index": 1, "item": CALL},
            {
                "type": "response.function_call_arguments.done",
                "output_index": 1,
                "arguments": '{"a":1}',
            },
            END,
        ],
        [{"type": "response.completed", "response": {"output": [SAID, CALL]}}],
    ],
)
def test_calls_that_only_come_whole_are_not_lost(events: list[dict[str, Any]]) -> None:
    """Servers differ in how much they send piecewise."""
    answer = answered(*events)

    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("c", "f", '{"a":1}')]
    assert answer.finish == "tool_calls"


def test_a_call_without_arguments_gets_an_object() -> None:
    """Clients parse them."""
    bare = {**CALL, "arguments": ""}
    answer = answered({"type": "response.output_item.done", "output_index": 0, "item": bare}, END)

    assert answer.tool_calls[0].arguments == "{}"


def test_parts_of_reasoning_are_paragraphs() -> None:
    """Each summary part stands alone."""
    kind = "response.reasoning_summary_text.delta"
    answer = answered(
        {"type": kind, "output_index": 0, "summary_index": 0, "delta": "a"},
        {"type": kind, "output_index": 0, "summary_index": 0, "delta": "b"},
        {"type": kind, "output_index": 0, "summary_index": 1, "delta": "c"},
        END,
    )

    assert answer.reasoning == "ab\n\nc"


def test_a_refusal_is_told_apart() -> None:
    """It is no answer."""
    refused = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}

    assert answered({"type": "response.completed", "response": {"output": [refused]}}) == Answer(
        refusal="No.", finish="stop", ended=True
    )


@pytest.mark.parametrize(
    ("details", "finish"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        (None, "length"),
    ],
)
def test_incomplete_answers_say_why(details: object, finish: str) -> None:
    """Whole or streamed."""
    response = {"status": "incomplete", "incomplete_details": details, "output": [SAID]}

    assert answered({"type": "response.incomplete", "response": response}).finish == finish
    assert fold(read_response(json.dumps(response).encode())).finish == finish


@pytest.mark.parametrize("flat", [True, False])
def test_a_failure_inside_the_stream(flat: bool) -> None:
    """As `response.failed` or as a bare error event, after words or before."""
    told = played(upstream.failing_stream, code="rate_limit_exceeded", after=["Hi"], flat=flat)
    *_, last = streamed(told)

    assert isinstance(last, Failed)
    assert last.failure.kind is FailureKind.RATE_LIMITED
    assert "fell over" not in last.failure.detail


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"error":{"message":"x"}}', b'{"status":"failed","output":[]}'],
)
def test_a_200_that_is_no_response_is_a_failure(body: bytes) -> None:
    """It is not read as an empty answer."""
    assert fold(read_response(body)).failure is not None


def test_a_cut_stream_does_not_end() -> None:
    """Half an event is none."""
    assert not fold(streamed(RECORDED[:-30])).ended


def test_an_event_without_end_is_given_up() -> None:
    """A server cannot fill the gateway's memory with one event."""
    (told,) = ResponseReader().feed(b"data: " + b"x" * (17 * 1024 * 1024))

    assert isinstance(told, Failed)
