"""A load generator of its own process: raw connections, a fixed number of requests or a rate.

    python -m ops.bench.load http://127.0.0.1:9100/v1/chat/completions --connections 32 \\
        --requests 1000 --seconds 5 [--rate 200] [--stream] [--header 'authorization: Bearer KEY']

It prints one JSON object. With `--rate`, latency counts from when a request was due, so a slow
target cannot hide its queue. An answer that is not 200, or a stream without `[DONE]`, is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from typing import cast
from urllib.parse import urlsplit

import uvloop

#: How long unanswered requests may still take after the last one was sent, in seconds.
GRACE_SECONDS = 60.0

PROMPT = (
    "Summarise the following report in three sentences for a colleague who was away. "
    "The spring release went out on a Tuesday, two weeks later than planned, because the import "
    "of old accounts took longer than the team had measured on the small test set. Once it was "
    "out, sign-ups rose by a tenth and questions to support fell by a third, mostly because the "
    "new start page says plainly what each plan contains. Three things still hurt: search is slow "
    "for customers with many folders, the mobile layout hides the second menu, and people keep "
    "asking how to undo a bulk change. "
)


def request_body(stream: bool, size: int) -> bytes:
    """A chat request of about `size` bytes of ordinary English."""
    text = (PROMPT * (size // len(PROMPT) + 1))[:size]
    body: dict[str, object] = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "You are a careful assistant. Answer in plain words."},
            {"role": "user", "content": text},
        ],
        "max_tokens": 128,
        "temperature": 0.2,
    }
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body, separators=(",", ":")).encode()


class Run:
    """What is sent, how much of it is still to be sent, and what came back."""

    def __init__(self, options: argparse.Namespace) -> None:
        address = urlsplit(options.url)
        self.host = address.hostname or "127.0.0.1"
        self.port = address.port or 80
        body = request_body(options.stream, options.body_bytes)
        headers = "".join(f"{line}\r\n" for line in options.header)
        self.message = (
            f"POST {address.path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\n"
            f"content-type: application/json\r\n{headers}content-length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.stream: bool = options.stream
        self.to_send: int = options.requests
        self.paced = options.rate > 0
        self.begun = 0
        self.latencies: list[float] = []
        self.errors = 0
        self.example = ""
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.stopped = False
        self.finished = asyncio.Event()

    def more(self) -> bool:
        """Whether another request may be sent; counts it."""
        if self.stopped or self.begun >= self.to_send:
            return False
        self.begun += 1
        return True

    def done(self, connection: Connection, seconds: float, error: str) -> None:
        """Book one answer and give the connection its next request."""
        self.latencies.append(seconds)
        if error:
            self.errors += 1
            self.example = self.example or error
        if not connection.closed:
            if self.paced:
                if self.due:
                    connection.send(self.due.popleft())
                else:
                    self.idle.append(connection)
            elif self.more():
                connection.send(time.perf_counter())
        self.check_finished()

    def check_finished(self) -> None:
        """Set `finished` when nothing is left to send or to wait for."""
        if len(self.latencies) >= self.begun and (self.stopped or self.begun >= self.to_send):
            self.finished.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.transport: asyncio.Transport
        self.closed = False
        self.busy = False
        self.started = 0.0
        self.head = b""
        self.status = b""
        self.left = -1
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def send(self, started: float) -> None:
        """Send one request that counts from `started`."""
        self.busy, self.started = True, started
        self.head, self.status, self.left, self.tail = b"", b"", -1, b""
        self.transport.write(self.run.message)

    def data_received(self, received: bytes) -> None:
        """Read on to the end of the answer."""
        if not self.status:
            self.head += received
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, received = self.head[:end].lower(), self.head[end + 4 :]
            self.status = head[9:12]
            mark = head.find(b"content-length:")
            if mark >= 0:
                self.left = int(head[mark + 15 :].split(b"\r\n", 1)[0])
        self.tail = (self.tail + received)[-512:]
        if self.left >= 0:
            self.left -= len(received)
            ended = self.left <= 0
        else:
            ended = self.tail.endswith(b"\r\n0\r\n\r\n")
        if ended:
            self.complete()

    def complete(self) -> None:
        """The answer is whole: was it a good one?"""
        error = ""
        if self.status != b"200":
            error = f"status {self.status.decode()}: {self.tail[:300].decode(errors='replace')}"
        elif self.run.stream and b"[DONE]" not in self.tail:
            error = "stream without [DONE]"
        self.busy = False
        self.run.done(self, time.perf_counter() - self.started, error)

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that closes under a request is an error of the target."""
        self.closed = True
        if self.busy:
            self.busy = False
            self.run.done(self, time.perf_counter() - self.started, f"connection lost: {error}")


async def pace(run: Run, rate: float) -> None:
    """Make requests due at a fixed rate, whatever the target does."""
    first = time.perf_counter()
    while run.more():
        due = first + (run.begun - 1) / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        if run.idle:
            run.idle.popleft().send(due)
        else:
            run.due.append(due)


async def generate(options: argparse.Namespace) -> dict[str, float | int | str]:
    """Open the connections, send, and sum up."""
    run = Run(options)
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Connection(run), run.host, run.port))[1]
        for _ in range(options.connections)
    ]
    started = time.perf_counter()
    pacing: asyncio.Task[None] | None = None
    if run.paced:
        run.idle.extend(opened)
        pacing = asyncio.create_task(pace(run, options.rate))
    else:
        for connection in opened:
            if run.more():
                connection.send(time.perf_counter())
    try:
        async with asyncio.timeout(options.seconds):
            await run.finished.wait()
    except TimeoutError:
        run.stopped = True
        run.begun -= len(run.due)
        run.due.clear()
        run.check_finished()
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await run.finished.wait()
        except TimeoutError:
            run.errors += run.begun - len(run.latencies)
            run.example = run.example or "no answer in time"
    seconds = time.perf_counter() - started
    if pacing is not None:
        pacing.cancel()
    for connection in opened:
        connection.transport.close()
    return summary(run, seconds)


def summary(run: Run, seconds: float) -> dict[str, float | int | str]:
    """The figures of one run; latencies in milliseconds."""
    ordered = sorted(run.latencies) or [0.0]

    def quantile(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)

    return {
        "requests": len(run.latencies),
        "errors": run.errors,
        "example": run.example,
        "seconds": round(seconds, 3),
        "rps": round(len(run.latencies) / seconds, 1),
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
    }


def main() -> None:
    """Read the options, run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--requests", type=int, default=1000, help="send no more than this")
    parser.add_argument("--seconds", type=float, default=10.0, help="stop sending after this")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: at once")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--body-bytes", type=int, default=1800, help="length of the user's text")
    parser.add_argument("--header", action="append", default=[], help="'name: value', repeatable")
    print(json.dumps(uvloop.run(generate(parser.parse_args()))))


if __name__ == "__main__":
    main()
