"""Answers of other wires as Anthropic messages: whole, streamed, and both the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.core.conversation import (
    ArgumentsDelta,
    Ended,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallStarted,
    UsageTold,
    fold,
)
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.anthropic_messages.answer import encode_usage
from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.anthropic_messages.decode import MessageReader, read_message
from gateway.wire.anthropic_messages.front import AnthropicMessagesFront
from gateway.wire.anthropic_messages.view import decode
from gateway.wire.ollama_chat.back import OllamaChatBack
from gateway.wire.openai_chat.back import OpenAIChatBack
from gateway.wire.openai_responses.back import OpenAIResponsesBack
from gateway.wire.sse import SseParser
from gateway.wire.translate import BackCodec, TranslatingBridge
from tests.upstreams import anthropic_messages, ollama, openai_chat, openai_responses
from tests.upstreams.scripted import Received, Script

EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
FRONT = AnthropicMessagesFront()
USAGE = Usage(
    input_tokens=100, cached_input_tokens=60, cache_write_tokens=10, output_tokens=9,
    reasoning_tokens=4,
)  # fmt: skip


def request(**more: Any) -> ChatRequest:
    fields = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    return decode(json.dumps(fields | more).encode())


PLAIN = request()
THINKS = request(thinking={"type": "adaptive"})
SILENT = request(thinking={"type": "adaptive", "display": "omitted"})
SCHEMA = request(output_config={"format": {"type": "json_schema", "schema": {}}})


def whole(asked: ChatRequest, events: Sequence[Event]) -> dict[str, Any]:
    written = FRONT.write(asked, fold(events), new_id="1", created=0)
    Message.model_validate_json(written, strict=True)
    found: dict[str, Any] = json.loads(written)
    return found


def streamed(asked: ChatRequest, events: Sequence[Event]) -> bytes:
    writer = FRONT.writer(asked, new_id="1", created=0)
    return b"".join(map(writer.write, events)) + writer.end(fold(events).usage)


def told(stream: bytes) -> list[dict[str, Any]]:
    parser = SseParser()
    events = [(name, json.loads(data)) for name, data in parser.feed(stream)]
    assert not parser.finish()
    assert all(name == event["type"] for name, event in events)
    return [event for _, event in events]


def folded(stream: bytes) -> dict[str, Any]:
    """What the official SDK makes of a stream."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in told(stream):
        validated = EVENT.validate_python(event)
        snapshot = accumulate_event(event=validated, current_snapshot=snapshot, json_bufs=buffers)
    found: dict[str, Any] = snapshot.to_dict()
    return found


def in_order(stream: bytes) -> None:
    """The grammar of the wire: blocks one after the other, numbered from 0, inside one message."""
    events = told(stream)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    opened, expected = None, 0
    for event in events[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert opened is None
                assert event["index"] == expected
                opened, expected = expected, expected + 1
            case "content_block_delta":
                assert event["index"] == opened
            case "content_block_stop":
                assert event["index"] == opened
                opened = None
            case _:
                raise AssertionError(event["type"])
    assert opened is None


def answer(*middle: Event, reason: FinishReason = "stop", stop: str = "") -> list[Event]:
    return [Started("x-1"), *middle, Finished(reason, stop), UsageTold(USAGE), Ended()]


def call(index: int, *arguments: str, name: str = "f") -> list[Event]:
    pieces = [ArgumentsDelta(index, piece) for piece in arguments]
    return [ToolCallStarted(index, f"call_{index}", name), *pieces]


def test_the_exact_events_of_a_full_answer() -> None:
    """Thinking with its signature, text and two calls, each event with its index and fields."""
    events = answer(
        ReasoningDelta("hm"),
        ReasoningSigned("c2ln"),
        TextDelta("Let "),
        TextDelta("me."),
        *call(0, '{"a":', "1}"),
        *call(1, "{}", name="g"),
        reason="tool_calls",
    )
    usage = {
        "input_tokens": 30,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 60,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    start, *rest = told(streamed(THINKS, events))

    assert start["message"] == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "x-1",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start["message"]["usage"],
    }

    def block(index: int, first: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"type": "content_block_start", "index": index, "content_block": first},
            *({"type": "content_block_delta", "index": index, "delta": d} for d in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    assert rest == [
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        *block(
            1,
            {"type": "text", "text": ""},
            {"type": "text_delta", "text": "Let "},
            {"type": "text_delta", "text": "me."},
        ),
        *block(
            2,
            {"type": "tool_use", "id": "call_0", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"a":'},
            {"type": "input_json_delta", "partial_json": "1}"},
        ),
        *block(
            3,
            {"type": "tool_use", "id": "call_1", "name": "g", "input": {}},
            {"type": "input_json_delta", "partial_json": "{}"},
        ),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None},
            "usage": usage,
        },
        {"type": "message_stop"},
    ]


TEXTS = st.text(max_size=6)
OBJECTS = st.dictionaries(TEXTS, st.integers() | TEXTS | st.lists(TEXTS, max_size=2), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """An answer as servers give it: reasoning, then text, then calls, each in pieces."""
    events: list[Event] = [ReasoningDelta(text) for text in draw(st.lists(TEXTS, max_size=3))]
    if draw(st.booleans()):
        events.append(ReasoningSigned("c2ln"))
    events += [TextDelta(text) for text in draw(st.lists(TEXTS, max_size=3))]
    events += [RefusalDelta(text) for text in draw(st.lists(TEXTS, max_size=2))]
    for index, given_ in enumerate(draw(st.lists(OBJECTS, max_size=3))):
        arguments = json.dumps(given_, ensure_ascii=draw(st.booleans()))
        cut = draw(st.integers(0, len(arguments)))
        events += call(index, arguments[:cut], arguments[cut:])
    reason = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]))
    return answer(*events, reason=reason, stop=draw(st.sampled_from(["", "END"])))


@given(events=answers(), asked=st.sampled_from([PLAIN, THINKS, SILENT, SCHEMA]))
def test_the_folded_stream_is_the_whole_answer(events: list[Event], asked: ChatRequest) -> None:
    """Property: what the SDK makes of the stream is the message that would have come at once."""
    stream = streamed(asked, events)
    in_order(stream)

    assert folded(stream) == whole(asked, events)


BACKS: dict[str, tuple[BackCodec, Any]] = {
    "anthropic_messages": (AnthropicMessagesBack(), anthropic_messages),
    "openai_chat": (OpenAIChatBack(), openai_chat),
    "openai_responses": (OpenAIResponsesBack(), openai_responses),
    "ollama_chat": (OllamaChatBack(), ollama),
}
TOOLS = (("toolu_1", "weather", '{"city":"R\u00f6me"}'), ("toolu_2", "now", "{}"))
CASES: list[dict[str, Any]] = [
    {"text": "H\u00e9llo \U0001f600 there"},
    {"text": ""},
    {"text": "Look:", "tools": TOOLS},
    {"text": "", "tools": TOOLS[:1]},
]


def play(answering: Any) -> bytes:
    script = answering(Received("POST", "/", (), b'{"model": "x-1"}', b"", 1, 0.0))
    assert isinstance(script, Script)
    return b"".join(script.pieces)


@pytest.mark.parametrize("wire", sorted(BACKS))
@pytest.mark.parametrize("case", CASES, ids=["text", "empty", "text and tools", "tools"])
def test_backs_stream_what_they_answer_whole(wire: str, case: dict[str, Any]) -> None:
    """For each back wire, cut at every byte: the same bytes, which fold to the whole answer."""
    back, upstream = BACKS[wire]
    bridge = TranslatingBridge(FRONT, back, new_id="1", created=0)
    more = {"usage_style": "always"} if wire == "openai_chat" else {}
    recorded = play(upstream.stream(**case, **more))
    body = play(upstream.answer(**case))

    def relayed(*chunks: bytes) -> bytes:
        reader = bridge.stream(PLAIN)
        passed = b"".join(map(reader.feed, chunks)) + reader.finish()
        assert reader.ended
        return passed

    expected = relayed(recorded)
    in_order(expected)
    for cut in range(len(recorded)):
        assert relayed(recorded[:cut], recorded[cut:]) == expected
    assert folded(expected) == json.loads(bridge.reply(PLAIN, body).body)


@given(answers())
def test_our_own_back_reads_what_our_front_writes(events: list[Event]) -> None:
    """Property: a message and its stream, read again, are the answer that was written."""
    kept = [event for event in events if not isinstance(event, RefusalDelta)]
    message = FRONT.write(THINKS, fold(kept), new_id="1", created=0)
    reader = MessageReader()
    again = fold([*reader.feed(streamed(THINKS, kept)), *reader.finish()])
    at_once = fold(read_message(message))

    assert again.text == at_once.text == fold(kept).text
    assert again.usage == at_once.usage == USAGE
    assert again.finish == at_once.finish
    assert [(c.id, json.loads(c.arguments)) for c in again.tool_calls] == [
        (c.id, json.loads(c.arguments)) for c in fold(kept).tool_calls
    ]


@pytest.mark.parametrize(
    ("reason", "stop", "calls", "expected"),
    [
        ("stop", "", [], ("end_turn", None)),
        ("stop", "END", [], ("stop_sequence", "END")),
        ("length", "", [], ("max_tokens", None)),
        ("tool_calls", "", call(0, "{}"), ("tool_use", None)),
        ("stop", "", call(0, "{}"), ("tool_use", None)),
        ("length", "", call(0, "{}"), ("max_tokens", None)),
        ("tool_calls", "", [], ("end_turn", None)),
        ("content_filter", "", [], ("refusal", None)),
    ],
)
def test_stop_reasons(
    reason: FinishReason, stop: str, calls: list[Event], expected: tuple[str, str | None]
) -> None:
    """Servers differ in what they say after a call; clients rely on `tool_use`."""
    events = answer(TextDelta("a"), *calls, reason=reason, stop=stop)
    found = whole(PLAIN, events)

    assert (found["stop_reason"], found["stop_sequence"]) == expected


def test_reasoning_is_shown_to_those_who_asked_for_thinking() -> None:
    """Others find the text first, as their code expects."""
    events = answer(ReasoningDelta("hm"), TextDelta("4"))
    text = {"type": "text", "text": "4"}
    thought = {"type": "thinking", "thinking": "hm", "signature": ""}

    assert whole(PLAIN, events)["content"] == [text]
    assert whole(request(thinking={"type": "disabled"}), events)["content"] == [text]
    assert whole(THINKS, events)["content"] == [thought, text]
    assert whole(SILENT, events)["content"] == [text]


def test_a_signature_comes_without_the_words_that_were_not_wanted() -> None:
    """Hidden thinking still carries what the next turn must send back."""
    events = answer(ReasoningDelta("hm"), ReasoningSigned("c2ln"), TextDelta("4"))

    assert whole(SILENT, events)["content"][0] == {
        "type": "thinking",
        "thinking": "",
        "signature": "c2ln",
    }


def test_a_refusal_is_told_in_words_and_as_the_reason() -> None:
    """Text for readers; for callers that parse JSON only the explanation."""
    events = answer(RefusalDelta("I can"), RefusalDelta("not."))
    prose, schema = whole(PLAIN, events), whole(SCHEMA, events)

    assert prose["content"] == [{"type": "text", "text": "I cannot."}]
    assert schema["content"] == []
    assert prose["stop_reason"] == schema["stop_reason"] == "refusal"
    assert prose["stop_details"] == {
        "type": "refusal",
        "category": None,
        "explanation": "I cannot.",
    }


@pytest.mark.parametrize("broken", ['{"city": "Par', "nonsense", "[1]", '"text"'])
def test_broken_arguments_are_wrapped_as_the_vendor_says(broken: str) -> None:
    """The wire takes objects only; what the model wrote is kept."""
    (block,) = whole(PLAIN, answer(*call(0, broken)))["content"]

    assert block["input"] == {"INVALID_JSON": broken}


def test_arguments_keep_the_models_own_spelling() -> None:
    """Numbers that a double cannot hold come through."""
    events = answer(*call(0, '{"n": 12345678901234567890.5, "e": 1e400}'))
    written = FRONT.write(PLAIN, fold(events), new_id="1", created=0)

    assert b'"input":{"n": 12345678901234567890.5, "e": 1e400}' in written


def test_calls_get_ids_that_the_vendor_would_take_back() -> None:
    """Odd letters are replaced, and a missing id is made, the same whole and streamed."""
    events = answer(ToolCallStarted(0, "call:1/a", "f"), ToolCallStarted(1, "", "g"))
    ids = [block["id"] for block in whole(PLAIN, events)["content"]]

    assert ids == ["call_1_a", "toolu_1_1"]
    assert [block["id"] for block in folded(streamed(PLAIN, events))["content"]] == ids


def test_missing_usage_is_estimated() -> None:
    """The wire demands figures: about a token for four bytes."""
    events = [Started("x"), TextDelta("x" * 40), Finished("stop"), Ended()]
    usage = whole(request(system="y" * 400), events)["usage"]

    assert usage["output_tokens"] == 10
    assert 100 <= usage["input_tokens"] <= 110
    assert folded(streamed(PLAIN, events))["usage"] == whole(PLAIN, events)["usage"]


def test_usage_never_goes_below_zero() -> None:
    """A server whose cached tokens exceed its input is not believed that far."""
    odd = msgspec.structs.replace(USAGE, input_tokens=50)

    assert encode_usage(odd)["input_tokens"] == 0


def test_a_stream_without_a_start_still_has_one() -> None:
    """Whatever the backend forgets, the client's events are in order."""
    in_order(streamed(PLAIN, [TextDelta("a"), Finished("stop")]))
    in_order(streamed(PLAIN, []))
    in_order(streamed(PLAIN, [Started("a"), Started("b"), *call(0), TextDelta("a")]))
