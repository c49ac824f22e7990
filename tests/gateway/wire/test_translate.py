"""An OpenAI client in front of an Anthropic backend: the bridge as the driver uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import openai
import pytest

from gateway.core.failure import FailureKind
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.base import Bridge, StreamReader
from gateway.wire.openai_chat.front import OpenAIChatFront
from gateway.wire.openai_chat.view import decode
from gateway.wire.translate import TranslatingBridge
from tests.upstreams import anthropic_messages
from tests.upstreams.scripted import Received, Script, ScriptedUpstream, sse_script

TOOLS = (("toolu_1", "weather", '{"city":"Rome"}'), ("toolu_2", "now", "{}"))
ID = "chatcmpl-fixed"
NEW_ID = "fixed"
CREATED = 1_795_000_000


def _bridge() -> Bridge:
    return TranslatingBridge(
        OpenAIChatFront(), AnthropicMessagesBack(), new_id=NEW_ID, created=CREATED
    )


def _request(**body: Any) -> ChatRequest:
    messages = [{"role": "user", "content": "Hi"}]
    return decode(msgspec.json.encode({"model": "auto", "messages": messages, **body}))


def _pieces(answering: Callable[[Received], Script]) -> tuple[bytes, ...]:
    return answering(Received("POST", "/", (), b'{"model":"claude-x"}', b"", 1, 0.0)).pieces


def _run(reader: StreamReader, *chunks: bytes) -> bytes:
    return b"".join(reader.feed(chunk) for chunk in chunks) + reader.finish()


def test_whole_answer() -> None:
    """A message becomes a completion with our id, the backend's model and the total usage."""
    (body,) = _pieces(anthropic_messages.answer("Salve", used=(5, 2, 100, 30)))
    reply = _bridge().reply(_request(), body)

    assert msgspec.json.decode(reply.body) == {
        "id": ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": "claude-x",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Salve",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 135,
            "completion_tokens": 2,
            "total_tokens": 137,
            "prompt_tokens_details": {
                "cached_tokens": 100,
                "cache_write_tokens": 30,
                "audio_tokens": 0,
            },
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }
    assert reply.usage == Usage(
        input_tokens=135, cached_input_tokens=100, cache_write_tokens=30, output_tokens=2
    )
    assert (reply.text_size, reply.failure) == (5, None)


def test_error_in_a_200_body() -> None:
    """An error dressed as a success is the attempt's failure."""
    reply = _bridge().reply(_request(), b'{"type":"error","error":{"type":"overloaded_error"}}')

    assert reply.failure is not None
    assert reply.failure.kind is FailureKind.OVERLOADED


def test_stream_cut_at_every_byte_gives_the_same_bytes() -> None:
    """However the network cuts the backend's stream, the client gets the same bytes."""
    request = _request(stream=True, stream_options={"include_usage": True})
    stream = b"".join(_pieces(anthropic_messages.stream(["Sal", "ve \u00e9"], tools=TOOLS)))
    expected = _run(_bridge().stream(request), stream)

    assert expected.endswith(b"data: [DONE]\n\n")
    for cut in range(len(stream)):
        assert _run(_bridge().stream(request), stream[:cut], stream[cut:]) == expected
    one_by_one = [stream[at : at + 1] for at in range(len(stream))]
    assert _run(_bridge().stream(request), *one_by_one) == expected


@pytest.mark.parametrize("asked", [True, False])
def test_usage_chunk_only_when_asked(asked: bool) -> None:
    """Usage is read in any case, and written when the client asked for it."""
    reader = _bridge().stream(_request(stream=True, stream_options={"include_usage": asked}))
    written = _run(reader, *_pieces(anthropic_messages.stream("Salve", used=(5, 2))))

    assert reader.usage == Usage(input_tokens=5, output_tokens=2)
    assert (b'"usage"' in written) is asked
    assert reader.ended


def test_nothing_goes_out_before_content() -> None:
    """Until the first piece of the answer another backend may still be tried."""
    reader = _bridge().stream(_request(stream=True))
    start, block, ping, delta, *_ = _pieces(anthropic_messages.stream("Salve"))

    assert [reader.feed(piece) for piece in (start, block, ping)] == [b"", b"", b""]
    assert not reader.has_content
    assert b'"role":"assistant"' in reader.feed(delta)
    assert reader.has_content


def test_error_event_before_content_is_free() -> None:
    """An overload before the first content is just that."""
    reader = _bridge().stream(_request(stream=True))

    assert _run(reader, *_pieces(anthropic_messages.stream("x", error_after=1))) == b""
    assert reader.failure is not None
    assert reader.failure.kind is FailureKind.OVERLOADED
    assert not reader.ended


def test_error_event_after_content_costs() -> None:
    """After content the same error is not free, and no end marker is written."""
    reader = _bridge().stream(_request(stream=True))
    written = _run(reader, *_pieces(anthropic_messages.stream(["a", "b"], error_after=4)))

    assert b'"content":"a"' in written
    assert b"[DONE]" not in written
    assert reader.failure is not None
    assert not reader.failure.free
    assert reader.text_size == 1


def test_cut_stream_is_not_ended() -> None:
    """A stream without its end marker gets none from us."""
    reader = _bridge().stream(_request(stream=True))
    written = _run(reader, *_pieces(anthropic_messages.stream(["a", "b"], cut_after=5)))

    assert not reader.ended
    assert reader.usage is None
    assert b"[DONE]" not in written


async def test_openai_sdk_reads_what_we_write() -> None:
    """The official client gets text, parallel tool calls, finish reason and usage."""
    message = anthropic_messages.answer("Let me see", tools=TOOLS, used=(5, 2))
    streamed = anthropic_messages.stream(["Let me", " see"], tools=TOOLS, used=(5, 2))
    asked = {"include_usage": True}
    reply = _bridge().reply(_request(), b"".join(_pieces(message)))
    reader = _bridge().stream(_request(stream=True, stream_options=asked))
    stream = _run(reader, *_pieces(streamed))
    async with (
        ScriptedUpstream(Script(pieces=(reply.body,)), sse_script([stream])) as server,
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="x") as client,
    ):
        whole = await client.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "Hi"}]
        )
        chunks = [
            chunk
            async for chunk in await client.chat.completions.create(
                model="auto", messages=[{"role": "user", "content": "Hi"}], stream=True
            )
        ]

    choice = whole.choices[0]
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        for call in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
            assert call.function is not None
            seen = calls.setdefault(call.index, [call.id or "", call.function.name or "", ""])
            seen[2] += call.function.arguments or ""
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    assert text == choice.message.content == "Let me see"
    assert [tuple(call) for _, call in sorted(calls.items())] == list(TOOLS)
    assert [
        (call.id, call.function.name, call.function.arguments)
        for call in choice.message.tool_calls or ()
        if call.type == "function"
    ] == list(TOOLS)
    assert chunks[-2].choices[0].finish_reason == choice.finish_reason == "tool_calls"
    assert whole.usage == chunks[-1].usage
    assert {chunk.id for chunk in chunks} == {whole.id} == {ID}
    assert json.loads(calls[1][2]) == {}
