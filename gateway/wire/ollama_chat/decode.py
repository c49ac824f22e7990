"""Answers of Ollama's native chat as events: whole at once, or line by line.

Tool calls come whole, with their arguments as an object, an id only from newer servers and
`done_reason` saying `stop` all the same. The prompt's count is missing where the server had it in
its cache (older versions); such figures are treated as missing and estimated.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.conversation import (
    ArgumentsDelta,
    Ended,
    Event,
    Failed,
    Finished,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallStarted,
    UsageTold,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.usage import Usage
from gateway.wire.call_ids import made_id
from gateway.wire.failures import vendor_failure
from gateway.wire.lenient import count_of, dict_of, list_of, object_of, text_of
from gateway.wire.logprobs import read_tokens
from gateway.wire.ndjson import LineParser
from gateway.wire.sse import EventTooLarge


def read_chat(body: bytes) -> list[Event]:
    """A whole answer as the events that its stream would have been."""
    reader = ChatReader()
    found = object_of(body)
    if found is None:
        return [_bad("the answer is not a chat answer")]
    return reader.take(found, body)


def read_usage(found: dict[str, Any]) -> Usage | None:
    """Usage from the counts of the last line; None when the prompt was not counted."""
    prompt = count_of(found.get("prompt_eval_count"))
    if prompt == 0:
        return None
    return Usage(input_tokens=prompt, output_tokens=count_of(found.get("eval_count")))


class ChatReader:
    """Reads one stream; see `gateway.wire.translate.EventReader`."""

    def __init__(self) -> None:
        self._lines = LineParser()
        self._seed: str | None = None
        self._calls = 0
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        try:
            lines = self._lines.feed(chunk)
        except EventTooLarge as error:
            self._over = True
            return [_bad(str(error))]
        return self._read(lines)

    def finish(self) -> list[Event]:
        """The line that stood unfinished, if it was whole; else the stream was cut there."""
        return self._read([line for line in self._lines.finish() if object_of(line) is not None])

    def take(self, found: dict[str, Any], line: bytes) -> list[Event]:
        """The events of one line."""
        if found.get("error"):
            self._over = True
            return [Failed(vendor_failure(200, line))]
        if not isinstance(found.get("message"), dict) and not found.get("done"):
            self._over = True
            return [_bad("the answer is not a chat answer")]
        events: list[Event] = []
        if self._seed is None:
            self._seed = text_of(found.get("created_at"))
            events.append(Started(text_of(found.get("model"))))
        events += self._said(dict_of(found.get("message")), found.get("logprobs"))
        if found.get("done"):
            self._over = True
            events.append(Finished(self._reason(found.get("done_reason"))))
            usage = read_usage(found)
            if usage is not None:
                events.append(UsageTold(usage))
            events.append(Ended())
        return events

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            if self._over:
                break
            found = object_of(line)
            if found is None:
                self._over = True
                events.append(_bad("a line of the stream is not JSON"))
            else:
                events += self.take(found, line)
        return events

    def _said(self, message: dict[str, Any], logprobs: object) -> list[Event]:
        events: list[Event] = []
        if thought := text_of(message.get("thinking")):
            events.append(ReasoningDelta(thought))
        if text := text_of(message.get("content")):
            events.append(TextDelta(text, read_tokens(logprobs)))
        for call in list_of(message.get("tool_calls")):
            function = dict_of(dict_of(call).get("function"))
            if not (name := text_of(function.get("name"))):
                continue
            number = self._calls
            self._calls += 1
            call_id = text_of(call.get("id")) or made_id(self._seed or "", number)
            events.append(ToolCallStarted(number, call_id, name))
            events.append(ArgumentsDelta(number, _arguments(function.get("arguments"))))
        return events

    def _reason(self, reason: object) -> FinishReason:
        if reason == "length":
            return "length"
        return "tool_calls" if self._calls else "stop"


def _arguments(found: object) -> str:
    if isinstance(found, str):
        return found or "{}"
    return msgspec.json.encode(found if isinstance(found, dict) else {}).decode()


def _bad(detail: str) -> Failed:
    return Failed(AttemptFailure(kind=FailureKind.BAD_RESPONSE, detail=detail))
