"""OpenAI in, OpenAI out: events flow through untouched and usage is read on the side.

Rules of this file:
- nothing reaches the client before an event with model output, so a fallback stays possible;
- after that, whole events are passed on as they came; an event cut by the network waits;
- JSON is decoded only for the events that matter: the first ones, usage, errors and the end.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.base import Encoded, Reply, Sending, StreamReader
from gateway.wire.failures import vendor_failure
from gateway.wire.openai_chat.patch import patch
from gateway.wire.openai_usage import read_usage
from gateway.wire.passing import HeldBack, Kept
from gateway.wire.sse import EVENT_END, LARGEST_EVENT, EventBlocks, event_payload

_MATTERS = re.compile(rb'"usage"\s*:\s*\{|"error"\s*:\s*[{"]|"finish_reason"\s*:\s*"|\[DONE\]')
_TEXT = re.compile(
    rb'"(?:content|arguments|reasoning_content|refusal)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"'
)
_NULL_USAGE = b',"usage":null'


class PassThrough:
    """The bridge for clients and backends that both speak OpenAI chat."""

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The caller's bytes with our keys patched."""
        return patch(request, sending)

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The backend's own bytes; an error dressed as a success is found out."""
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or answer.get("error") or "choices" not in answer:
            return Reply(body=body, usage=None, text_size=0, failure=_bad_answer(answer, body))
        usage = read_usage(answer.get("usage"), answer.get("service_tier"))
        return Reply(body=body, usage=usage, text_size=_text_size(body))

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        return RelayReader(strip_usage=not request.include_usage, choices=request.choices)


class RelayReader:
    """Passes one SSE stream on; see `gateway.wire.base.StreamReader`."""

    def __init__(self, *, strip_usage: bool, choices: int = 1) -> None:
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: AttemptFailure | None = None
        self._strip = strip_usage
        self._choices = choices
        self._finished = 0
        self._done_marker = False
        self._events = EventBlocks()
        self._held = HeldBack()
        self._kept = Kept()

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, cut anywhere; return whole events for the client."""
        if self.failure is not None:
            return b""
        block = self._whole_events(chunk)
        if not block:
            return b""
        self._kept.add(block)
        if self.has_content and not _MATTERS.search(block):
            return block.replace(_NULL_USAGE, b"") if self._strip else block
        return self._release(self._inspect(block))

    def finish(self) -> bytes:
        """The upstream closed; an end marker that it forgot is added when all choices ended."""
        rest = b""
        if self._events.tail().strip():
            # Some servers forget the blank line after their last event.
            rest = self.feed(b"\n\n")
        self._events.clear()
        if self.failure is not None:
            return b""
        self.ended = self._done_marker or self._finished >= self._choices
        if self.ended and not self._done_marker:
            rest += b"data: [DONE]\n\n"
        return rest

    @property
    def text_size(self) -> int:
        """Bytes of model output so far; beyond the kept part it is scaled up."""
        return self._kept.text_size(_text_size)

    def _release(self, passed: bytes) -> bytes:
        if self.failure is not None:
            return b""
        passed = self._held.release(passed, has_content=self.has_content)
        return passed.replace(_NULL_USAGE, b"") if self._strip else passed

    def _whole_events(self, chunk: bytes) -> bytes:
        block = self._events.feed(chunk)
        if self._events.waiting > LARGEST_EVENT:
            self.failure = AttemptFailure(
                kind=FailureKind.BAD_RESPONSE, detail="an event of the stream is too large"
            )
        return block

    def _inspect(self, block: bytes) -> bytes:
        passed = []
        start = 0
        for end in EVENT_END.finditer(block):
            event = block[start : end.end()]
            start = end.end()
            if self._take(event):
                passed.append(event)
        return b"".join(passed)

    def _take(self, event: bytes) -> bool:
        """Learn from one event; False when it is ours alone and not for the client."""
        payload = event_payload(event)
        if not payload:
            return True
        if payload == b"[DONE]":
            self._done_marker = True
            self.has_content = True
            return True
        try:
            chunk = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            self.failure = AttemptFailure(
                kind=FailureKind.BAD_RESPONSE, detail="an event of the stream is not JSON"
            )
            return False
        if not isinstance(chunk, dict) or chunk.get("error"):
            self.failure = self._blamed(_bad_answer(chunk, payload))
            return False
        return self._learn(chunk)

    def _blamed(self, failure: AttemptFailure) -> AttemptFailure:
        return failure.after_content() if self.has_content else failure

    def _learn(self, chunk: dict[str, Any]) -> bool:
        self.usage = read_usage(chunk.get("usage"), chunk.get("service_tier")) or self.usage
        choices = chunk.get("choices") or []
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            if choice.get("finish_reason"):
                self._finished += 1
                self.has_content = True
            delta = choice.get("delta") or {}
            if any(part not in (None, "", []) for name, part in delta.items() if name != "role"):
                self.has_content = True
        return not (self._strip and not choices and chunk.get("usage"))


def _bad_answer(answer: object, raw: bytes) -> AttemptFailure:
    """An error under a 200 status, or no chat answer at all."""
    if isinstance(answer, dict) and answer.get("error"):
        return vendor_failure(200, raw)
    return AttemptFailure(
        kind=FailureKind.BAD_RESPONSE, detail="the answer is not a chat completion"
    )


def _text_size(body: bytes) -> int:
    return sum(len(match) for match in _TEXT.findall(body))
