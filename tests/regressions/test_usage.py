"""Usage: missing, zero, doubled and cumulative figures that gateways booked wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.inprocess import gateway_with
from tests.regressions.policies import servers
from tests.regressions.wires import (
    DONE,
    END,
    HELLO,
    MESSAGES,
    anthropic_stream,
    bridge,
    chunk,
    event,
    payloads,
    request,
    streamed,
)
from tests.upstreams import openai_chat as chat
from tests.upstreams.openai_chat import usage
from tests.upstreams.scripted import ScriptedUpstream, sse_script

TEXT = [
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hello"}),
    event("content_block_stop", index=0),
]


def told(prompt: int, completion: int) -> bytes:
    payload = {"id": "c", "object": "chat.completion.chunk", "choices": []}
    return b"data: " + json.dumps(payload | {"usage": usage(prompt, completion)}).encode() + b"\n\n"


def test_zero_usage_is_missing_usage() -> None:
    """A server that read nothing cannot have answered: such figures are estimated instead."""
    passed, reader = streamed([*HELLO, chunk({}, "stop"), told(0, 0), DONE])

    assert reader.usage is None
    assert reader.text_size == len("Hello")
    assert passed.endswith(DONE)


def test_missing_usage_of_a_whole_answer_is_none_and_not_zero() -> None:
    """The driver estimates only what it knows to be missing."""
    answer = {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
    reply = bridge("openai_chat").reply(request(), json.dumps(answer).encode())

    assert reply.usage is None
    assert reply.text_size == 5


def test_usage_that_comes_twice_is_counted_once() -> None:
    """The last word counts; two reports are not two answers."""
    _, reader = streamed([*HELLO, chunk({}, "stop"), told(11, 7), told(11, 7), DONE])

    assert reader.usage is not None
    assert (reader.usage.input_tokens, reader.usage.output_tokens) == (11, 7)


def test_usage_in_every_chunk_is_not_added_up() -> None:
    """Servers that report as they go report totals."""
    running = [chunk({"content": "x"}, usage=usage(11, n)) for n in range(1, 6)]
    _, reader = streamed([*running, chunk({}, "stop", usage=usage(11, 6)), DONE])

    assert reader.usage is not None
    assert (reader.usage.input_tokens, reader.usage.output_tokens) == (11, 6)


def test_anthropics_two_reports_are_one_total() -> None:
    """`message_start` and `message_delta` both tell; the output is cumulative."""
    stream = anthropic_stream(*TEXT, input_tokens=9, output_tokens=4, cache_read_input_tokens=90)
    _, reader = streamed(stream, "anthropic_messages")

    assert reader.usage is not None
    assert reader.usage.input_tokens == 99
    assert reader.usage.cached_input_tokens == 90
    assert reader.usage.output_tokens == 4


def test_usage_that_nobody_asked_for_is_taken_out() -> None:
    """Clients that iterate `chunk.choices[0]` break on a chunk without choices."""
    passed, reader = streamed([*HELLO, chunk({}, "stop"), told(11, 7), DONE])

    assert all(one == "[DONE]" or one["choices"] for one in payloads(passed))
    assert reader.usage is not None


def test_usage_that_was_asked_for_stays() -> None:
    """The client's own `stream_options` are kept."""
    passed, _ = streamed(
        [*HELLO, chunk({}, "stop"), told(11, 7), DONE], stream_options={"include_usage": True}
    )

    assert payloads(passed)[-2]["usage"]["total_tokens"] == 18


def test_more_cached_tokens_than_tokens_do_not_make_a_negative_price() -> None:
    """Servers that count the cache beside the prompt, not within it."""
    body = usage(10, 5, cached=4000)
    _, reader = streamed([*HELLO, chunk({}, "stop", usage=body), DONE])

    assert reader.usage is not None
    assert reader.usage.cached_input_tokens <= reader.usage.input_tokens


@pytest.mark.parametrize("garbage", ["lots", [1], {"prompt_tokens": "9"}, {"prompt_tokens": -9}])
def test_usage_that_is_garbage_is_missing(garbage: object) -> None:
    """It neither crashes the stream nor reaches the ledger."""
    passed, reader = streamed([*HELLO, chunk({}, "stop", usage=garbage), DONE])

    assert reader.usage is None
    assert reader.failure is None
    assert passed.endswith(DONE)


def test_an_anthropic_client_gets_usage_from_a_server_that_has_none() -> None:
    """Its SDK requires the fields; a missing figure must not end the stream."""
    passed, reader = streamed([*HELLO, *END], "openai_chat", MESSAGES)

    assert reader.usage is None
    assert payloads(passed)[-1]["type"] == "message_stop"


@pytest.mark.parametrize("style", ["never", "zero"])
async def test_what_was_not_reported_is_booked_as_an_estimate(
    redis_url: str, home: Path, org: str, style: str
) -> None:
    """The ledger says so, and the cost is not nothing."""
    silent = chat.stream(usage_style=style)  # type: ignore[arg-type]
    async with (
        ScriptedUpstream(silent) as server,
        gateway_with(servers(server.url), redis_url, home, org=org) as gateway,
    ):
        await gateway.chat(stream=True)
        (line,) = gateway.ledger()

    assert line.usage.estimated
    assert line.usage.input_tokens > 0
    assert line.usage.output_tokens > 0
    assert line.cost_nanousd > 0


async def test_a_finished_stream_without_an_end_marker_is_settled_as_served(
    redis_url: str, home: Path, org: str
) -> None:
    """The client gets the marker that the server forgot; the usage counts."""
    async with (
        ScriptedUpstream(chat.stream(done=False)) as server,
        gateway_with(servers(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=True)
        (line,) = gateway.ledger()

    assert answer.body.endswith(DONE)
    assert (line.outcome, line.usage.output_tokens, line.usage.estimated) == ("ok", 7, False)


async def test_a_stream_that_just_stops_is_settled_as_cut(
    redis_url: str, home: Path, org: str
) -> None:
    """No finish reason, no marker: half an answer never ends cleanly, and is paid for."""
    async with (
        ScriptedUpstream(sse_script(HELLO)) as server,
        gateway_with(servers(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=True)
        (line,) = gateway.ledger()

    assert b"[DONE]" not in answer.body
    assert b'"error"' in answer.body
    assert line.outcome == "cut_stream"
    assert line.cost_nanousd > 0
