"""The client's side of one HTTP exchange, over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from gateway.core.errors import InvalidRequest, RequestTooLarge

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

#: How much of a refused body is read and thrown away so that the client sees our answer; bytes.
_DRAIN_BYTES = 64 * 1024 * 1024
#: How long a request may run before anyone watches whether its client is still there; seconds.
_WATCH_AFTER_SECONDS = 0.2


class ClientDisconnected(Exception):
    """The client left before its request was complete."""


class Tape:
    """A copy of a response as it goes out, as long as it has at most `limit` bytes of body."""

    def __init__(self, limit: int) -> None:
        self.status = 0
        self.headers: Headers = []
        self.whole = False
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def fits(self) -> bool:
        """Whether everything so far could be kept."""
        return self._size <= self._limit

    @property
    def body(self) -> bytes:
        """The body so far; incomplete when it does not fit."""
        return b"".join(self._chunks)

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Note status and headers; returns the headers to send, which say if nothing is kept."""
        self.status, self.headers = status, list(headers)
        promised = int(dict(self.headers).get(b"content-length", b"0"))
        if promised <= self._limit:
            return self.headers
        return [*self.headers, (b"x-fairlead-idempotent-kept", b"false")]

    def add(self, chunk: bytes) -> None:
        """Note a part of the body, or forget all of it once it is too large."""
        self._size += len(chunk)
        if self.fits:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()


class Client:
    """Reads one request's body, writes its response and notices when the client leaves."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: str = scope.get("path", "")
        self.tape: Tape | None = None
        self.started = False
        self.gone = False

    def header(self, name: bytes) -> str:
        """A request header's text (lower-case name), or an empty string."""
        return self.headers.get(name, b"").decode("latin-1")

    async def body(self, limit: int) -> bytes:
        """The whole request body.

        Raises:
            RequestTooLarge: it is over `limit` bytes (the rest is drained, not kept).
            ClientDisconnected: the client left before the end.
        """
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                raise ClientDisconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= limit:
                chunks.append(chunk)
            elif size > limit + _DRAIN_BYTES:
                break
            if not message.get("more_body", False):
                break
        if size > limit:
            raise RequestTooLarge(
                f"The request body is larger than {limit} bytes. Send less, or raise "
                "FAIRLEAD_MAX_BODY_BYTES on the gateway."
            )
        if not size:
            raise InvalidRequest("The request body is empty; send a JSON object.")
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Send the response's status line and headers."""
        self.started = True
        if self.tape is not None:
            headers = self.tape.begin(status, headers)
        await self._send(
            {"type": "http.response.start", "status": status, "headers": list(headers)}
        )

    async def write(self, chunk: bytes) -> None:
        """Send a part of the response's body."""
        if self.tape is not None:
            self.tape.add(chunk)
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self, chunk: bytes = b"") -> None:
        """Send the last part of the response's body."""
        if self.tape is not None:
            self.tape.add(chunk)
            self.tape.whole = True
        await self._send({"type": "http.response.body", "body": chunk, "more_body": False})

    def watch(self) -> Watch:
        """Cancel the current task when the client leaves; see `Watch`."""
        return Watch(self)

    async def _wait_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True


async def _drop(message: Message) -> None:
    """What is sent to nobody."""


def nobody(headers: Iterable[tuple[bytes, bytes]] = (), send: Send = _drop) -> Client:
    """The client of a call that no client waits for: it never leaves.

    Args:
        headers: those of the request that the call is made for.
        send: takes what a client would be sent; by default it is lost.
    """
    return Client({"headers": list(headers)}, _nothing_comes, send)


async def _nothing_comes() -> Message:
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}


class Watch:
    """While entered, the client's leaving cancels the task that entered it.

    The watcher only starts after a short while, so that quick requests do not pay for it; a
    client that leaves is noticed well within half a second.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._watcher: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._owner: asyncio.Task[Any] | None = None

    def __enter__(self) -> Watch:
        self._owner = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_SECONDS, self._begin)
        return self

    def __exit__(self, *exc: object) -> None:
        self._owner = None
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _begin(self) -> None:
        self._watcher = asyncio.ensure_future(self._client._wait_gone())
        self._watcher.add_done_callback(self._left)

    def _left(self, watcher: asyncio.Task[None]) -> None:
        if not watcher.cancelled() and watcher.exception() is None and self._owner is not None:
            self._owner.cancel()
