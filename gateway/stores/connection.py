"""The hot path's Redis client: one multiplexed connection per gateway.

Rules of this file:
- replies come in the order of the commands, so one queue of futures is enough;
- what one tick of the event loop asks for leaves in one write;
- one timer watches the oldest command; when it is late, the connection is given up;
- after a failure every command fails at once, until a probe in the background succeeds.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence

import hiredis

from gateway.core.errors import StoreUnavailable
from gateway.stores.endpoint import Endpoint, read_endpoint
from gateway.stores.scripts import Script

Argument = bytes | str | int | float
#: What RESP2 knows: text, integers, nothing, and lists of these.
Reply = bytes | int | None | list["Reply"]

#: How long a command may take, in seconds.
TIMEOUT_SECONDS = 0.25
#: Connecting (names, TLS, sign-in) may take so many times longer.
CONNECT_PATIENCE = 4
#: The pause between two probes of a server that does not answer grows between these, in seconds.
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
#: A reply that lies unread in the socket while the loop was busy gets this long to be seen.
_GRACE_SECONDS = 0.01

_MESSAGE = (
    "The gateway cannot reach its ledger, so it will not spend money it cannot record. "
    "Try again shortly."
)


class ConnectionLost(StoreUnavailable):
    """The connection broke after the command was sent: it may or may not have been done."""


class NotSent(StoreUnavailable):
    """Redis was known to be away, so the command was never sent."""


def unavailable(detail: str) -> StoreUnavailable:
    """The error for a store that cannot be asked; `detail` is for operators."""
    return StoreUnavailable(_MESSAGE, detail=detail, retry_after=1.0)


def _lost(detail: str) -> ConnectionLost:
    return ConnectionLost(_MESSAGE, detail=detail, retry_after=1.0)


class _Wire(asyncio.Protocol):
    """One socket: packs commands, matches replies to futures, watches the oldest one.

    `broken` says why the socket is of no use any more; empty while it is.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        timeout: float,
        on_break: Callable[[_Wire, StoreUnavailable], None],
    ) -> None:
        self.broken = ""
        self.gone: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._timeout = timeout
        self._on_break = on_break
        self._reader = hiredis.Reader(replyError=hiredis.ReplyError)
        self._waiting: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._graced = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                self._answer(reply)
        except hiredis.ProtocolError:
            self.give_up("the server does not speak the Redis protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        cause = type(exc).__name__ if exc else "closed by the server"
        self._break(_lost(f"the connection broke ({cause})"))

    def send(self, args: tuple[Argument, ...]) -> asyncio.Future[Reply]:
        """Queue one command; its reply, or the error it met, comes in the future."""
        future: asyncio.Future[Reply] = self._loop.create_future()
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(args))  # type: ignore[arg-type]
        self._waiting.append((future, self._loop.time() + self._timeout))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout, self._check_oldest)
        return future

    def patience(self, timeout: float) -> None:
        """How long replies may take from now on, in seconds; nothing may be waiting."""
        self._timeout = timeout
        # The watch still runs by the old figure.
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def give_up(self, reason: str) -> None:
        """Drop the connection; everything that waits fails with this reason."""
        self._break(_lost(reason))
        self._abort()

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not self.broken and self._transport is not None:
            self._transport.write(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    def _answer(self, reply: object) -> None:
        if not self._waiting:
            self.give_up("the server sent a reply that nobody asked for")
            return
        future, _ = self._waiting.popleft()
        self._graced = False
        if future.done():
            return
        if isinstance(reply, hiredis.ReplyError):
            future.set_exception(reply)
        else:
            future.set_result(reply)  # type: ignore[arg-type]

    def _check_oldest(self) -> None:
        self._watch = None
        if not self._waiting or self.broken:
            return
        left = self._waiting[0][1] - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._check_oldest)
        elif not self._graced:
            self._graced = True
            self._watch = self._loop.call_later(_GRACE_SECONDS, self._check_oldest)
        else:
            # Sending again would only wait again, so this is not a lost connection.
            self._break(unavailable(f"no reply within {self._timeout} s"))
            self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _break(self, failure: StoreUnavailable) -> None:
        if self.broken:
            return
        self.broken = failure.detail
        self._on_break(self, failure)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        waiting, self._waiting = self._waiting, deque()
        for future, _ in waiting:
            if not future.done():
                future.set_exception(failure)
        if not self.gone.done():
            self.gone.set_result(None)


class RedisConnection:
    """A multiplexed connection that keeps itself alive.

    The first command connects; `open` does so beforehand. Commands are awaited with the
    timeout given (seconds); while Redis is away they raise `StoreUnavailable` at once.
    """

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.endpoint: Endpoint = read_endpoint(url)
        self._timeout = timeout_seconds
        self._connect_timeout = CONNECT_PATIENCE * timeout_seconds
        self._wire: _Wire | None = None
        self._version = (0, 0)
        self._keeper: asyncio.Task[None] | None = None
        # A future while an outcome is worth waiting for (the first try after a good time);
        # None while the server is known to be away.
        self._outcome: asyncio.Future[None] | None = None
        self._reason = "not connected yet"

    def __repr__(self) -> str:
        return f"RedisConnection({self.endpoint.label})"

    @property
    def available(self) -> bool:
        """Whether the last thing heard of the server was good."""
        return self._wire is not None and not self._wire.broken

    @property
    def reason(self) -> str:
        """Why the server is not available, for operators; empty while it is."""
        return "" if self.available else self._reason

    async def open(self) -> None:
        """Connect.

        Raises:
            StoreUnavailable: the server does not answer; it is probed on in the background.
        """
        await self._connected(self._connect_timeout)

    async def close(self) -> None:
        """Stop probing and close the socket; commands still waiting fail."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        if self._wire is not None:
            self._wire.give_up("the gateway closed the connection")
            self._wire = None
        self._outcome = None
        self._reason = "closed"

    async def execute(self, *args: Argument, idempotent: bool = False) -> Reply:
        """Run one command. An idempotent one is sent again once if its connection broke.

        Raises:
            StoreUnavailable: no answer in time, or the server refuses to work (`detail`).
        """
        wire = self._wire
        if wire is None or wire.broken:
            wire = await self._connected(self._timeout)
        try:
            try:
                return await wire.send(args)
            except ConnectionLost:
                if not idempotent:
                    raise
                return await (await self._connected(self._timeout)).send(args)
        except hiredis.ReplyError as refusal:
            raise unavailable(f"Redis refused {args[0]!s}: {refusal}") from None

    async def run(
        self,
        script: Script,
        keys: Sequence[Argument],
        args: Sequence[Argument],
        *,
        idempotent: bool = True,
    ) -> Reply:
        """Run a Lua script by its name, loading it first where the server does not know it.

        Raises:
            StoreUnavailable: no answer in time, or the script could not run (`detail`).
        """
        wire = self._wire
        if wire is None or wire.broken:
            wire = await self._connected(self._timeout)
        sha, source = script.for_server(self._version)
        command = ("EVALSHA", sha, len(keys), *keys, *args)
        try:
            return await wire.send(command)
        except ConnectionLost:
            if not idempotent:
                raise
        except hiredis.ReplyError as refusal:
            if not str(refusal).startswith("NOSCRIPT"):
                raise unavailable(f"Redis refused {script.name}.lua: {refusal}") from None
        # A script that is unknown did nothing, so asking again is safe for any of them; and a
        # server that came back new knows none.
        try:
            await self.execute("SCRIPT", "LOAD", source, idempotent=True)
            return await self.execute(*command)
        except NotSent as failure:
            raise unavailable(failure.detail) from None

    async def _connected(self, patience: float) -> _Wire:
        """The live wire; waits only while the first connect or reconnect is under way."""
        if self._keeper is None:
            loop = asyncio.get_running_loop()
            self._outcome = loop.create_future()
            self._keeper = loop.create_task(self._keep(), name="redis-connection")
        if self._outcome is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._outcome), patience)
        wire = self._wire
        if wire is None or wire.broken:
            raise NotSent(_MESSAGE, detail=self._reason, retry_after=1.0)
        return wire

    async def _keep(self) -> None:
        """Connect, watch, and connect again, for as long as the gateway lives."""
        pause = SHORTEST_PAUSE
        while True:
            wire = await self._try_connect()
            if self._outcome is not None and not self._outcome.done():
                self._outcome.set_result(None)
            self._outcome = None
            if wire is not None:
                pause = SHORTEST_PAUSE
                await wire.gone
                continue
            # Jitter, so that many gateways do not knock in step.
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311
            pause = min(LONGEST_PAUSE, pause * 2)

    def _note_break(self, wire: _Wire, failure: StoreUnavailable) -> None:
        """A connection that broke is worth waiting for one reconnect; a silent server is not."""
        if wire is self._wire:
            self._reason = failure.detail
            if isinstance(failure, ConnectionLost):
                self._outcome = asyncio.get_running_loop().create_future()

    async def _try_connect(self) -> _Wire | None:
        loop = asyncio.get_running_loop()
        wire = _Wire(loop, self._connect_timeout, self._note_break)
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._open_socket(loop, wire)
                self._version = await _greet(wire, self.endpoint)
        except (OSError, TimeoutError, StoreUnavailable, hiredis.ReplyError) as problem:
            self._reason = f"{self.endpoint.label}: {_reason_of(problem)}"
            wire.give_up(self._reason)
            return None
        except BaseException:
            wire.give_up("the gateway closed the connection")
            raise
        wire.patience(self._timeout)
        self._wire = wire
        return wire

    async def _open_socket(self, loop: asyncio.AbstractEventLoop, wire: _Wire) -> None:
        endpoint = self.endpoint
        if endpoint.path:
            await loop.create_unix_connection(lambda: wire, endpoint.path)
        else:
            await loop.create_connection(
                lambda: wire, endpoint.host, endpoint.port, ssl=endpoint.tls_context()
            )


async def _greet(wire: _Wire, endpoint: Endpoint) -> tuple[int, int]:
    """Sign in and learn the server's version; a server that still loads its log refuses."""
    commands = [*endpoint.greeting(), ("PING",), ("INFO", "server")]
    outcomes = await asyncio.gather(*map(wire.send, commands), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    text = bytes(outcomes[-1]).decode()  # type: ignore[arg-type]
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    major, minor = fields.get("redis_version", "6.2").split(".")[:2]
    return int(major), int(minor)


def _reason_of(problem: BaseException) -> str:
    if isinstance(problem, StoreUnavailable):
        return problem.detail
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    return str(problem) or type(problem).__name__
