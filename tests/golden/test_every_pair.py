"""For every front and back: a stream, put together, is the answer that was not streamed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.conversation import (
    Answer,
    ArgumentsDelta,
    Cited,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenLogprob,
    ToolCall,
    ToolCallStarted,
    UsageTold,
    fold,
)
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.runtime.bridges import _BACKS, _FRONTS, APIS, bridge_between
from tests.golden.tables import SHORTEST

_APIS = {api.wire: api for api in APIS.values()}
#: Who writes a backend's answers: the front of the same wire.
_SERVERS = {
    "openai_chat": "openai_chat",
    "openai_chat_guided": "openai_chat",
    "openai_responses": "openai_responses",
    "anthropic_messages": "anthropic_messages",
    "anthropic_messages_2023_06_01": "anthropic_messages",
    "text_completion": "openai_completions",
}
#: Who reads what the client gets: the back of the same wire.
_CLIENTS = {
    "openai_chat": "openai_chat",
    "openai_responses": "openai_responses",
    "anthropic_messages": "anthropic_messages",
    "openai_completions": "text_completion",
}
PAIRS = [(front, back) for front in sorted(_FRONTS) for back in sorted(_BACKS)]

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
_SAID = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40).map(
    lambda text: "x" + text
)
_ARGUMENTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.one_of(st.integers(-99, 99), st.booleans(), _TEXT, st.lists(st.integers(0, 9), max_size=3)),
    max_size=3,
).map(lambda given: msgspec.json.encode(given).decode())
_CALLS = st.lists(_ARGUMENTS, max_size=3).map(
    lambda found: tuple(
        ToolCall(id=f"call_{number}", name=f"tool_{number}", arguments=given)
        for number, given in enumerate(found)
    )
)
_USAGE = st.builds(
    lambda fresh, cached, output: Usage(
        input_tokens=fresh + cached, cached_input_tokens=cached, output_tokens=output
    ),
    st.integers(1, 9999),
    st.integers(0, 999),
    st.integers(1, 9999),
)


@st.composite
def _answers(draw: st.DrawFn, plain: bool) -> Answer:
    calls = () if plain else draw(_CALLS)
    text = draw(_SAID if plain or not calls else st.one_of(st.just(""), _SAID))
    tokens = _tokens(text) if draw(st.booleans()) else ()
    cited = Cited(url="https://a.example/1", title="One", start=0, end=len(text))
    return Answer(
        model="m-1",
        text=text,
        logprobs=tokens,
        citations=(cited,) if text and not plain and draw(st.booleans()) else (),
        reasoning="" if plain else draw(st.one_of(st.just(""), _SAID)),
        tool_calls=calls,
        finish="tool_calls" if calls else draw(st.sampled_from(["stop", "length"])),
        usage=draw(_USAGE),
        ended=True,
    )


@pytest.mark.parametrize(("front", "back"), PAIRS, ids=[f"{f}-{b}" for f, b in PAIRS])
@settings(max_examples=25, deadline=None)
@given(drawn=st.data())
def test_a_stream_put_together_is_the_whole_answer(front: str, back: str, drawn: Any) -> None:
    """Cut anywhere and translated, the stream says what the whole answer says."""
    plain = "completion" in front or back == "text_completion"
    answer = drawn.draw(_answers(plain))
    cuts = drawn.draw(st.lists(st.floats(0, 1), max_size=6))
    bridge = bridge_between(_APIS[front], back, new_id="new", created=1)
    whole, streamed = _served(back, answer)

    reply = bridge.reply(_request(front, stream=False), whole)
    reader = bridge.stream(_request(front, stream=True))
    passed = b"".join(reader.feed(chunk) for chunk in _cut(streamed, cuts)) + reader.finish()

    assert reply.failure is None
    assert reader.failure is None
    assert reader.ended
    assert reader.usage == reply.usage
    assert reply.usage is not None
    assert answer.usage is not None
    assert reply.usage.input_tokens == answer.usage.input_tokens
    assert reply.usage.output_tokens == answer.usage.output_tokens
    client = _BACKS[_CLIENTS[front]]
    seen = client.reader()
    events = [*seen.feed(passed), *seen.finish()]
    assert fold(events) == fold(client.read(reply.body))
    assert fold(events).text == answer.text


def _served(back: str, answer: Answer) -> tuple[bytes, bytes]:
    """A backend's answer, whole and streamed."""
    if back == "ollama_chat":
        return _ollama(answer)
    wire = _SERVERS[back]
    codec = _FRONTS[wire]
    whole = codec.write(_request(wire, stream=False), answer, new_id="id", created=1)
    writer = codec.writer(_request(wire, stream=True), new_id="id", created=1)
    written = b"".join(writer.write(event) for event in _events(answer))
    return whole, written + writer.end(answer.usage)


def _ollama(answer: Answer) -> tuple[bytes, bytes]:
    calls = [
        {
            "id": call.id,
            "function": {"name": call.name, "arguments": msgspec.Raw(call.arguments.encode())},
        }
        for call in answer.tool_calls
    ]
    assert answer.usage is not None
    reported = {
        "done": True,
        "done_reason": "length" if answer.finish == "length" else "stop",
        "prompt_eval_count": answer.usage.input_tokens,
        "eval_count": answer.usage.output_tokens,
    }
    head = {"model": answer.model, "created_at": "2026-11-20T09:30:00Z"}
    messages: list[dict[str, Any]] = [
        {"thinking": answer.reasoning, "content": ""},
        *({"content": piece} for piece in _halves(answer.text)),
        *({"content": "", "tool_calls": [call]} for call in calls),
    ]
    lines = [{**head, "message": message, "done": False} for message in messages]
    lines.append({**head, "message": {"content": ""}, **reported})
    message = {"content": answer.text, "thinking": answer.reasoning, "tool_calls": calls}
    whole = msgspec.json.encode({**head, "message": message, **reported})
    return whole, b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _events(answer: Answer) -> list[Event]:
    events: list[Event] = [Started(answer.model)]
    events += [ReasoningDelta(piece) for piece in _halves(answer.reasoning)]
    pieces = _halves(answer.text)
    tokens = [(token,) for token in answer.logprobs] or [()] * len(pieces)
    events += [TextDelta(piece, told) for piece, told in zip(pieces, tokens, strict=True)]
    events += answer.citations
    for number, call in enumerate(answer.tool_calls):
        events.append(ToolCallStarted(number, call.id, call.name))
        events += [ArgumentsDelta(number, piece) for piece in _halves(call.arguments)]
    assert answer.finish is not None
    assert answer.usage is not None
    return [*events, Finished(answer.finish), UsageTold(answer.usage), Ended()]


def _tokens(text: str) -> tuple[TokenLogprob, ...]:
    """A token for each piece of the stream, with itself as the only alternative."""
    told = [TokenLogprob(token=piece, logprob=-0.25) for piece in _halves(text)]
    return tuple(msgspec.structs.replace(token, alternatives=(token,)) for token in told)


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def _request(wire: str, *, stream: bool) -> ChatRequest:
    body = {**SHORTEST[wire], "stream": stream}
    if stream and wire in ("openai_chat", "openai_completions"):
        body["stream_options"] = {"include_usage": True}
    return _APIS[wire].decode(msgspec.json.encode(body))


def _cut(stream: bytes, cuts: Sequence[float]) -> list[bytes]:
    places = sorted({0, len(stream), *(int(cut * len(stream)) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]
