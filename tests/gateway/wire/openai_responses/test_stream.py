"""Answers of other wires as Responses events: the official types, OpenAI's order, one truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.core.conversation import (
    ArgumentsDelta,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallStarted,
    fold,
)
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.openai_responses.front import OpenAIResponsesFront
from gateway.wire.openai_responses.view import decode

FRONT = OpenAIResponsesFront()
ASKED = decode(b'{"model":"a","input":"x"}')
USAGE = Usage(input_tokens=9, cached_input_tokens=3, output_tokens=4, reasoning_tokens=1)
STRICT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def told(
    events: Sequence[Event], request: ChatRequest = ASKED, usage: Usage | None = USAGE
) -> list[dict[str, Any]]:
    writer = FRONT.writer(request, new_id="1", created=1_790_000_000)
    raw = b"".join(map(writer.write, events)) + writer.end(usage)
    payloads = []
    for block in raw.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        payload = json.loads(data.removeprefix("data: "))
        assert name == f"event: {payload['type']}"
        payloads.append(payload)
    return payloads


def whole(
    events: Sequence[Event], request: ChatRequest = ASKED, usage: Usage | None = USAGE
) -> dict[str, Any]:
    answer = msgspec.structs.replace(fold(events), usage=usage)
    body = FRONT.write(request, answer, new_id="1", created=1_790_000_000)
    decoded: dict[str, Any] = json.loads(body)
    return decoded


EVERYTHING: list[Event] = [
    Started("m"),
    ReasoningDelta("hm"),
    ReasoningDelta("m"),
    ReasoningSigned("c2ln"),
    TextDelta("Let "),
    TextDelta("me"),
    ToolCallStarted(0, "call_a", "f"),
    ArgumentsDelta(0, '{"a":'),
    ArgumentsDelta(0, "1}"),
    ToolCallStarted(1, "call_b", "g"),
    ArgumentsDelta(1, "{}"),
    Finished("tool_calls"),
]


def test_the_events_come_in_openais_order() -> None:
    """Each item is added, filled and done before the next begins; numbers count up from 0."""
    events = told(EVERYTHING)

    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [e["output_index"] for e in events if e["type"].endswith("item.added")] == [0, 1, 2, 3]


def test_every_event_is_of_the_official_types() -> None:
    """Strict validation: no coercion, no missing field, the right member of each union."""
    for event in told([*EVERYTHING, RefusalDelta("no")]):
        parsed = STRICT.validate_python(event, strict=True)

        assert parsed.type == event["type"]


def test_the_response_at_the_end_is_what_the_stream_said() -> None:
    """Items, ids, text, arguments, signature and usage."""
    events = told(EVERYTHING)
    response = events[-1]["response"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]

    assert response["output"] == done
    assert [item["type"] for item in done] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    assert done[0]["summary"] == [{"type": "summary_text", "text": "hmm"}]
    assert done[0]["encrypted_content"] == "fairlead-signature:c2ln"
    assert done[1]["content"][0]["text"] == "Let me"
    assert (done[2]["call_id"], done[2]["arguments"]) == ("call_a", '{"a":1}')
    assert response["status"] == "completed"
    assert response["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 13,
    }


def test_pieces_of_parallel_calls_in_turns_are_not_mixed_up() -> None:
    """Some servers interleave them; no argument is lost and none is told twice."""
    events = told(
        [
            ToolCallStarted(0, "a", "f"),
            ArgumentsDelta(0, '{"a"'),
            ToolCallStarted(1, "b", "g"),
            ArgumentsDelta(1, '{"b"'),
            ArgumentsDelta(0, ":1}"),
            ArgumentsDelta(1, ":2}"),
            Finished("tool_calls"),
        ]
    )
    output = events[-1]["response"]["output"]

    assert [item["arguments"] for item in output] == ['{"a":1}', '{"b":2}']
    for item in output:
        pieces = [e["delta"] for e in events if e.get("item_id") == item["id"] and "delta" in e]
        assert "".join(pieces) == item["arguments"]


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_an_answer_that_was_cut_says_why(
    reason: FinishReason, status: str, why: dict[str, str] | None
) -> None:
    """The last event, the response and its last item agree."""
    last = told([Started("m"), TextDelta("a"), Finished(reason)])[-1]

    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == last["response"]["output"][0]["status"] == status
    assert last["response"]["incomplete_details"] == why


def test_a_refusal_is_a_part_of_its_own() -> None:
    """Beside the words before it, in one message."""
    last = told([TextDelta("Well. "), RefusalDelta("No."), Finished("stop")])[-1]
    (item,) = last["response"]["output"]

    assert [part["type"] for part in item["content"]] == ["output_text", "refusal"]
    assert item["content"][1]["refusal"] == "No."


def test_an_empty_answer_is_an_empty_message() -> None:
    """As the API has it; clients index into the output."""
    response = told([Started("m"), Finished("stop")])[-1]["response"]

    assert response["output"][0]["content"][0]["text"] == ""
    assert whole([Started("m"), Finished("stop")]) == response


def test_what_was_asked_is_told_back() -> None:
    """The response object repeats the request, with the API's defaults for what it left out."""
    raw = {
        "model": "a",
        "input": "x",
        "instructions": "Be brief.",
        "metadata": {"k": "v"},
        "tools": [{"type": "function", "name": "f"}],
        "tool_choice": "required",
        "temperature": 0.5,
        "previous_response_id": "resp_0",
        "store": False,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
    }
    response = whole([Started("m"), TextDelta("a")], decode(json.dumps(raw).encode()))

    assert response["instructions"] == "Be brief."
    assert response["metadata"] == {"k": "v"}
    assert response["tools"][0] == {
        "type": "function",
        "name": "f",
        "description": None,
        "parameters": None,
        "strict": False,
    }
    assert (response["tool_choice"], response["temperature"]) == ("required", 0.5)
    assert (response["previous_response_id"], response["store"]) == ("resp_0", False)
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"]["format"]["strict"] is False
    assert (response["top_p"], response["truncation"]) == (1.0, "disabled")
    Response.model_validate(response, strict=True)


_PIECES = st.lists(st.text(max_size=6), max_size=4)


@given(
    reasoning=_PIECES,
    signature=st.text(max_size=4),
    text=_PIECES,
    refusal=_PIECES,
    calls=st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4), _PIECES), max_size=3),
    finish=st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
    usage=st.none() | st.just(USAGE),
)
def test_the_folded_stream_is_the_whole_response(
    reasoning: list[str],
    signature: str,
    text: list[str],
    refusal: list[str],
    calls: list[tuple[str, str, list[str]]],
    finish: FinishReason,
    usage: Usage | None,
) -> None:
    """Property: streamed or not, the client ends up with the same object, ids included."""
    events: list[Event] = [Started("m")]
    events += map(ReasoningDelta, reasoning)
    events += [ReasoningSigned(signature)] if signature else []
    events += map(TextDelta, text)
    events += map(RefusalDelta, refusal)
    for index, (call_id, name, pieces) in enumerate(calls):
        events.append(ToolCallStarted(index, call_id, name))
        events += [ArgumentsDelta(index, piece) for piece in pieces]
    events.append(Finished(finish))
    streamed = told(events, usage=usage)

    assert streamed[-1]["response"] == whole(events, usage=usage)
    deltas = [e["delta"] for e in streamed if e["type"] == "response.output_text.delta"]
    assert "".join(deltas) == "".join(text)
    Response.model_validate(streamed[-1]["response"], strict=True)
