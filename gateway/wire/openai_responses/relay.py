"""Responses in, Responses out: events flow through untouched and usage is read on the side.

Rules of this file:
- nothing reaches the client before an event with model output, so a fallback stays possible;
- the last event waits for the end of the upstream, because the client may come back with
  `previous_response_id` the moment it has read it;
- `store` and `previous_response_id` are told back as the client sent them, since the gateway,
  not the backend, keeps the conversation; nothing else is changed;
- JSON is decoded only for the events that matter: the first ones, errors and the end.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gateway.core.errors import FairleadError
from gateway.core.failure import AttemptFailure
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.base import Encoded, Reply, Sending, StreamReader
from gateway.wire.document import is_set
from gateway.wire.lenient import dict_of
from gateway.wire.openai_responses.errors import render_stream_error
from gateway.wire.openai_responses.faults import bad_answer, failed_response
from gateway.wire.openai_responses.patch import patch
from gateway.wire.openai_responses.usage import read_usage
from gateway.wire.passing import HeldBack, Kept
from gateway.wire.sse import EVENT_END, LARGEST_EVENT, EventBlocks, event_payload

# Inside a JSON string the quotes would be escaped, so model output cannot look like these.
_MATTERS = re.compile(
    rb'"type"\s*:\s*"(?:response\.(?:queued|created|in_progress|completed|incomplete|failed)|error)"'
    rb'|"error"\s*:\s*\{'
)
_DELTA = re.compile(rb'"delta"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_SEQUENCE = re.compile(rb'"sequence_number"\s*:\s*(\d+)')
_LAST = frozenset({"response.completed", "response.incomplete"})
#: Items whose beginning says nothing yet.
_EMPTY_AT_FIRST = frozenset({"message", "reasoning"})

Patches = dict[str, msgspec.Raw]


class PassThrough:
    """The bridge for clients and backends that both speak Responses."""

    def encode(self, request: ChatRequest, sending: Sending) -> Encoded:
        """The caller's bytes with our keys patched."""
        return patch(request, sending)

    def reply(self, request: ChatRequest, body: bytes) -> Reply:
        """The backend's own bytes; an error dressed as a success is found out."""
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            answer = None
        failure = failed_response(answer)
        if failure is not None:
            usage = read_usage(dict_of(answer))
            return Reply(body=body, usage=usage, text_size=0, failure=failure)
        patches = told_back(request)
        if patches:
            fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            body = msgspec.json.encode(fields | patches)
        return Reply(
            body=body,
            usage=read_usage(answer),
            text_size=_output_size(answer.get("output")),
        )

    def stream(self, request: ChatRequest) -> StreamReader:
        """A fresh reader for one upstream stream."""
        return RelayReader(told_back(request))


def told_back(request: ChatRequest) -> Patches:
    """What the client asked of the gateway and the backend was not told."""
    patches: Patches = {}
    if not (is_set(request.fields, "store") and bytes(request.fields["store"]) == b"false"):
        patches["store"] = msgspec.Raw(b"true")
    if is_set(request.fields, "previous_response_id"):
        patches["previous_response_id"] = request.fields["previous_response_id"]
    return patches


class RelayReader:
    """Passes one SSE stream on; see `gateway.wire.base.StreamReader`."""

    def __init__(self, patches: Patches) -> None:
        self.usage: Usage | None = None
        self.has_content = False
        self.ended = False
        self.failure: AttemptFailure | None = None
        self._patches = patches
        self._events = EventBlocks()
        self._passed = b""
        self._held = HeldBack()
        self._last: list[bytes] = []
        self._kept = Kept()

    def feed(self, chunk: bytes) -> bytes:
        """Take upstream bytes, cut anywhere; return whole events for the client."""
        if self.failure is not None:
            return b""
        block = self._whole_events(chunk)
        if not block or self.failure is not None:
            return b""
        self._kept.add(block)
        if not (self.has_content and not self.ended and not _MATTERS.search(block)):
            block = self._release(self._inspect(block))
        self._passed = block or self._passed
        return block

    def finish(self) -> bytes:
        """The upstream closed: the last event, if it came."""
        rest = b""
        if self._events.tail().strip():
            # Some servers forget the blank line after their last event.
            rest = self.feed(b"\n\n")
        self._events.clear()
        if self.failure is not None:
            return b""
        return rest + b"".join(self._last)

    def broken(self, error: FairleadError) -> bytes:
        """The error event, numbered on from what was passed."""
        numbers = _SEQUENCE.findall(self._passed)
        return render_stream_error(error, int(numbers[-1]) + 1 if numbers else 0)

    @property
    def text_size(self) -> int:
        """Bytes of model output so far; beyond the kept part it is scaled up."""
        return self._kept.text_size(_told_size)

    def _release(self, passed: bytes) -> bytes:
        if self.failure is not None:
            return b""
        return self._held.release(passed, has_content=self.has_content)

    def _whole_events(self, chunk: bytes) -> bytes:
        block = self._events.feed(chunk)
        if self._events.waiting > LARGEST_EVENT:
            self.failure = self._blamed(bad_answer("an event of the stream is too large"))
        return block

    def _inspect(self, block: bytes) -> bytes:
        passed: list[bytes] = []
        start = 0
        for end in EVENT_END.finditer(block):
            event = self._take(block[start : end.end()])
            start = end.end()
            if self.failure is not None:
                break
            (self._last if self.ended else passed).append(event)
        return b"".join(passed)

    def _take(self, event: bytes) -> bytes:
        """Learn from one event; the bytes to pass on."""
        payload = event_payload(event)
        if not payload or payload == b"[DONE]":
            return event
        try:
            told = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = None
        if not isinstance(told, dict):
            self.failure = self._blamed(bad_answer("an event of the stream is not JSON"))
            return b""
        kind = told.get("type")
        if kind in ("error", "response.failed") or "type" not in told:
            response = told.get("response")
            self.usage = read_usage(dict_of(response)) or self.usage
            found = failed_response(response if kind == "response.failed" else told)
            self.failure = self._blamed(found or bad_answer("an event of the stream has no type"))
            return b""
        self._learn(str(kind), told)
        return self._told_back(event, payload) if isinstance(told.get("response"), dict) else event

    def _learn(self, kind: str, told: dict[str, Any]) -> None:
        if kind in _LAST:
            self.ended = self.has_content = True
            self.usage = read_usage(dict_of(told.get("response"))) or self.usage
        elif kind.endswith(".delta"):
            self.has_content = self.has_content or bool(told.get("delta"))
        elif kind == "response.output_item.added":
            item = told.get("item")
            begun = item.get("type") if isinstance(item, dict) else None
            self.has_content = self.has_content or begun not in _EMPTY_AT_FIRST
        elif kind == "response.output_item.done":
            self.has_content = True

    def _told_back(self, event: bytes, payload: bytes) -> bytes:
        if not self._patches:
            return event
        fields = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        response = msgspec.json.decode(fields["response"], type=dict[str, msgspec.Raw])
        fields["response"] = msgspec.Raw(msgspec.json.encode(response | self._patches))
        named = [line for line in event.splitlines() if line.startswith((b"event:", b"id:"))]
        return b"\n".join([*named, b"data: " + msgspec.json.encode(fields), b"", b""])

    def _blamed(self, failure: AttemptFailure) -> AttemptFailure:
        return failure.after_content() if self.has_content else failure


def _told_size(block: bytes) -> int:
    return sum(map(len, _DELTA.findall(block)))


def _output_size(node: object) -> int:
    """Bytes of model output in a whole answer."""
    if isinstance(node, list):
        return sum(_output_size(inner) for inner in node)
    if not isinstance(node, dict):
        return 0
    size = 0
    for name, found in node.items():
        if isinstance(found, str) and name in ("text", "arguments", "refusal", "input"):
            size += len(found.encode("utf-8", "replace"))
        elif name in ("content", "summary"):
            size += _output_size(found)
    return size
