"""Anthropic in, Anthropic out: events flow through untouched and usage is read on the side.

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
from gateway.wire.anthropic_messages.decode import no_message, read_usage
from gateway.wire.anthropic_messages.patch import patch
from gateway.wire.base import Encoded, Reply, Sending, StreamReader
from gateway.wire.failures import vendor_failure
from gateway.wire.passing import HeldBack, Kept
from gateway.wire.sse import EVENT_END, LARGEST_EVENT, EventBlocks, event_payload

# Every event names its type in its JSON, and a text that quotes these words is escaped.
_MATTERS = re.compile(
    rb'"type"\s*:\s*"(?:message_start|message_delta|message_stop|error)"|"error"\s*:\s*[{"]'
)
_TEXT = re.compile(
    rb'"(?:text|thinking|partial_json)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"'
    rb'|"input"\s*:\s*(\{.*?\})\s*[,}]',
    re.DOTALL,
)
_TOLD_IN_START = ("tool_use", "server_tool_use", "redacted_thinking")
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class PassThrough:
    """The bridge for clients and backends that both speak Anthropic Messages."""

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The caller's bytes with our keys patched."""
        return patch(request, sending)

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The backend's own bytes; an error dressed as a success is found out."""
        message = _object(body)
        if message is None or message.get("type") == "error" or "content" not in message:
            return Reply(body=body, usage=None, text_size=0, failure=no_message(message, body))
        return Reply(body=body, usage=read_usage(message.get("usage")), text_size=_text_size(body))

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        return RelayReader()


class RelayReader:
    """Passes one SSE stream on; see `gateway.wire.base.StreamReader`."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: AttemptFailure | None = None
        self._told: dict[str, Any] = {}
        self._stopped = False
        self._events = EventBlocks()
        self._held = HeldBack()
        self._kept = Kept()

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, cut anywhere; return whole events for the client."""
        if self.failure is not None or self.ended:
            return b""
        block = self._whole_events(chunk)
        if not block:
            return b""
        self._kept.add(block)
        if self.has_content and not _MATTERS.search(block):
            return block
        return self._release(self._inspect(block))

    def finish(self) -> bytes:
        """The upstream closed; an end marker that it forgot is added when the model had stopped."""
        rest = b""
        tail = self._events.tail()
        if tail.strip() and _payload_is_whole(tail):
            # Some servers forget the blank line after their last event.
            rest = self.feed(b"\n" if tail.endswith(b"\n") else b"\n\n")
        self._events.clear()
        if self.failure is not None:
            return b""
        if self._stopped and not self.ended:
            self.ended = True
            rest += _STOP
        return rest

    @property
    def text_size(self) -> int:
        """Bytes of model output so far; beyond the kept part it is scaled up."""
        return self._kept.text_size(_text_size)

    def _release(self, passed: bytes) -> bytes:
        if self.failure is not None:
            return b""
        return self._held.release(passed, has_content=self.has_content)

    def _whole_events(self, chunk: bytes) -> bytes:
        block = self._events.feed(chunk)
        if self._events.waiting > LARGEST_EVENT:
            self.failure = _bad("an event of the stream is too large")
        return block

    def _inspect(self, block: bytes) -> bytes:
        passed = []
        start = 0
        for end in EVENT_END.finditer(block):
            event = block[start : end.end()]
            start = end.end()
            self._take(event)
            if self.failure is not None:
                break
            passed.append(event)
            if self.ended:
                break
        return b"".join(passed)

    def _take(self, event: bytes) -> None:
        payload = event_payload(event)
        if not payload:
            return
        found = _object(payload)
        if found is None:
            self.failure = _bad("an event of the stream is not JSON")
            return
        match found.get("type"):
            case "message_start":
                self._learn(_dict(found.get("message")).get("usage"))
            case "message_delta":
                # Also an answer without a word is one.
                self.has_content = True
                self._stopped = bool(_dict(found.get("delta")).get("stop_reason"))
                self._learn(found.get("usage"))
            case "message_stop":
                self.has_content = self.ended = True
            case "content_block_start":
                block = _dict(found.get("content_block"))
                if block.get("type") in _TOLD_IN_START or block.get("text"):
                    self.has_content = True
            case "content_block_delta":
                self.has_content = True
            case "error":
                self.failure = self._blamed(vendor_failure(200, payload))
            case None if found.get("error"):
                self.failure = self._blamed(vendor_failure(200, payload))

    def _learn(self, usage: object) -> None:
        # Input is told at the start and output at the end; later figures are totals, not more.
        self._told |= {name: told for name, told in _dict(usage).items() if told is not None}
        self.usage = read_usage(self._told)

    def _blamed(self, failure: AttemptFailure) -> AttemptFailure:
        return failure.after_content() if self.has_content else failure


def _bad(detail: str) -> AttemptFailure:
    return AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail)


def _payload_is_whole(event: bytes) -> bool:
    return _object(event_payload(event)) is not None


def _text_size(body: bytes) -> int:
    return sum(len(match[1] or match[2] or b"") for match in _TEXT.finditer(body))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _dict(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
