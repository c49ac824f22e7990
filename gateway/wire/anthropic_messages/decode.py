"""Anthropic's answers as events: a whole message at once, or its stream event by event."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.conversation import (
    ArgumentsDelta,
    Cited,
    Ended,
    Event,
    Failed,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolCallStarted,
    UsageTold,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.usage import Usage
from gateway.wire.failures import vendor_failure
from gateway.wire.lenient import list_of, text_of
from gateway.wire.sse import EventTooLarge, SseParser

_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)


def read_message(body: bytes) -> list[Event]:
    """A whole answer as the events that its stream would have been."""
    message = _object(body)
    content = message.get("content") if message is not None else None
    if message is None or message.get("type") == "error" or not isinstance(content, list):
        return [Failed(no_message(message, body))]
    events: list[Event] = [Started(str(message.get("model") or ""))]
    calls = said = 0
    for block in content:
        if not isinstance(block, dict):
            continue
        match block.get("type"):
            case "text":
                text = str(block.get("text") or "")
                events.append(TextDelta(text))
                events += _cited(list_of(block.get("citations")), said, said + len(text))
                said += len(text)
            case "thinking":
                events.append(ReasoningDelta(str(block.get("thinking") or "")))
                events += _signed(block)
            case "tool_use":
                given = msgspec.json.encode(block.get("input") or {}).decode()
                events.append(_tool_call(calls, block))
                events.append(ArgumentsDelta(calls, given))
                calls += 1
    events.append(_finished(message))
    usage = read_usage(message.get("usage"))
    if usage is not None:
        events.append(UsageTold(usage))
    events.append(Ended())
    return events


def read_usage(found: object) -> Usage | None:
    """Usage with the total input, which Anthropic reports in three parts; None when all zero."""
    if not isinstance(found, dict):
        return None
    read = _count(found, "cache_read_input_tokens")
    written = _count(found, "cache_creation_input_tokens")
    total = _count(found, "input_tokens") + read + written
    if total == 0:
        return None
    tier = text_of(found.get("service_tier"))
    return Usage(
        input_tokens=total,
        cached_input_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(
            written, _count(found.get("cache_creation"), "ephemeral_1h_input_tokens")
        ),
        output_tokens=_count(found, "output_tokens"),
        reasoning_tokens=_count(found.get("output_tokens_details"), "thinking_tokens"),
        web_searches=_count(found.get("server_tool_use"), "web_search_requests"),
        service_tier="" if tier == "standard" else tier,
    )


class MessageReader:
    """Reads one stream; see `gateway.wire.translate.EventReader`."""

    def __init__(self) -> None:
        self._sse = SseParser()
        self._usage: dict[str, Any] = {}
        self._calls: dict[int, int] = {}
        self._silent: set[int] = set()
        # Characters of text so far, where the open block began, and what it cites.
        self._said = 0
        self._block_from = 0
        self._citations: list[Any] = []
        self._stopped = False
        self._ended = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        try:
            told = self._sse.feed(chunk)
        except EventTooLarge as error:
            return [Failed(AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=str(error)))]
        return self._read(told)

    def finish(self) -> list[Event]:
        """The event that stood unfinished, if it was whole, and an end marker that is missing."""
        events = self._read([told for told in self._sse.finish() if _object(told[1]) is not None])
        if self._stopped and not self._ended:
            self._ended = True
            events.append(Ended())
        return events

    def _read(self, told: list[tuple[str, bytes]]) -> list[Event]:
        events: list[Event] = []
        for _, payload in told:
            found = _object(payload)
            if found is None:
                detail = "an event of the stream is not JSON"
                failure = AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail)
                return [*events, Failed(failure)]
            events += self._event(found, payload)
        return events

    def _event(self, found: dict[str, Any], payload: bytes) -> list[Event]:
        match found.get("type"):
            case "message_start":
                message = _dict(found.get("message"))
                self._usage.update(_told(message.get("usage")))
                return [Started(str(message.get("model") or ""))]
            case "content_block_start":
                return self._block_started(_index(found), _dict(found.get("content_block")))
            case "content_block_delta":
                return self._block_moved(_index(found), _dict(found.get("delta")))
            case "content_block_stop":
                return self._block_stopped(_index(found))
            case "message_delta":
                return self._message_moved(found)
            case "message_stop":
                self._ended = True
                return [Ended()]
            case "error":
                self._stopped = False
                return [Failed(vendor_failure(200, payload))]
        return []  # pings, and events that later versions add

    def _block_started(self, index: int, block: dict[str, Any]) -> list[Event]:
        if block.get("type") == "text":
            self._block_from = self._said
            self._citations = list(list_of(block.get("citations")))
            return self._text(block.get("text"))
        if block.get("type") == "thinking":
            told: list[Event] = []
            if block.get("thinking"):
                told.append(ReasoningDelta(str(block["thinking"])))
            return [*told, *_signed(block)]
        if block.get("type") != "tool_use":
            return []
        call = self._calls[index] = len(self._calls)
        events: list[Event] = [_tool_call(call, block)]
        if block.get("input"):
            events.append(ArgumentsDelta(call, msgspec.json.encode(block["input"]).decode()))
        else:
            self._silent.add(index)
        return events

    def _block_moved(self, index: int, delta: dict[str, Any]) -> list[Event]:
        match delta.get("type"):
            case "text_delta":
                return self._text(delta.get("text"))
            case "citations_delta":
                self._citations.append(delta.get("citation"))
            case "thinking_delta":
                return [ReasoningDelta(str(delta.get("thinking") or ""))]
            case "signature_delta":
                return list(_signed(delta))
            case "input_json_delta" if index in self._calls and delta.get("partial_json"):
                self._silent.discard(index)
                return [ArgumentsDelta(self._calls[index], str(delta["partial_json"]))]
        return []

    def _block_stopped(self, index: int) -> list[Event]:
        citations, self._citations = self._citations, []
        if index not in self._silent:
            return _cited(citations, self._block_from, self._said)
        # A call without arguments sends no JSON at all, which clients could not parse.
        self._silent.discard(index)
        return [ArgumentsDelta(self._calls[index], "{}")]

    def _text(self, found: object) -> list[Event]:
        text = text_of(found)
        self._said += len(text)
        return [TextDelta(text)] if text else []

    def _message_moved(self, found: dict[str, Any]) -> list[Event]:
        events: list[Event] = []
        delta = _dict(found.get("delta"))
        if delta.get("stop_reason"):
            self._stopped = True
            events.append(_finished(delta))
        self._usage.update(_told(found.get("usage")))
        usage = read_usage(self._usage)
        if usage is not None:
            events.append(UsageTold(usage))
        return events


def no_message(found: dict[str, Any] | None, body: bytes) -> AttemptFailure:
    """What a 200 body that is no message means: the error that it tells, or garbage."""
    if found is not None and found.get("error"):
        return vendor_failure(200, body)
    return AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail="the answer is not a message")


def _tool_call(index: int, block: dict[str, Any]) -> ToolCallStarted:
    return ToolCallStarted(index, str(block.get("id") or ""), str(block.get("name") or ""))


def _cited(citations: list[Any], start: int, end: int) -> list[Event]:
    """Citations of a text block, which rests on them as a whole; those of files have no URL."""
    found: list[Event] = []
    for citation in map(_dict, citations):
        url = text_of(citation.get("url")) or text_of(citation.get("source"))
        if url:
            title, quote = text_of(citation.get("title")), text_of(citation.get("cited_text"))
            found.append(Cited(url=url, title=title, quote=quote, start=start, end=end))
    return found


def _signed(block: dict[str, Any]) -> list[Event]:
    signature = block.get("signature")
    return [ReasoningSigned(signature)] if signature and isinstance(signature, str) else []


def _finished(told: dict[str, Any]) -> Finished:
    """Why the model stopped, as a message or the delta of one tells it."""
    reason, stop = told.get("stop_reason"), told.get("stop_sequence")
    meant = _REASONS.get(reason, "stop") if isinstance(reason, str) else "stop"
    return Finished(meant, stop if isinstance(stop, str) else "")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _told(usage: object) -> dict[str, Any]:
    return {name: count for name, count in _dict(usage).items() if count is not None}


def _dict(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _index(found: dict[str, Any]) -> int:
    index = found.get("index")
    return index if isinstance(index, int) else 0


def _count(holder: object, name: str) -> int:
    count = _dict(holder).get(name)
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 0:
        return 0
    return int(count)
