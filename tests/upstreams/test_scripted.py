"""The scripted server itself, seen by clients that are not ours."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.upstreams import faults, openai_chat
from tests.upstreams.scripted import ScriptedUpstream, closed_port

MESSAGES: list[Any] = [{"role": "user", "content": "Hi"}]


async def _stream(upstream: ScriptedUpstream, **options: Any) -> list[Any]:
    async with openai.AsyncOpenAI(base_url=f"{upstream.url}/v1", api_key="x") as client:
        events = await client.chat.completions.create(
            model="m", messages=MESSAGES, stream=True, **options
        )
        return [event async for event in events]


async def test_official_client_reads_plain_and_stream() -> None:
    """The vendor's own client understands what is played, and usage comes when asked for."""
    play = openai_chat.either(openai_chat.answer("a b"), openai_chat.stream("a b"))
    async with ScriptedUpstream(play) as upstream:
        async with openai.AsyncOpenAI(base_url=f"{upstream.url}/v1", api_key="x") as client:
            whole = await client.chat.completions.create(model="m", messages=MESSAGES)
        silent = await _stream(upstream)
        asked = await _stream(upstream, stream_options={"include_usage": True})
        text = "".join(c.choices[0].delta.content or "" for c in silent)

        assert text == whole.choices[0].message.content == "a b"
        assert [bool(c.usage) for c in silent] == [False] * 4
        assert asked[-1].usage.prompt_tokens == 11


@pytest.mark.parametrize("style", [{"newline": b"\r\n"}, {"comments": True}, {"done": False}])
async def test_quirks_are_still_a_stream(style: dict[str, Any]) -> None:
    """CRLF, comments and a missing end marker do not hide the content."""
    async with ScriptedUpstream(openai_chat.stream("a b", **style)) as upstream:
        events = await _stream(upstream)

        assert "".join(c.choices[0].delta.content or "" for c in events) == "a b"


@pytest.mark.parametrize(
    ("style", "told"), [("every_chunk", [0, 1, 2, 7]), ("zero", [0]), ("never", [])]
)
async def test_usage_styles(style: openai_chat.UsageStyle, told: list[int]) -> None:
    """Usage can come with every chunk, as zero, or not at all."""
    async with ScriptedUpstream(openai_chat.stream("a b", usage_style=style)) as upstream:
        events = await _stream(upstream, stream_options={"include_usage": True})

        assert [c.usage.completion_tokens for c in events if c.usage] == told


async def test_scripts_are_played_in_turn_and_requests_kept() -> None:
    """Each request gets the next script; the last one is repeated; bytes and headers are kept."""
    scripts = (openai_chat.error(429, headers=(("retry-after", "3"),)), faults.garbage())
    async with ScriptedUpstream(*scripts) as upstream, httpx2.AsyncClient() as client:
        answers = [await client.post(f"{upstream.url}/x", content=b"{ }") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [429, 200, 200]
        assert answers[0].headers["retry-after"] == "3"
        assert [received.body for received in upstream.requests] == [b"{ }"] * 3
        assert upstream.requests[0].raw_head.startswith(b"POST /x HTTP/1.1")
        assert upstream.connections == 1


async def test_client_that_leaves_is_noticed() -> None:
    """A client that closes inside the answer is noted; one that reads to the end is not."""
    async with ScriptedUpstream(faults.hangs()) as upstream:
        _, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        await upstream.received()
        writer.close()
        received = await upstream.gone()

        assert received.gone_at is not None
        assert received.gone_at >= received.at


async def test_closed_port_refuses() -> None:
    """The port that is said to be closed is."""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", closed_port())


def test_server_runs_as_a_script() -> None:
    """Benches can start it from the command line; it prints its address."""
    script = Path(__file__).with_name("serve.py")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, str(script), "--port", str(closed_port())],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            answer = httpx2.post(f"{url}/v1/messages", json={"model": "m"})

            assert answer.json()["type"] == "message"
        finally:
            server.terminate()
