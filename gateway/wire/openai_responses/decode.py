"""A backend's responses as events: the whole object at once, or its stream event by event."""

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
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallStarted,
    UsageTold,
)
from gateway.wire.citations import read_annotations
from gateway.wire.lenient import dict_of, list_of
from gateway.wire.logprobs import read_tokens
from gateway.wire.openai_responses.faults import bad_answer, failed_response
from gateway.wire.openai_responses.usage import read_usage
from gateway.wire.sse import EventTooLarge, SseParser

_PARAGRAPH = "\n\n"


def read_response(body: bytes) -> list[Event]:
    """A whole response as the events that its stream would have been."""
    response = _object(body)
    failure = failed_response(response)
    if response is None or failure is not None:
        return [Failed(failure or bad_answer("the answer is not a response"))]
    reader = ResponseReader()
    events: list[Event] = [Started(str(response.get("model") or ""))]
    for place, item in enumerate(response["output"]):
        events += reader.item_done(place, item)
    return events + reader.ending(response)


class ResponseReader:
    """Reads one stream; see `gateway.wire.translate.EventReader`.

    Servers differ in how much they send piecewise, so what only comes with an item's end is
    taken from there.
    """

    def __init__(self) -> None:
        self._sse = SseParser()
        self._calls: dict[int, int] = {}
        self._argued: set[int] = set()
        # How much of each output item, by index and kind, was told already.
        self._told: dict[tuple[int, str], int] = {}
        self._reasoned: tuple[int, int] | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        try:
            told = self._sse.feed(chunk)
        except EventTooLarge as error:
            return [Failed(bad_answer(str(error)))]
        return self._read(told)

    def finish(self) -> list[Event]:
        """The event that stood unfinished, if it was whole; else the stream was cut there."""
        return self._read([told for told in self._sse.finish() if _object(told[1]) is not None])

    def item_done(self, place: int, item: Any) -> list[Event]:
        """What a whole item says beyond what was told of it piecewise."""
        match item:
            case {"type": "message", "content": list(parts)}:
                return [
                    *self._said(place, parts),
                    *self._rest(place, RefusalDelta, "refusal", _texts(parts, "refusal")),
                ]
            case {"type": "reasoning"}:
                shown = _texts(item.get("summary"), "text") or _texts(item.get("content"), "text")
                if any(told == (place, "reasoning") for told in self._told):
                    return []
                return self._rest(place, ReasoningDelta, "reasoning", shown, _PARAGRAPH)
            case {"type": "function_call"}:
                return self._call_done(place, item)
        return []

    def ending(self, response: Any) -> list[Event]:
        """Why the model stopped, what was used, and the end."""
        found = response if isinstance(response, dict) else {}
        events: list[Event] = [Finished(self._reason(found))]
        usage = read_usage(found)
        if usage is not None:
            events.append(UsageTold(usage))
        return [*events, Ended()]

    def _read(self, told: list[tuple[str, bytes]]) -> list[Event]:
        events: list[Event] = []
        for _, payload in told:
            if payload.strip() == b"[DONE]":
                continue
            found = _object(payload)
            if found is None:
                return [*events, Failed(bad_answer("an event of the stream is not JSON"))]
            events += self._event(found)
        return events

    def _event(self, found: dict[str, Any]) -> list[Event]:
        place = _count(found, "output_index")
        delta = found.get("delta")
        text = delta if isinstance(delta, str) else ""
        match found.get("type"):
            case "response.created":
                response = found.get("response")
                model = response.get("model") if isinstance(response, dict) else ""
                return [Started(str(model or ""))]
            case "response.output_text.delta" if text:
                tokens = read_tokens(found.get("logprobs"))
                return self._piece(place, TextDelta(text, tokens), "text")
            case "response.output_text.annotation.added":
                return self._cited(place, [found.get("annotation")])
            case "response.refusal.delta" if text:
                return self._piece(place, RefusalDelta(text), "refusal")
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if text:
                part = _count(found, "summary_index") or _count(found, "content_index")
                return self._reason_piece(place, part, text)
            case "response.output_item.added":
                return self._item_added(place, found.get("item"))
            case "response.function_call_arguments.delta" if text and place in self._calls:
                self._argued.add(place)
                return [ArgumentsDelta(self._calls[place], text)]
            case "response.function_call_arguments.done" if place in self._calls:
                return self._call_done(place, found)
            case "response.output_item.done":
                return self.item_done(place, found.get("item"))
            case "response.completed" | "response.incomplete":
                return self._last(found.get("response"))
            case "response.failed":
                failure = failed_response(found.get("response"))
                return [Failed(failure or bad_answer("the response failed"))]
            case "error":
                return [Failed(failed_response(found) or bad_answer("the response failed"))]
            case None:
                failure = failed_response(found)
                return [Failed(failure or bad_answer("an event of the stream has no type"))]
        return []  # events of hosted tools, and those that later versions add

    def _last(self, response: Any) -> list[Event]:
        events: list[Event] = []
        output = response.get("output") if isinstance(response, dict) else None
        for place, item in enumerate(output if isinstance(output, list) else ()):
            events += self.item_done(place, item)
        return events + self.ending(response)

    def _said(self, place: int, parts: list[Any]) -> list[Event]:
        """A message's text and what it cites, beyond what was told of them piecewise."""
        piecewise = (place, "text") in self._told
        events = self._rest(place, TextDelta, "text", _texts(parts, "text"))
        held = [dict_of(part) for part in parts]
        if events and not piecewise:
            tokens = [token for part in held for token in read_tokens(part.get("logprobs"))]
            events = [msgspec.structs.replace(events[0], logprobs=tuple(tokens))]
        if (place, "cited") not in self._told:
            annotations = [one for part in held for one in list_of(part.get("annotations"))]
            events += self._cited(place, annotations)
        return events

    def _cited(self, place: int, annotations: list[Any]) -> list[Event]:
        """Citations, whose offsets count from the beginning of their own item's text."""
        self._told[place, "cited"] = 1
        before = sum(
            length
            for (earlier, kind), length in self._told.items()
            if kind == "text" and earlier < place
        )
        return [
            msgspec.structs.replace(cited, start=cited.start + before, end=cited.end + before)
            for cited in read_annotations(annotations)
        ]

    def _piece(self, place: int, event: TextDelta | RefusalDelta, kind: str) -> list[Event]:
        self._told[place, kind] = self._told.get((place, kind), 0) + len(event.text)
        return [event]

    def _reason_piece(self, place: int, part: int, text: str) -> list[Event]:
        begins = self._reasoned not in (None, (place, part))
        self._reasoned = (place, part)
        self._told[place, "reasoning"] = 1
        return [ReasoningDelta(_PARAGRAPH + text if begins else text)]

    def _rest(
        self,
        place: int,
        kind: type[TextDelta | RefusalDelta | ReasoningDelta],
        name: str,
        texts: list[str],
        between: str = "",
    ) -> list[Event]:
        whole = between.join(texts)
        rest = whole[self._told.get((place, name), 0) :]
        self._told[place, name] = max(len(whole), self._told.get((place, name), 0))
        return [kind(rest)] if rest else []

    def _item_added(self, place: int, item: Any) -> list[Event]:
        if not isinstance(item, dict) or item.get("type") != "function_call":
            return []
        if place in self._calls:
            return []
        index = self._calls[place] = len(self._calls)
        call_id = str(item.get("call_id") or item.get("id") or "")
        return [ToolCallStarted(index, call_id, str(item.get("name") or ""))]

    def _call_done(self, place: int, item: dict[str, Any]) -> list[Event]:
        events = self._item_added(place, item)
        if place in self._argued:
            return events
        self._argued.add(place)
        # A call without arguments still has to be an object for whoever parses it.
        given = item.get("arguments")
        return (
            [*events, ArgumentsDelta(self._calls[place], given or "{}")]
            if _is_text(given)
            else events
        )

    def _reason(self, response: dict[str, Any]) -> FinishReason:
        details = response.get("incomplete_details")
        why = details.get("reason") if isinstance(details, dict) else None
        if why == "content_filter":
            return "content_filter"
        if response.get("status") == "incomplete":
            return "length"
        return "tool_calls" if self._calls else "stop"


def _is_text(found: object) -> bool:
    return found is None or isinstance(found, str)


def _texts(parts: object, name: str) -> list[str]:
    if not isinstance(parts, list):
        return []
    found = [part.get(name) for part in parts if isinstance(part, dict)]
    return [text for text in found if isinstance(text, str)]


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _count(holder: dict[str, Any], name: str) -> int:
    count = holder.get(name)
    return count if isinstance(count, int) else 0
