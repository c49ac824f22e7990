"""Structured output from backends that have none: asked for in words, checked, asked for again.

A backend that cannot be held to a schema is told of it in the prompt. Its answer goes to the
client only when it obeys; else the attempt has failed, and the next attempt of the same deployment
is told what was wrong. That is done once: a model that fails twice is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.core.conversation import (
    Conversation,
    Ended,
    Event,
    Failed,
    Message,
    Text,
    TextDelta,
    fold,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.answer_check import json_inside, problem_with
from gateway.wire.base import Encoded, Sending
from gateway.wire.translate import BackCodec, EventReader

Schema = Mapping[str, object]
_ANY_OBJECT: Schema = {"type": "object"}


def no_schema(schema: Schema) -> bool:
    """For backends that can be held to none."""
    return False


class GuidedBack:
    """A back codec whose backend cannot be held to every schema; made for one attempt.

    `native` says which schemas the backend enforces itself. See
    `gateway.wire.translate.BackCodec`.
    """

    def __init__(self, back: BackCodec, native: Callable[[Schema], bool] = no_schema) -> None:
        self._back = back
        self._native = native
        self._schema: Schema | None = None
        self._repairing = False

    def write(self, conversation: Conversation, sending: Sending) -> Encoded:
        """The request, with the schema told in words."""
        wanted = wanted_schema(conversation)
        self._schema = None if wanted is None or self._native(wanted) else wanted
        self._repairing = bool(sending.correction)
        if self._schema is None:
            return self._back.write(conversation, sending)
        # The JSON in the answer is cut out of it, and its tokens do not say where they stood.
        lossy = () if conversation.logprobs is None else (conversation.origin("logprobs"),)
        conversation = guide(conversation, self._schema, sending.correction)
        encoded = self._back.write(conversation, sending)
        return msgspec.structs.replace(encoded, lossy=(*encoded.lossy, *lossy))

    def read(self, body: bytes) -> Sequence[Event]:
        """A whole answer as events; `Failed` where it does not obey."""
        return self.check(self._back.read(body))

    def reader(self) -> EventReader:
        """What reads a stream."""
        reader = self._back.reader()
        return reader if self._schema is None else _HoldingReader(reader, self)

    def check(self, events: Sequence[Event]) -> Sequence[Event]:
        """The events of a whole answer, its text reduced to the JSON in it."""
        if self._schema is None:
            return events
        answer = fold(events)
        # Calls, refusals and cut answers are no documents; they pass as they would elsewhere.
        if answer.failure is not None or answer.finish != "stop" or answer.refusal:
            return events
        document = json_inside(answer.text)
        if document is None:
            return [*events, self._disobeyed("the answer is not a JSON document")]
        problem = problem_with(document, self._schema)
        if problem:
            return [*events, self._disobeyed(problem)]
        first = next(at for at, event in enumerate(events) if isinstance(event, TextDelta))
        others = [event for event in events[first:] if not isinstance(event, TextDelta)]
        return [*events[:first], TextDelta(document), *others]

    def _disobeyed(self, problem: str) -> Failed:
        return Failed(
            AttemptFailure(
                kind=FailureKind.BAD_RESPONSE,
                detail="the answer does not obey the schema that was asked for",
                correction=problem,
                again=not self._repairing,
            )
        )


class _HoldingReader:
    """Holds a stream back until its end: what the client has seen cannot be asked for again."""

    def __init__(self, reader: EventReader, back: GuidedBack) -> None:
        self._reader = reader
        self._back = back
        self._held: list[Event] = []

    def feed(self, chunk: bytes) -> Sequence[Event]:
        """Nothing, before the stream has ended or failed."""
        return self._take(self._reader.feed(chunk))

    def finish(self) -> Sequence[Event]:
        """The whole answer; what was held of one that was cut, so that it is accounted for."""
        released = self._take(self._reader.finish())
        if released or not self._held:
            return released
        return self._release()

    def _take(self, events: Sequence[Event]) -> Sequence[Event]:
        self._held += events
        if not any(isinstance(event, Ended | Failed) for event in events):
            return []
        return self._back.check(self._release())

    def _release(self) -> list[Event]:
        held, self._held = self._held, []
        return held


def guide(conversation: Conversation, schema: Schema, correction: str) -> Conversation:
    """The conversation with the schema in its system prompt and the mistake after its last turn."""
    rule = (
        "Answer with one JSON document and nothing else: no explanation, no code fence. "
        "It must obey this JSON schema:\n" + msgspec.json.encode(schema).decode()
    )
    messages = list(conversation.messages)
    if messages and messages[0].role == "system":
        first = messages[0]
        parts = (*first.parts, Text(rule))
        messages[0] = msgspec.structs.replace(first, parts=parts)
    else:
        messages.insert(0, Message(role="system", parts=(Text(rule),)))
    if correction:
        told = f"An earlier answer to this was refused ({correction}). Answer with correct JSON."
        messages.append(Message(role="user", parts=(Text(told),)))
    return msgspec.structs.replace(
        conversation,
        messages=tuple(messages),
        answer_schema=None,
        answer_json=False,
        logprobs=None,
    )


def wanted_schema(conversation: Conversation) -> Schema | None:
    """The schema that the answer must obey; None where the caller asks for none."""
    if conversation.answer_schema is not None:
        return conversation.answer_schema
    return _ANY_OBJECT if conversation.answer_json else None
