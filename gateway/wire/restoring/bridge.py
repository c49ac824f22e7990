"""A bridge whose answers come with hidden values put back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.errors import FairleadError
from gateway.core.failure import AttemptFailure
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.base import Breakable, Bridge, Encoded, Reply, Sending, StreamReader
from gateway.wire.restoring.base import Block, Events, Masks, decoded, encoded
from gateway.wire.restoring.chat import ChatEvents
from gateway.wire.restoring.messages import MessagesEvents
from gateway.wire.restoring.responses import ResponsesEvents
from gateway.wire.sse import SseParser

_EVENTS: Mapping[str, Callable[[Masks], Events]] = MappingProxyType(
    {
        "openai_chat": ChatEvents,
        "openai_completions": ChatEvents,
        "openai_responses": ResponsesEvents,
        "anthropic_messages": MessagesEvents,
    }
)


class RestoringBridge:
    """Another bridge, and what its answers are restored with; see `gateway.wire.base.Bridge`."""

    def __init__(self, bridge: Bridge, values: Mapping[str, str]) -> None:
        self._bridge = bridge
        self._values = values

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The backend's request bytes: nothing is put back there."""
        return self._bridge.encode(request, sending)

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The whole answer with the values in it."""
        reply = self._bridge.reply(request, body)
        if reply.failure is not None:
            return reply
        return msgspec.structs.replace(reply, body=self._masks(request).body(reply.body))

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        events = _EVENTS[request.wire](self._masks(request))
        return RestoringReader(self._bridge.stream(request), events)

    def _masks(self, request: ChatRequest) -> Masks:
        return Masks(self._values, is_json=request.needs.schema)


class RestoringReader:
    """A reader of a stream whose events are restored; see `gateway.wire.base.StreamReader`."""

    def __init__(self, reader: StreamReader, events: Events) -> None:
        self._reader = reader
        self._events = events
        self._sse = SseParser()

    @property
    def usage(self) -> Usage | None:
        """As the inner reader was told."""
        return self._reader.usage

    @property
    def has_content(self) -> bool:
        """Whether model output came; the beginning of a placeholder counts."""
        return self._reader.has_content

    @property
    def ended(self) -> bool:
        """Whether the backend's end marker was seen."""
        return self._reader.ended

    @property
    def failure(self) -> AttemptFailure | None:
        """Why the stream broke, if it did."""
        return self._reader.failure

    @property
    def text_size(self) -> int:
        """Bytes of model output so far, as the model wrote it."""
        return self._reader.text_size

    def feed(self, chunk: bytes) -> bytes:
        """The client's bytes for these of the backend."""
        return self._restored(self._sse.feed(self._reader.feed(chunk)))

    def finish(self) -> bytes:
        """What is left to send when the upstream closed cleanly."""
        passed = self._restored(self._sse.feed(self._reader.finish()))
        return passed + self._restored(self._sse.finish()) + _written(self._events.rest())

    def broken(self, error: FairleadError) -> bytes:
        """The inner reader's own end of a broken stream, if it has one."""
        if not isinstance(self._reader, Breakable):
            return b""
        return _written(self._events.rest()) + self._reader.broken(error)

    def _restored(self, told: Iterable[tuple[str, bytes]]) -> bytes:
        pieces = []
        for name, payload in told:
            event = decoded(payload)
            if isinstance(event, dict):
                pieces.append(_written(self._events.take(event), bare=not name))
                continue
            if payload.strip() == b"[DONE]":
                pieces.append(_written(self._events.rest(), bare=True))
            pieces.append(_block(name, payload))
        return b"".join(pieces)


def _written(events: Iterable[tuple[str, Block]], *, bare: bool = False) -> bytes:
    return b"".join(_block("" if bare else name, encoded(event)) for name, event in events)


def _block(name: str, payload: bytes) -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return b"%sdata: %s\n\n" % (head, payload)
