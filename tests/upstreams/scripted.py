"""A scripted model server over real HTTP on loopback.

It answers each request by the next script (the last one is repeated), keeps every request it
received, counts connections at the socket, and notices when the client goes away.

    async with ScriptedUpstream(openai_chat.stream("Hello", usage=(3, 2))) as upstream:
        ... call f"{upstream.url}/v1/chat/completions" ...
        assert upstream.connections == 1
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

Framing = Literal["length", "chunked", "close"]
Ending = Literal["clean", "cut", "hang"]


@dataclass(frozen=True)
class Script:
    """One answer, played piece by piece.

    `pieces` are written one at a time, `pause` seconds apart, each as its own HTTP chunk.
    `before` is the wait in seconds before the status line. `ending` says what follows the last
    piece: a proper end, a broken connection inside the body, or silence until the client goes.
    `status` 0 sends nothing at all and closes the connection.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    pieces: tuple[bytes, ...] = ()
    framing: Framing = "length"
    ending: Ending = "clean"
    before: float = 0.0
    pause: float = 0.0


@dataclass
class Received:
    """One request as it arrived; `gone_at` is the loop time at which its client left early."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw_head: bytes
    connection: int
    at: float
    sent: int = 0
    finished: bool = False
    gone_at: float | None = None
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((text for key, text in self.headers if key.lower() == name.lower()), None)

    @property
    def json(self) -> Any:
        """The body, decoded; an empty object where it is no JSON object."""
        try:
            decoded = json.loads(self.body)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}


Answering = Script | Callable[[Received], Script]


class ScriptedUpstream:
    """The server; an async context manager. `url` has no path: add `/v1` where wanted."""

    def __init__(
        self,
        *scripts: Answering,
        port: int = 0,
        socket_path: str | Path | None = None,
        remember: bool = True,
    ) -> None:
        self.scripts: list[Answering] = list(scripts)
        self.requests: list[Received] = []
        self.connections = 0
        self.open_connections = 0
        self._port = port
        self._remember = remember
        self._socket_path = str(socket_path) if socket_path else ""
        self._server: asyncio.Server | None = None
        self._connected: set[_Connection] = set()

    async def __aenter__(self) -> ScriptedUpstream:
        loop = asyncio.get_running_loop()
        if self._socket_path:
            self._server = await loop.create_unix_server(
                lambda: _Connection(self), self._socket_path
            )
        else:
            self._server = await loop.create_server(
                lambda: _Connection(self), "127.0.0.1", self._port
            )
            self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connected):
            connection.end()
        await asyncio.sleep(0)

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL without a path."""
        if self._socket_path:
            return "http+unix://" + self._socket_path.replace("/", "%2F")
        return f"http://127.0.0.1:{self._port}"

    @property
    def unsent(self) -> int:
        """Bytes that were played but that clients have not taken yet."""
        return sum(connection.unsent for connection in self._connected)

    def then(self, *scripts: Answering) -> None:
        """Replace what is still to be played."""
        self.scripts[:] = scripts

    async def gone(self, number: int = -1, within: float = 5.0) -> Received:
        """Wait until the client of that request went away before its answer was finished."""
        received = self.requests[number]
        await asyncio.wait_for(received.gone.wait(), within)
        return received

    async def received(self, count: int = 1, within: float = 5.0) -> Received:
        """Wait until that many requests arrived; the last of them."""
        async with asyncio.timeout(within):
            while len(self.requests) < count:
                await asyncio.sleep(0.002)
        return self.requests[count - 1]

    def keep(self, received: Received) -> None:
        """Note a request, unless the server was told to forget them."""
        if self._remember:
            self.requests.append(received)

    def next_script(self, received: Received) -> Script:
        """The script for a request; a server without scripts answers 500."""
        if not self.scripts:
            return Script(status=500, pieces=(b'{"error":{"message":"no script left"}}',))
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        return script(received) if callable(script) else script

    def opened(self, connection: _Connection) -> int:
        """Count a connection that was accepted; its number."""
        self._connected.add(connection)
        self.connections += 1
        self.open_connections += 1
        return self.connections

    def closed(self, connection: _Connection) -> None:
        """Count a connection that ended."""
        self._connected.discard(connection)
        self.open_connections -= 1


class _Connection(asyncio.Protocol):
    """One accepted connection: reads requests one after the other and plays their scripts."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._buffer = b""
        self._playing: asyncio.Task[None] | None = None
        self._current: Received | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._number = self._upstream.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.closed(self)
        current = self._current
        if current is not None and not current.finished:
            current.gone_at = asyncio.get_running_loop().time()
            current.gone.set()
        if self._playing is not None:
            self._playing.cancel()

    @property
    def unsent(self) -> int:
        """Bytes that wait in this process because the client does not read."""
        return self._transport.get_write_buffer_size()

    def end(self) -> None:
        """Close from the server's side."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._begin()

    def _begin(self) -> None:
        if self._playing is not None and not self._playing.done():
            return
        received = self._parse()
        if received is None:
            return
        self._current = received
        self._upstream.keep(received)
        self._playing = asyncio.get_running_loop().create_task(self._play(received))
        self._playing.add_done_callback(self._played)

    def _played(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if task.exception() is not None:  # a mistake in a script shows as a broken connection
            self._transport.abort()
        elif self._buffer:
            self._begin()

    def _parse(self) -> Received | None:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = tuple((n.strip(), v.strip()) for n, _, v in (x.partition(":") for x in lines))
        length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        method, path, _ = request_line.split(" ", 2)
        now = asyncio.get_running_loop().time()
        return Received(method, path, headers, rest[:length], head, self._number, now)

    async def _play(self, received: Received) -> None:
        script = self._upstream.next_script(received)
        if script.before:
            await asyncio.sleep(script.before)
        if script.status == 0:
            if script.ending == "hang":
                await asyncio.Event().wait()
            received.finished = True
            self._transport.abort()
            return
        self._transport.write(_head(script))
        for number, piece in enumerate(script.pieces):
            if number and script.pause:
                await asyncio.sleep(script.pause)
            self._transport.write(_framed(script, piece))
            received.sent += 1
            await asyncio.sleep(0)
        await self._finish(script, received)

    async def _finish(self, script: Script, received: Received) -> None:
        if script.ending == "hang":
            await asyncio.Event().wait()
        received.finished = True
        if script.ending == "cut":
            self._transport.close()  # what was written goes out, the promised rest never does
            return
        if script.framing == "chunked":
            self._transport.write(b"0\r\n\r\n")
        if script.framing == "close":
            self._transport.close()


def _head(script: Script) -> bytes:
    headers = list(script.headers)
    if script.framing == "chunked":
        headers.append(("transfer-encoding", "chunked"))
    elif script.framing == "length":
        promised = sum(map(len, script.pieces)) + (1000 if script.ending != "clean" else 0)
        headers.append(("content-length", str(promised)))
    else:
        headers.append(("connection", "close"))
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers)
    return f"HTTP/1.1 {script.status} Scripted\r\n{lines}\r\n".encode("latin-1")


def _framed(script: Script, piece: bytes) -> bytes:
    if script.framing != "chunked":
        return piece
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def closed_port() -> int:
    """A TCP port on 127.0.0.1 that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sse(events: Iterable[tuple[str, object]], *, newline: bytes = b"\n") -> tuple[bytes, ...]:
    """Server-sent events, one piece each; a `str` payload is written as it is."""
    pieces = []
    for name, payload in events:
        text = payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)
        head = b"event: " + name.encode() + newline if name else b""
        pieces.append(head + b"data: " + text + newline + newline)
    return tuple(pieces)


def sse_script(
    pieces: Iterable[bytes],
    *,
    pause: float = 0.0,
    before: float = 0.0,
    ending: Ending = "clean",
    framing: Framing = "chunked",
) -> Script:
    """A stream of those pieces."""
    return Script(
        headers=(("content-type", "text/event-stream; charset=utf-8"),),
        pieces=tuple(pieces),
        framing=framing,
        ending=ending,
        before=before,
        pause=pause,
    )
