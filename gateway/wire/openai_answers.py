"""Answers of servers on OpenAI's wires as events: whole at once, or chunk by chunk.

Servers differ (each rule was met in one of them): usage comes last, in every chunk, as zeros or
never; the end marker is forgotten; an error comes under status 200, in a body or in an event; a
stream is asked for and a whole body comes. What a choice holds is each wire's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gateway.core.conversation import Ended, Event, Failed, Started, UsageTold
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.failures import vendor_failure
from gateway.wire.lenient import dict_of, list_of, object_of, text_of
from gateway.wire.openai_usage import read_usage
from gateway.wire.sse import LARGEST_EVENT, EventTooLarge, SseParser

_DONE = b"[DONE]"


class Choice(Protocol):
    """What reads the first choice of one answer."""

    def take(self, choice: dict[str, Any]) -> list[Event]:
        """What one chunk's choice, or a whole answer's, adds."""
        ...

    def finish(self, reason: object) -> list[Event]:
        """The end of the choice."""
        ...


#: Makes the reader of a choice from the answer's envelope (id, model, ...).
MakeChoice = Callable[[dict[str, Any]], Choice]


def read_answer(body: bytes, make: MakeChoice) -> list[Event]:
    """A whole answer as the events that its stream would have been."""
    answer = object_of(body)
    choices = answer.get("choices") if answer is not None else None
    if answer is not None and answer.get("error"):
        return [Failed(vendor_failure(200, body))]
    if answer is None or not isinstance(choices, list):
        return [_bad("the answer is not a completion")]
    choice = _first(choices)
    reason = choice.get("finish_reason")
    if reason == "error":
        return [Failed(vendor_failure(200, body))]
    reading = make(answer)
    events = [Started(text_of(answer.get("model"))), *reading.take(choice)]
    events += reading.finish(reason or "stop")
    usage = read_usage(answer.get("usage"), answer.get("service_tier"))
    if usage is not None:
        events.append(UsageTold(usage))
    return [*events, Ended()]


class AnswerReader:
    """Reads one stream; see `gateway.wire.translate.EventReader`."""

    def __init__(self, make: MakeChoice) -> None:
        self._make = make
        self._sse = SseParser()
        self._reading: Choice | None = None
        self._whole: list[bytes] | None = None
        self._begun = False
        self._finished = False
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if not self._begun and chunk.strip():
            self._begun = True
            self._whole = [] if chunk.lstrip().startswith(b"{") else None
        if self._whole is not None:
            return self._keep(chunk)
        try:
            told = self._sse.feed(chunk)
        except EventTooLarge as error:
            self._over = True
            return [_bad(str(error))]
        return self._read([payload for _, payload in told])

    def finish(self) -> list[Event]:
        """The event that stood unfinished, if it was whole, and an end marker that is missing."""
        if self._whole is not None:
            return [] if self._over else read_answer(b"".join(self._whole), self._make)
        left = [payload for _, payload in self._sse.finish()]
        events = self._read([payload for payload in left if _is_whole(payload)])
        if self._finished and not self._over:
            self._over = True
            events.append(Ended())
        return events

    def _keep(self, chunk: bytes) -> list[Event]:
        held = self._whole or []
        held.append(chunk)
        self._whole = held
        if self._over or sum(map(len, held)) <= LARGEST_EVENT:
            return []
        self._over = True
        return [_bad(f"the answer is larger than {LARGEST_EVENT} bytes")]

    def _read(self, payloads: Sequence[bytes]) -> list[Event]:
        events: list[Event] = []
        for payload in payloads:
            if not self._over:
                events += self._take(payload)
        return events

    def _take(self, payload: bytes) -> list[Event]:
        if payload.strip() == _DONE:
            return self._done()
        chunk = object_of(payload)
        if chunk is not None and not chunk.get("error"):
            return self._chunk(chunk, payload)
        self._over = True
        if chunk is None:
            return [_bad("an event of the stream is not JSON")]
        return [Failed(vendor_failure(200, payload))]

    def _chunk(self, chunk: dict[str, Any], payload: bytes) -> list[Event]:
        events: list[Event] = []
        if self._reading is None:
            self._reading = self._make(chunk)
            events.append(Started(text_of(chunk.get("model"))))
        choice = _first(chunk.get("choices"))
        reason = choice.get("finish_reason")
        if not self._finished:
            events += self._reading.take(choice)
            if reason == "error":
                self._over = True
                return [*events, Failed(vendor_failure(200, payload))]
            if reason:
                self._finished = True
                events += self._reading.finish(reason)
        usage = read_usage(chunk.get("usage"), chunk.get("service_tier"))
        if usage is not None:
            events.append(UsageTold(usage))
        return events

    def _done(self) -> list[Event]:
        self._over = True
        if self._reading is None:
            return [_bad("the stream ended before it began")]
        # Some servers end without ever saying why.
        return [*([] if self._finished else self._reading.finish("stop")), Ended()]


def _first(choices: object) -> dict[str, Any]:
    """The choice with index 0: others were not asked for."""
    for choice in list_of(choices):
        if not dict_of(choice).get("index"):
            return dict_of(choice)
    return {}


def _is_whole(payload: bytes) -> bool:
    return payload.strip() == _DONE or object_of(payload) is not None


def _bad(detail: str) -> Failed:
    return Failed(AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail))
