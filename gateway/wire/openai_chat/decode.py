"""Answers of servers that speak OpenAI chat as events: whole at once, or chunk by chunk.

Servers differ (each rule was met in one of them): a tool call comes without an index, without an
id, with the same index as its neighbour, whole or in pieces, with its arguments as an object or
not at all; usage comes last, in every chunk, as zeros or never; the end marker is forgotten;
`finish_reason` says `stop` after a tool call; an error comes under status 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.core.conversation import (
    Ended,
    Event,
    Failed,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    UsageTold,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.failures import vendor_failure
from gateway.wire.lenient import dict_of, list_of, object_of, text_of
from gateway.wire.openai_chat.calls import CallReader
from gateway.wire.openai_chat.usage import read_usage
from gateway.wire.sse import EventTooLarge, SseParser

_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {
        "stop": "stop",
        "eos": "stop",
        "eos_token": "stop",
        "end_turn": "stop",
        "stop_sequence": "stop",
        "length": "length",
        "max_tokens": "length",
        "model_length": "length",
        "tool_calls": "tool_calls",
        "tool_use": "tool_calls",
        "function_call": "tool_calls",
        "content_filter": "content_filter",
    }
)
_NOT_OURS = AttemptFailure(
    kind=FailureKind.BAD_RESPONSE, detail="the answer is not a chat completion"
)


def read_completion(body: bytes) -> list[Event]:
    """A whole completion as the events that its stream would have been."""
    completion = object_of(body)
    choices = completion.get("choices") if completion is not None else None
    if completion is None or completion.get("error") or not isinstance(choices, list):
        return [Failed(_no_completion(completion, body))]
    reading = _Choice(completion)
    events: list[Event] = [Started(text_of(completion.get("model")))]
    choice = _first(choices)
    events += reading.take(dict_of(choice.get("message")))
    events += reading.finish(choice.get("finish_reason") or "stop", body)
    usage = read_usage(completion.get("usage"))
    if usage is not None:
        events.append(UsageTold(usage))
    if not isinstance(events[-1], Failed):
        events.append(Ended())
    return events


class CompletionReader:
    """Reads one stream; see `gateway.wire.translate.EventReader`."""

    def __init__(self) -> None:
        self._sse = SseParser()
        self._reading: _Choice | None = None
        self._finished = False
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        try:
            told = self._sse.feed(chunk)
        except EventTooLarge as error:
            return self._broken(AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=str(error)))
        return self._read([payload for _, payload in told])

    def finish(self) -> list[Event]:
        """The event that stood unfinished, if it was whole, and an end marker that is missing."""
        left = [payload for _, payload in self._sse.finish()]
        events = self._read([payload for payload in left if _is_whole(payload)])
        if self._finished and not self._over:
            self._over = True
            events.append(Ended())
        return events

    def _read(self, payloads: Sequence[bytes]) -> list[Event]:
        events: list[Event] = []
        for payload in payloads:
            if self._over:
                break
            if payload.strip() == b"[DONE]":
                events += self._done()
                break
            chunk = object_of(payload)
            if chunk is None:
                detail = "an event of the stream is not JSON"
                events += self._broken(AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail))
            elif chunk.get("error"):
                events += self._broken(vendor_failure(200, payload))
            else:
                events += self._chunk(chunk, payload)
        return events

    def _chunk(self, chunk: dict[str, Any], payload: bytes) -> list[Event]:
        events: list[Event] = []
        if self._reading is None:
            self._reading = _Choice(chunk)
            events.append(Started(text_of(chunk.get("model"))))
        choice = _first(chunk.get("choices"))
        if not self._finished:
            events += self._reading.take(dict_of(choice.get("delta") or choice.get("message")))
            if choice.get("finish_reason"):
                self._finished = True
                events += self._reading.finish(choice["finish_reason"], payload)
                self._over = isinstance(events[-1], Failed)
        usage = read_usage(chunk.get("usage"))
        if usage is not None and not self._over:
            events.append(UsageTold(usage))
        return events

    def _done(self) -> list[Event]:
        self._over = True
        if self._reading is None:
            return [Failed(_NOT_OURS)]
        # Some servers end without ever saying why.
        events = [] if self._finished else self._reading.finish("stop", b"")
        return [*events, Ended()]

    def _broken(self, failure: AttemptFailure) -> list[Event]:
        self._over = True
        return [Failed(failure)]


class _Choice:
    """The first choice of one answer, whole or in deltas."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._calls = CallReader(seed=f"{answer.get('id')}{answer.get('created')}")

    def take(self, delta: dict[str, Any]) -> list[Event]:
        """What one delta, or a whole message, adds."""
        events: list[Event] = []
        # Servers that send both say the same in them.
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str) and thought:
            events.append(ReasoningDelta(thought))
        events += _content(delta.get("content"))
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            events.append(RefusalDelta(refusal))
        return events + self._calls.take(delta)

    def finish(self, reason: object, payload: bytes) -> list[Event]:
        """The end of the choice; `error` is no reason to stop but a failure."""
        if reason == "error":
            return [Failed(vendor_failure(200, payload))]
        meant = _REASONS.get(reason, "stop") if isinstance(reason, str) else "stop"
        if meant == "stop" and self._calls.seen:
            meant = "tool_calls"
        return [*self._calls.finish(), Finished(meant)]


def _content(found: object) -> list[Event]:
    """Content as text, or as the parts that some vendors send."""
    if isinstance(found, str):
        return [TextDelta(found)] if found else []
    events: list[Event] = []
    for part in list_of(found):
        match part:
            case str():
                events.append(TextDelta(part))
            case {"type": "thinking", "thinking": [*pieces]}:
                texts = (text_of(dict_of(piece).get("text")) for piece in pieces)
                events.append(ReasoningDelta("".join(texts)))
            case {"type": "thinking", "thinking": str(thought)}:
                events.append(ReasoningDelta(thought))
            case {"type": "refusal", "refusal": str(refusal)}:
                events.append(RefusalDelta(refusal))
            case {"text": str(text)}:
                events.append(TextDelta(text))
    return events


def _no_completion(found: dict[str, Any] | None, body: bytes) -> AttemptFailure:
    if found is not None and found.get("error"):
        return vendor_failure(200, body)
    return _NOT_OURS


def _first(choices: object) -> dict[str, Any]:
    """The choice with index 0: others were not asked for."""
    for choice in list_of(choices):
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return {}


def _is_whole(payload: bytes) -> bool:
    return payload.strip() == b"[DONE]" or object_of(payload) is not None
