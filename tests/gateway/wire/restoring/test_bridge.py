"""Answers with hidden values put back, in every API, whole and streamed and cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.conversation import (
    Answer,
    ArgumentsDelta,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolCall,
    ToolCallStarted,
    UsageTold,
    fold,
)
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.runtime.bridges import _BACKS, _FRONTS, APIS
from gateway.wire.restoring.base import in_json
from gateway.wire.restoring.bridge import RestoringBridge
from tests.golden.tables import SHORTEST

_APIS = {api.wire: api for api in APIS.values()}
#: Who reads what the client gets: the back of the same wire.
_CLIENTS = {
    "openai_chat": "openai_chat",
    "openai_responses": "openai_responses",
    "anthropic_messages": "anthropic_messages",
    "openai_completions": "text_completion",
}
#: Values with everything that JSON escapes, and one that looks like a placeholder itself.
VALUES = {
    "[EMAIL-KXQWZP]": "anna@firma.example",
    "[PERSON-BCDFGH]": 'Anna "Änne" O\'Neil\n\\Sr.',
    "[PAYMENT-CARD-ZZZZZZ]": "4111 1111 1111 1111",
    "[PERSON-BCDFGJ]": "[EMAIL-XXXXXX]",
}
#: More than a double holds.
BIG = b"12345678901234567890"
_USAGE = Usage(input_tokens=7, output_tokens=9)
#: Words between placeholders, among them beginnings and ruins of some.
_WORDS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
    st.sampled_from(["[", "[EMAIL-", "[EMAIL-KXQWZ", "EMAIL-KXQWZP", "[PERSON-BCDFG", "P", "]"]),
)
_TEXT = st.lists(st.one_of(_WORDS, st.sampled_from(sorted(VALUES))), min_size=1, max_size=8).map(
    lambda pieces: "x" + "".join(pieces)
)


def restored(text: str, *, escape: Any = str) -> str:
    """What the client must read: the longest placeholder first, at each place."""
    known = {**{name.strip("[]"): value for name, value in VALUES.items()}, **VALUES}
    names = sorted(known, key=len, reverse=True)
    said, at = "", 0
    while at < len(text):
        name = next((name for name in names if text.startswith(name, at)), "")
        said += escape(known[name]) if name else text[at]
        at += len(name) or 1
    return said


@st.composite
def _answers(draw: st.DrawFn, *, plain: bool) -> Answer:
    calls = () if plain else tuple(draw(st.lists(_TEXT, max_size=2)))
    return Answer(
        model="m-1",
        text=draw(_TEXT),
        reasoning="" if plain else draw(st.one_of(st.just(""), _TEXT)),
        signature="c2lnbmVk",
        tool_calls=tuple(
            ToolCall(
                id=f"call_{number}",
                name=f"tool_{number}",
                arguments=msgspec.json.encode({"a": said}).decode(),
            )
            for number, said in enumerate(calls)
        ),
        finish="tool_calls" if calls else "stop",
        usage=_USAGE,
        ended=True,
    )


@pytest.mark.parametrize("wire", sorted(_CLIENTS))
@settings(max_examples=40, deadline=None)
@given(drawn=st.data())
def test_every_value_is_back_and_no_placeholder_is_seen(wire: str, drawn: Any) -> None:
    """Property: what the client reads is what the model wrote, with the values in place."""
    answer = drawn.draw(_answers(plain="completions" in wire))
    sizes = drawn.draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    cuts = drawn.draw(st.lists(st.floats(0, 1), max_size=6))
    bridge = RestoringBridge(_APIS[wire].pass_through(), VALUES)
    whole, streamed = _served(wire, answer, sizes)

    reply = bridge.reply(_request(wire, stream=False), whole)
    reader = bridge.stream(_request(wire, stream=True))
    passed = b"".join(reader.feed(chunk) for chunk in _cut(streamed, cuts)) + reader.finish()

    client = _BACKS[_CLIENTS[wire]]
    seen = client.reader()
    for got in (fold(client.read(reply.body)), fold([*seen.feed(passed), *seen.finish()])):
        assert got.text == restored(answer.text)
        assert got.reasoning == restored(answer.reasoning)
        assert [msgspec.json.decode(call.arguments) for call in got.tool_calls] == [
            {"a": restored(msgspec.json.decode(call.arguments)["a"])} for call in answer.tool_calls
        ]
        assert got.finish == answer.finish
        assert got.ended
    assert reader.usage == reply.usage
    assert reader.ended


def _served(wire: str, answer: Answer, sizes: Sequence[int]) -> tuple[bytes, bytes]:
    codec = _FRONTS[wire]
    whole = codec.write(_request(wire, stream=False), answer, new_id="id", created=1)
    writer = codec.writer(_request(wire, stream=True), new_id="id", created=1)
    written = b"".join(writer.write(event) for event in _events(answer, sizes))
    return whole, written + writer.end(answer.usage)


def _events(answer: Answer, sizes: Sequence[int]) -> Iterator[Event]:
    yield Started(answer.model)
    yield from (ReasoningDelta(piece) for piece in _pieces(answer.reasoning, sizes))
    if answer.reasoning:
        yield ReasoningSigned(answer.signature)
    yield from (TextDelta(piece) for piece in _pieces(answer.text, sizes))
    for number, call in enumerate(answer.tool_calls):
        yield ToolCallStarted(number, call.id, call.name)
        yield from (ArgumentsDelta(number, piece) for piece in _pieces(call.arguments, sizes))
    yield from (Finished(answer.finish or "stop"), UsageTold(_USAGE), Ended())


def _pieces(text: str, sizes: Sequence[int]) -> Iterator[str]:
    at = number = 0
    while at < len(text):
        size = sizes[number % len(sizes)]
        yield text[at : at + size]
        at, number = at + size, number + 1


def _request(wire: str, *, stream: bool) -> ChatRequest:
    body: dict[str, Any] = {**SHORTEST[wire], "stream": stream}
    if wire == "anthropic_messages":
        body |= {"max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    if stream and wire in ("openai_chat", "openai_completions"):
        body["stream_options"] = {"include_usage": True}
    return _APIS[wire].decode(msgspec.json.encode(body))


def _cut(stream: bytes, cuts: Sequence[float]) -> list[bytes]:
    places = sorted({0, len(stream), *(int(cut * len(stream)) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]


def test_values_in_an_answer_that_is_json_are_escaped() -> None:
    """Where JSON was asked for, the words are a JSON text and stay one."""
    body = {**SHORTEST["openai_chat"], "response_format": {"type": "json_object"}}
    request = _APIS["openai_chat"].decode(msgspec.json.encode(body))
    said = '{"name": "[PERSON-BCDFGH]"}'
    message = {"role": "assistant", "content": said}
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    bridge = RestoringBridge(_APIS["openai_chat"].pass_through(), VALUES)

    told = msgspec.json.decode(bridge.reply(request, msgspec.json.encode(answer)).body)

    content = told["choices"][0]["message"]["content"]
    assert msgspec.json.decode(content) == {"name": VALUES["[PERSON-BCDFGH]"]}
    assert in_json(VALUES["[PERSON-BCDFGH]"]) in content


def test_numbers_of_an_answer_keep_their_spelling() -> None:
    """Nothing but strings changes."""
    message = {"role": "assistant", "content": "[EMAIL-KXQWZP]"}
    choices = msgspec.json.encode([{"index": 0, "message": message, "finish_reason": "stop"}])
    body = b'{"object":"chat.completion","choices":%b,"odd":1.10,"big":%b}' % (choices, BIG)
    bridge = RestoringBridge(_APIS["openai_chat"].pass_through(), VALUES)

    told = bridge.reply(_request("openai_chat", stream=False), body).body

    assert b"1.10" in told
    assert b"anna@firma.example" in told
    assert BIG in told


def test_log_probabilities_are_left_out() -> None:
    """Pieces of a placeholder would stand in them."""
    token = {"token": "[EMAIL", "logprob": -1.0, "bytes": [], "top_logprobs": []}
    tokens = {"content": [token]}
    message = {"role": "assistant", "content": "[EMAIL-KXQWZP]"}
    answer = {"choices": [{"index": 0, "message": message, "logprobs": tokens}]}
    bridge = RestoringBridge(_APIS["openai_chat"].pass_through(), VALUES)

    reply = bridge.reply(_request("openai_chat", stream=False), msgspec.json.encode(answer))

    assert b"[EMAIL" not in reply.body
