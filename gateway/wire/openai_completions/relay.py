"""Text completions in and out: events flow through untouched and usage is read on the side.

Rules of this file:
- nothing reaches the client before an event with model output, so a fallback stays possible;
- after that, whole events are passed on as they came; an event cut by the network waits;
- every event is decoded: this API is too rare to be worth more than that.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.base import Encoded, Reply, Sending, StreamReader
from gateway.wire.document import hide, is_set, raw_json
from gateway.wire.failures import vendor_failure
from gateway.wire.openai_usage import read_usage
from gateway.wire.sse import EVENT_END, LARGEST_EVENT, EventBlocks, event_payload

_NULL_USAGE = b',"usage":null'


class PassThrough:
    """The bridge for clients and backends that both speak text completions."""

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The caller's bytes with the model, the cap and the wish for usage set."""
        fields = dict(request.fields)
        fields["model"] = raw_json(sending.model)
        wanted = request.max_output_tokens or 0
        if not is_set(fields, "max_tokens") or wanted > sending.output_cap:
            fields["max_tokens"] = raw_json(min(wanted, sending.output_cap))
        if request.stream and not request.include_usage:
            options: dict[str, msgspec.Raw] = {}
            if is_set(fields, "stream_options"):
                options = msgspec.json.decode(fields["stream_options"], type=dict[str, msgspec.Raw])
            options["include_usage"] = msgspec.Raw(b"true")
            fields["stream_options"] = raw_json(options)
        if sending.logprobs:
            fields["logprobs"] = msgspec.Raw(b"1")
        hide(fields, sending.hidden)
        return Encoded(body=msgspec.json.encode(fields))

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The backend's own bytes; an error dressed as a success is found out."""
        answer = _decoded(body)
        if not isinstance(answer, dict) or answer.get("error") or "choices" not in answer:
            return Reply(body=body, usage=None, text_size=0, failure=_bad_answer(answer, body))
        size = sum(_output(choice)[1] for choice in _listed(answer["choices"]))
        return Reply(body=body, usage=read_usage(answer.get("usage")), text_size=size)

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        return RelayReader(strip_usage=not request.include_usage, choices=request.choices)


class RelayReader:
    """Passes one SSE stream on; see `gateway.wire.base.StreamReader`."""

    def __init__(self, *, strip_usage: bool, choices: int = 1) -> None:
        self.usage: Usage | None = None
        self.text_size = 0
        self.has_content = False
        self.ended = False
        self.failure: AttemptFailure | None = None
        self._strip = strip_usage
        self._choices = choices
        self._finished = 0
        self._done_marker = False
        self._events = EventBlocks()
        self._waiting: list[bytes] = []

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, cut anywhere; return whole events for the client."""
        if self.failure is not None:
            return b""
        block = self._events.feed(chunk)
        start = 0
        for end in EVENT_END.finditer(block):
            event = block[start : end.end()]
            start = end.end()
            if self._take(event):
                self._waiting.append(event.replace(_NULL_USAGE, b"") if self._strip else event)
        if self._events.waiting > LARGEST_EVENT:
            self.failure = self._blamed(_failure("an event of the stream is too large"))
        return self._release()

    def finish(self) -> bytes:
        """The upstream closed; an end marker that it forgot is added when all choices ended."""
        # Some servers forget the blank line after their last event.
        rest = self.feed(b"\n\n") if self._events.tail().strip() else b""
        if self.failure is not None:
            return b""
        self.ended = self._done_marker or self._finished >= self._choices
        if self.ended and not self._done_marker:
            rest += b"data: [DONE]\n\n"
        return rest

    def _release(self) -> bytes:
        if self.failure is not None or not self.has_content:
            return b""
        passed = b"".join(self._waiting)
        self._waiting.clear()
        return passed

    def _take(self, event: bytes) -> bool:
        """Learn from one event; False when it is ours alone and not for the client."""
        payload = event_payload(event)
        if not payload:
            return True
        if payload == b"[DONE]":
            self._done_marker = self.has_content = True
            return True
        chunk = _decoded(payload)
        if self.failure is not None:
            return False
        if not isinstance(chunk, dict) or chunk.get("error"):
            self.failure = self._blamed(_bad_answer(chunk, payload))
            return False
        self.usage = read_usage(chunk.get("usage")) or self.usage
        choices = _listed(chunk.get("choices"))
        for choice in choices:
            finished, size = _output(choice)
            self._finished += finished
            self.text_size += size
            self.has_content = self.has_content or finished or bool(size)
        return not (self._strip and not choices and chunk.get("usage"))

    def _blamed(self, failure: AttemptFailure) -> AttemptFailure:
        return failure.after_content() if self.has_content else failure


def _output(choice: Any) -> tuple[bool, int]:
    """Whether a choice is finished, and how many bytes of text it brings."""
    if not isinstance(choice, dict):
        return False, 0
    text = choice.get("text")
    size = len(text.encode("utf-8", "replace")) if isinstance(text, str) else 0
    return bool(choice.get("finish_reason")), size


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _bad_answer(answer: object, raw: bytes) -> AttemptFailure:
    """An error under a 200 status, or no text completion at all."""
    if isinstance(answer, dict) and answer.get("error"):
        return vendor_failure(200, raw)
    return _failure("the answer is not a text completion")


def _failure(detail: str) -> AttemptFailure:
    return AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
