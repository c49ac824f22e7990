"""Streams: what networks, proxies and servers do to server-sent events."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.inprocess import InProcessGateway, gateway_with
from tests.regressions.policies import servers
from tests.regressions.wires import (
    CHAT,
    DONE,
    END,
    HELLO,
    MESSAGES,
    anthropic_stream,
    chunk,
    deltas,
    event,
    payloads,
    streamed,
)
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Script, ScriptedUpstream, sse_script

ERROR = b'data: {"error": {"message": "overloaded", "type": "server_error", "code": null}}\n\n'
STREAM = b"".join([*HELLO, *END])


def text_of(body: bytes) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(body))


async def test_an_error_event_before_any_content_falls_back(
    redis_url: str, home: Path, org: str
) -> None:
    """A 200 whose first event is an error is a failed attempt, not an answer."""
    async with (
        ScriptedUpstream(sse_script([ERROR])) as one,
        ScriptedUpstream(chat.stream()) as two,
        gateway_with(servers(one.url, two.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=True)

    assert answer.headers["x-fairlead-deployment"] == "two"
    assert b"overloaded" not in answer.body


async def test_an_error_event_inside_a_stream_ends_it_with_an_error(
    redis_url: str, home: Path, org: str
) -> None:
    """After content there is no second answer and no clean end."""
    async with (
        ScriptedUpstream(chat.error_event_stream()) as one,
        ScriptedUpstream(chat.stream("Second.")) as two,
        gateway_with(servers(one.url, two.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=True)
        (line,) = gateway.ledger()

    assert b"[DONE]" not in answer.body
    assert "error" in payloads(answer.body)[-1]
    assert b"Second." not in answer.body
    assert two.connections == 0
    assert line.cost_nanousd > 0


async def test_a_200_with_an_error_body_is_no_answer(redis_url: str, home: Path, org: str) -> None:
    """Proxies that always say 200 do not end the fallback."""
    async with (
        ScriptedUpstream(chat.error(200, "server_error")) as one,
        ScriptedUpstream(chat.answer()) as two,
        gateway_with(servers(one.url, two.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat()
        lines = gateway.ledger()

    assert answer.headers["x-fairlead-deployment"] == "two"
    assert lines[0].outcome == "server_error"


async def test_a_fallback_after_the_first_byte_never_splices_two_answers(
    redis_url: str, home: Path, org: str
) -> None:
    """Half of one answer and all of another is worse than an error."""
    async with (
        ScriptedUpstream(chat.stream(["One ", "two "], ending="cut", cut_after=2)) as one,
        ScriptedUpstream(chat.stream("Three.")) as two,
        gateway_with(servers(one.url, two.url, retries=2), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=True)

    assert b"One " in answer.body
    assert b"Three." not in answer.body
    assert (len(one.requests), two.connections) == (1, 0)


async def test_a_role_chunk_is_no_content_yet(redis_url: str, home: Path, org: str) -> None:
    """A server that dies after its greeting may still be replaced."""
    async with (
        ScriptedUpstream(sse_script(HELLO[:1], ending="cut")) as one,
        ScriptedUpstream(chat.stream("Second.")) as two,
        gateway_with(servers(one.url, two.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=True)

    assert text_of(answer.body) == "Second."
    assert deltas(answer.body)[0] == {"role": "assistant", "content": ""}
    assert answer.headers["x-fairlead-attempts"] == "2"


def test_characters_cut_in_two_arrive_whole() -> None:
    """Cut at every byte, also inside characters of up to four bytes."""
    stream = b"".join([chunk({"content": "é漢\U0001f600 ok"}), *END])
    for cut in range(len(stream) + 1):
        passed, _ = streamed([stream[:cut], stream[cut:]])

        assert passed == stream


def test_surrogate_pairs_escaped_in_two_halves_are_one_character() -> None:
    """`\\ud83d\\ude00` is an escape of one character, wherever the network cuts it."""
    raw = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d\\ude00"}}]}\n\n'
    stream = raw + b"".join(END)
    for cut in range(len(stream)):
        passed, _ = streamed([stream[:cut], stream[cut:]], "openai_chat", MESSAGES)

        assert "\U0001f600" in "".join(
            one["delta"]["text"] for one in payloads(passed) if one["type"] == "content_block_delta"
        )


def test_a_lone_surrogate_does_not_break_the_stream() -> None:
    """Some tokenizers give half a pair a delta; half is not UTF-8 and must not crash us."""
    halves = [
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ude00 ok"}}]}\n\n',
    ]
    passed, reader = streamed([*halves, *END])

    # Same wire: the escapes pass as they came, and the client's parser joins what it can.
    assert (reader.failure is None) == (passed == b"".join([*halves, *END]))


def test_crlf_line_ends_are_understood_wherever_they_are_cut() -> None:
    """CR and LF may come in two reads; an event is not read twice."""
    stream = STREAM.replace(b"\n", b"\r\n")
    for cut in range(len(stream) + 1):
        passed, reader = streamed([stream[:cut], stream[cut:]], "openai_chat", MESSAGES)

        assert reader.ended
        assert passed.count(b"text_delta") == 1


def test_comments_and_pings_are_no_answers() -> None:
    """`: OPENROUTER PROCESSING` and `event: ping` neither count as content nor as JSON."""
    comments = [b": OPENROUTER PROCESSING\n\n", b":\n\n", b"event: ping\ndata: {}\n\n"]
    reader_input = [comments[0], HELLO[0], comments[1], HELLO[1], comments[0], *END]
    passed, reader = streamed(reader_input)
    translated, _ = streamed(
        anthropic_stream(event("ping"), *_text_events("Hello"), event("ping")), "anthropic_messages"
    )

    assert reader.failure is None
    assert text_of(passed) == text_of(translated) == "Hello"


def test_comments_alone_keep_the_fallback_open() -> None:
    """Keep-alive lines before the first token are not given out as if they were content."""
    passed, reader = streamed([b": waiting\n\n"] * 20)

    assert passed == b""
    assert not reader.has_content
    assert not reader.ended


def test_data_over_several_lines_is_one_event() -> None:
    """The lines of an event are joined by line feeds, as the standard says."""
    pretty = json.dumps(
        {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}]}, indent=1
    )
    event_lines = b"".join(b"data: " + line.encode() + b"\n" for line in pretty.splitlines())
    passed, reader = streamed([event_lines + b"\n", *END], "openai_chat", MESSAGES)

    assert reader.failure is None
    assert b"Hello" in passed


@pytest.mark.parametrize("path", ["/v1/chat/completions", MESSAGES])
def test_an_event_of_ten_mebibytes_passes(path: str) -> None:
    """A picture in base64 is one event; it is cut into many reads."""
    large = chunk({"content": "x" * (10 * 1024 * 1024)})
    pieces = [large[i : i + 65_536] for i in range(0, len(large), 65_536)]
    passed, reader = streamed([*pieces, *END], "openai_chat", path)

    assert reader.failure is None
    assert len(passed) > 10 * 1024 * 1024


def test_an_endless_event_is_given_up() -> None:
    """A server that never ends a line does not fill the memory."""
    pieces = [b"data: " + b"x" * 65_536] * 300
    passed, reader = streamed(pieces)

    assert passed == b""
    assert reader.failure is not None


def test_a_stream_without_a_space_after_data_is_read() -> None:
    """`data:{…}` is as good as `data: {…}`."""
    tight = STREAM.replace(b"data: ", b"data:")
    passed, reader = streamed([tight], "openai_chat", MESSAGES)

    assert reader.ended
    assert b"Hello" in passed


def test_a_last_event_without_its_blank_line_counts() -> None:
    """Servers that close right after `data: [DONE]`."""
    passed, reader = streamed([STREAM.rstrip(b"\n")])

    assert reader.ended
    assert passed.rstrip().endswith(b"[DONE]")


def test_azures_first_chunk_without_choices_passes() -> None:
    """Prompt filter results come before the answer and are no end of it."""
    first = b'data: {"id":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n'
    passed, reader = streamed([first, *HELLO, *END])

    assert passed == first + STREAM
    assert reader.failure is None


def test_an_empty_first_delta_gives_nothing_out() -> None:
    """`content: ""` with a role is a greeting; the stream waits for a word."""
    reader_input = [chunk({"role": "assistant", "content": ""})] * 3
    passed, reader = streamed(reader_input)

    assert passed == b""
    assert not reader.has_content


def test_a_finish_reason_in_the_same_chunk_as_text_loses_neither() -> None:
    """Some servers end with a word."""
    passed, _ = streamed([chunk({"content": "Hello"}, "length"), DONE], "openai_chat", MESSAGES)

    told = payloads(passed)
    assert b"Hello" in passed
    assert [one["delta"]["stop_reason"] for one in told if one["type"] == "message_delta"] == [
        "max_tokens"
    ]


def test_an_overloaded_event_inside_an_anthropic_stream_is_an_error_for_openais_client() -> None:
    """It comes under status 200, and never ends in `[DONE]`."""
    told = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    stream = anthropic_stream(*_text_events("Hello"))[:4]
    passed, reader = streamed([*stream, told], "anthropic_messages")

    assert reader.failure is not None
    assert not reader.failure.free
    assert b"[DONE]" not in passed


async def test_a_client_that_never_reads_is_not_buffered_for(
    redis_url: str, home: Path, org: str
) -> None:
    """Its backend is slowed down to the client's pace, and others are served meanwhile."""
    total = 400 * 65_536
    flood = chat.stream(["x" * 65_536] * 400)
    async with (
        ScriptedUpstream(flood, chat.answer()) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        stuck, reading = await _begin_and_never_read(gateway)
        async with asyncio.timeout(10):
            await stuck.wait()
            while not one.requests[0].finished:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        unsent = one.unsent
        other = await gateway.chat()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        outcomes = [line.outcome for line in gateway.ledger()]

    # Socket buffers take a few MiB; the rest waits at the server.
    assert unsent > total // 2
    assert other.status == 200
    assert sorted(outcomes) == ["cancelled", "ok"]


async def test_a_client_that_disconnects_leaves_a_ledger_line(
    redis_url: str, home: Path, org: str
) -> None:
    """What was generated was paid for."""
    endless = chat.stream(["word "] * 400, pause=0.03)
    async with (
        ScriptedUpstream(endless) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        await gateway.chat(stream=True, leave_after=0.3)
        (line,) = gateway.ledger()
        open_holds = await gateway.services.ledger.open_holds(org)

    assert line.outcome == "cancelled"
    assert line.cost_nanousd > 0
    assert open_holds == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_the_backend_is_stopped_when_its_client_is_gone(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """Nobody reads, nobody pays: also while the backend still thinks."""
    slow = chat.stream(["word "] * 400, pause=0.03) if stream else chat.answer(before=30)
    async with (
        ScriptedUpstream(slow) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        await gateway.chat(stream=stream, leave_after=0.3)
        gone = await one.gone(within=3)

    assert gone.gone_at is not None
    assert not gone.finished


async def test_connections_are_kept_alive_after_an_error(
    redis_url: str, home: Path, org: str
) -> None:
    """A refused request does not cost the next one a handshake, nor give it old bytes."""
    async with (
        ScriptedUpstream(chat.error(400), chat.answer("fresh")) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        refused = await gateway.chat()
        answer = await gateway.chat()

    assert refused.status == 400
    assert answer.json["choices"][0]["message"]["content"] == "fresh"
    assert one.connections == 1


async def test_a_connection_that_broke_off_is_not_used_again(
    redis_url: str, home: Path, org: str
) -> None:
    """The rest of a cut answer never becomes the beginning of the next."""
    cut = Script(
        headers=(("content-type", "text/event-stream"),),
        pieces=tuple(HELLO),
        framing="chunked",
        ending="hang",
    )
    async with (
        ScriptedUpstream(cut, chat.stream("fresh")) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        await gateway.chat(stream=True, leave_after=0.3)
        answer = await gateway.chat(stream=True)

    assert text_of(answer.body) == "fresh"
    assert one.connections == 2


def _text_events(text: str) -> list[bytes]:
    return [
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}),
        event("content_block_stop", index=0),
    ]


async def _begin_and_never_read(
    gateway: InProcessGateway,
) -> tuple[asyncio.Event, asyncio.Task[None]]:
    """A streaming request whose client takes the headers and nothing else."""
    stuck = asyncio.Event()
    body = b'{"model":"auto","stream":true,"messages":[{"role":"user","content":"hello"}]}'
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            stuck.set()
            await asyncio.Event().wait()

    return stuck, asyncio.create_task(gateway.serve(CHAT, receive, send))
