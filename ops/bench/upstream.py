"""A fast fake upstream that speaks OpenAI chat, so that a bench measures the gateway before it.

    python -m ops.bench.upstream --port 9100 [--latency-ms 50] [--chunks 64] [--chunk-delay-ms 10]

One raw asyncio protocol, answers rendered once at start: it costs a small share of any gateway
that is measured against it. It prints `ready PORT` when it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import cast

import uvloop

MODEL = "bench-model"
WORDS = 64


def plain_answer() -> bytes:
    """A whole chat completion as HTTP bytes."""
    body = json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "word " * WORDS},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 400, "completion_tokens": 64, "total_tokens": 464},
        }
    ).encode()
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def event(payload: object) -> bytes:
    """One server-sent event in a chunk of its own."""
    line = b"data: " + (payload if isinstance(payload, bytes) else json.dumps(payload).encode())
    return b"%x\r\n%s\n\n\r\n" % (len(line) + 2, line)


def stream_answer(chunks: int) -> list[bytes]:
    """A streamed chat completion as HTTP bytes, one item for each write."""
    base = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": MODEL}

    def part(delta: dict[str, str], finish: str | None) -> bytes:
        return event({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    usage = {"prompt_tokens": 400, "completion_tokens": chunks, "total_tokens": 400 + chunks}
    tail = (
        part({}, "stop") + event({**base, "choices": [], "usage": usage}) + event(b"[DONE]")
    ) + b"0\r\n\r\n"
    words = [part({"content": f"word{number} "}, None) for number in range(chunks)]
    return [head + part({"role": "assistant", "content": ""}, None), *words, tail]


class Upstream(asyncio.Protocol):
    """One connection: reads requests by their content-length and answers them in order."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.plain: bytes = options.plain
        self.stream: list[bytes] = options.stream
        self.received = bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, received: bytes) -> None:
        """Answer every request that is complete."""
        self.received += received
        while True:
            head_end = self.received.find(b"\r\n\r\n")
            if head_end < 0:
                return
            head = bytes(self.received[:head_end]).lower()
            mark = head.find(b"content-length:")
            length = int(head[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
            end = head_end + 4 + length
            if len(self.received) < end:
                return
            body = bytes(self.received[head_end + 4 : end])
            del self.received[:end]
            streamed = b'"stream":true' in body or b'"stream": true' in body
            loop = asyncio.get_running_loop()
            if self.options.latency_ms:
                loop.call_later(self.options.latency_ms / 1000, self.answer, streamed)
            else:
                self.answer(streamed)

    def answer(self, streamed: bool) -> None:
        """Write the answer, all at once or a chunk at a time."""
        if not streamed:
            self.transport.write(self.plain)
        elif not self.options.chunk_delay_ms:
            for part in self.stream:
                self.transport.write(part)
        else:
            self.send_from(0)

    def send_from(self, position: int) -> None:
        """Write one part of the stream and come back for the next."""
        if self.transport.is_closing():
            return
        self.transport.write(self.stream[position])
        if position + 1 < len(self.stream):
            delay = self.options.chunk_delay_ms / 1000
            asyncio.get_running_loop().call_later(delay, self.send_from, position + 1)


async def serve(options: argparse.Namespace) -> None:
    """Listen until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(options), "127.0.0.1", options.port)
    print(f"ready {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--chunks", type=int, default=64, help="content chunks of a stream")
    parser.add_argument("--chunk-delay-ms", type=float, default=0.0, help="wait between chunks")
    options = parser.parse_args()
    options.plain = plain_answer()
    options.stream = stream_answer(options.chunks)
    try:
        uvloop.run(serve(options))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
