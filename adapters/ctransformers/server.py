"""The worker's HTTP side: a small ASGI application and the queue in front of the model."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec
import uvicorn

from adapters.ctransformers.answers import Identity, StreamWriter, WholeWriter
from adapters.ctransformers.chat_call import CallRefused, ChatCall, read_call
from adapters.ctransformers.engine import Engine, Prompt
from adapters.ctransformers.events import CallFailed, CallServed, Event
from adapters.ctransformers.generation import Cancelled
from adapters.ctransformers.settings import WorkerSettings

#: The largest request body, in bytes; no context of a model that runs here holds more.
LARGEST_BODY = 32 * 1024 * 1024
#: What a caller that finds the queue full is told to wait, in seconds.
RETRY_AFTER = b"1"
_BROKEN = "The model's server made a mistake."

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def serve(listener: socket.socket, engine: Engine, settings: WorkerSettings) -> None:
    """Serve on a listening socket until a termination signal comes."""
    config = uvicorn.Config(
        Application(engine, settings),
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(config).serve(sockets=[listener])


class _ClientLeft(Exception):
    """The client closed its connection."""


class Application:
    """The ASGI application of one worker."""

    def __init__(self, engine: Engine, settings: WorkerSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._turn = asyncio.Lock()
        self._admitted = 0
        self._model_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        route = (scope["method"], scope["path"])
        if route == ("GET", "/healthz"):
            await _reply(send, 200, self._health())
        elif route == ("GET", "/v1/models"):
            await _reply(send, 200, self._models())
        elif route == ("POST", "/v1/chat/completions"):
            await self._chat(receive, send)
        else:
            refusal = CallRefused("No such path here.", code="unknown_url", status=404)
            await _reply(send, 404, refusal.body())

    async def _chat(self, receive: Receive, send: Send) -> None:
        try:
            call = read_call(await _body(receive), self._settings)
            prompt = self._engine.prepare(call)
            self._admit()
        except CallRefused as refusal:
            await _reply(send, refusal.status, refusal.body())
            return
        except _ClientLeft:
            return
        serving = asyncio.ensure_future(self._serve(call, prompt, send))
        serving.add_done_callback(self._dismiss)
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((serving, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving

    def _admit(self) -> None:
        # One is answered while the queue waits.
        if self._admitted > self._settings.queue:
            message = "The model's queue is full; try again shortly."
            raise CallRefused(message, code="overloaded", status=503)
        self._admitted += 1

    def _dismiss(self, _: asyncio.Future[None]) -> None:
        self._admitted -= 1

    async def _serve(self, call: ChatCall, prompt: Prompt, send: Send) -> None:
        await self._turn.acquire()
        abandoned = threading.Event()
        events: asyncio.Queue[Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def emit(event: Event) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        def work() -> None:
            with suppress(Cancelled):
                self._engine.serve(call, prompt, abandoned.is_set, emit)

        def pass_on(worked: asyncio.Future[None]) -> None:
            # Only now has the thread really stopped, however this call ended.
            self._turn.release()
            if worked.exception() is not None:
                events.put_nowait(CallFailed(CallRefused(_BROKEN, code="internal", status=500)))

        loop.run_in_executor(self._model_thread, work).add_done_callback(pass_on)
        try:
            await self._answer(call, events, send)
        finally:
            abandoned.set()

    async def _answer(self, call: ChatCall, events: asyncio.Queue[Event], send: Send) -> None:
        identity = Identity(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=self._settings.model_name,
        )
        event = await events.get()
        if isinstance(event, CallFailed):
            await _reply(send, event.error.status, event.error.body())
        elif call.stream:
            await _stream(
                StreamWriter(identity, include_usage=call.include_usage), event, events, send
            )
        else:
            await _whole(WholeWriter(identity), event, events, send)

    def _health(self) -> bytes:
        progress = self._engine.progress
        return msgspec.json.encode(
            {
                "status": "ok",
                "model": self._settings.model_name,
                "context_tokens": self._engine.context_tokens,
                "active": int(self._turn.locked()),
                "admitted": self._admitted,
                "prompt_tokens": progress.prompt_tokens,
                "generated_tokens": progress.generated_tokens,
                "answers": progress.answers,
                "cancelled": progress.cancelled,
            }
        )

    def _models(self) -> bytes:
        model = {"id": self._settings.model_name, "object": "model", "created": 0}
        return msgspec.json.encode({"object": "list", "data": [{**model, "owned_by": "local"}]})


async def _stream(
    writer: StreamWriter, event: Event, events: asyncio.Queue[Event], send: Send
) -> None:
    await _start(send, 200, b"text/event-stream")
    while True:
        block = writer.write(event)
        # Tokens that came while the last block was sent go out together.
        while not isinstance(event, CallServed | CallFailed) and not events.empty():
            event = events.get_nowait()
            block += writer.write(event)
        over = isinstance(event, CallServed | CallFailed)
        await send({"type": "http.response.body", "body": block, "more_body": not over})
        if over:
            return
        event = await events.get()


async def _whole(
    writer: WholeWriter, event: Event, events: asyncio.Queue[Event], send: Send
) -> None:
    while not isinstance(event, CallServed | CallFailed):
        writer.take(event)
        event = await events.get()
    if isinstance(event, CallFailed):
        await _reply(send, event.error.status, event.error.body())
    else:
        await _reply(send, 200, writer.body(event))


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientLeft
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise CallRefused("The body is too large.", code="request_too_large", status=413)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reply(send: Send, status: int, body: bytes) -> None:
    extra = ((b"retry-after", RETRY_AFTER),) if status == 503 else ()
    await _start(send, status, b"application/json", (b"content-length", b"%d" % len(body)), *extra)
    await send({"type": "http.response.body", "body": body})


async def _start(
    send: Send, status: int, content_type: bytes, *headers: tuple[bytes, bytes]
) -> None:
    every = [(b"content-type", content_type), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
