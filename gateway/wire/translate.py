"""The bridge between two different wires: a front codec faces the client, a back codec the server.

A wire that is added brings its codec; nothing here changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gateway.core.conversation import (
    Answer,
    ArgumentsDelta,
    Conversation,
    Ended,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallStarted,
    UsageTold,
    fold,
)
from gateway.core.errors import FairleadError
from gateway.core.failure import AttemptFailure
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.base import Breakable, Encoded, Reply, Sending, StreamReader


class EventWriter(Protocol):
    """Writes one stream for the client."""

    def write(self, event: Event) -> bytes:
        """The client's bytes for one event, maybe none."""
        ...

    def end(self, usage: Usage | None) -> bytes:
        """What closes a complete stream."""
        ...


class FrontCodec(Protocol):
    """The client's wire."""

    def read(self, request: ChatRequest, hidden: Sequence[tuple[str, str]]) -> Conversation:
        """The request in no vendor's words; `hidden` replaces strings by JSON pointer."""
        ...

    def write(self, request: ChatRequest, answer: Answer, *, new_id: str, created: int) -> bytes:
        """A whole answer to that request; `created` is epoch seconds."""
        ...

    def writer(self, request: ChatRequest, *, new_id: str, created: int) -> EventWriter:
        """What writes a stream."""
        ...


class EventReader(Protocol):
    """Reads one stream of the backend."""

    def feed(self, chunk: bytes) -> Sequence[Event]:
        """The events that these bytes, cut anywhere, complete."""
        ...

    def finish(self) -> Sequence[Event]:
        """The events that stood unfinished when the backend closed."""
        ...


class BackCodec(Protocol):
    """The backend's wire."""

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The backend's request bytes and the pointers of what they do not carry."""
        ...

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole answer as events; a `Failed` where it was none."""
        ...

    def reader(self) -> EventReader:
        """What reads a stream."""
        ...


class TranslatingBridge:
    """One client wire to another backend wire; see `gateway.wire.base.Bridge`.

    `new_id` and `created` (epoch seconds) are what the client sees as the answer's identity.
    """

    def __init__(self, front: FrontCodec, back: BackCodec, *, new_id: str, created: int) -> None:
        self._front = front
        self._back = back
        self._new_id = new_id
        self._created = created

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The backend's bytes for the client's request; the same at every call."""
        conversation = self._front.read(request, sending.hidden)
        if sending.logprobs and conversation.logprobs is None:
            # The caller did not ask for them, so that nothing of the request is lost with them.
            origins = {**conversation.origins, "logprobs": ""}
            conversation = msgspec.structs.replace(conversation, logprobs=0, origins=origins)
        encoded = self._back.write(conversation, sending)
        lossy = dict.fromkeys(filter(None, (*conversation.not_understood, *encoded.lossy)))
        return Encoded(body=encoded.body, lossy=tuple(lossy))

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The client's whole answer."""
        answer = fold(self._back.read(body))
        size = _text_size(answer)
        if answer.failure is not None:
            return Reply(body=body, usage=answer.usage, text_size=size, failure=answer.failure)
        written = self._front.write(request, answer, new_id=self._new_id, created=self._created)
        return Reply(body=written, usage=answer.usage, text_size=size)

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        writer = self._front.writer(request, new_id=self._new_id, created=self._created)
        return TranslatingReader(self._back.reader(), writer)


class TranslatingReader:
    """Backend bytes in, client bytes out; see `gateway.wire.base.StreamReader`.

    Nothing is given out before the first event with model output, so that another backend may
    still be tried.
    """

    def __init__(self, reader: EventReader, writer: EventWriter) -> None:
        self.usage: Usage | None = None
        self.text_size = 0
        self.has_content = False
        self.ended = False
        self.failure: AttemptFailure | None = None
        self._reader = reader
        self._writer = writer
        self._waiting: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, cut anywhere; return client bytes (maybe none)."""
        if self.failure is not None or self.ended:
            return b""
        return self._take(self._reader.feed(chunk))

    def finish(self) -> bytes:
        """The upstream closed: what is left, and the end of the client's stream if it is whole."""
        rest = b"" if self.failure is not None or self.ended else self._take(self._reader.finish())
        if self.failure is not None or not self.ended:
            return rest
        return rest + self._writer.end(self.usage)

    def broken(self, error: FairleadError) -> bytes:
        """The writer's own end of a broken stream, if it has one."""
        return self._writer.broken(error) if isinstance(self._writer, Breakable) else b""

    def _take(self, events: Sequence[Event]) -> bytes:
        for event in events:
            self._learn(event)
            if self.failure is not None:
                # What was not given out yet is dropped: it would only lengthen a broken answer.
                return b""
            self._waiting.append(self._writer.write(event))
        if not self.has_content:
            return b""
        passed = b"".join(self._waiting)
        self._waiting.clear()
        return passed

    def _learn(self, event: Event) -> None:
        match event:
            case (
                TextDelta(text)
                | RefusalDelta(text)
                | ReasoningDelta(text)
                | ArgumentsDelta(_, text)
            ):
                self.text_size += len(text.encode("utf-8", "replace"))
                self.has_content = self.has_content or bool(text)
            case ToolCallStarted() | Finished():
                self.has_content = True
            case UsageTold(usage):
                self.usage = usage
            case Ended():
                self.ended = True
            case Failed(failure):
                self.failure = failure.after_content() if self.has_content else failure
            case _:
                pass


def _text_size(answer: Answer) -> int:
    texts = (
        answer.text,
        answer.refusal,
        answer.reasoning,
        *(call.arguments for call in answer.tool_calls),
    )
    return sum(len(text.encode("utf-8", "replace")) for text in texts)
