"""Answers of another wire, written as a Responses stream or, at once, as its response object.

The order of the events is OpenAI's: an item is added, filled and done before the next one begins.
A call whose arguments are not whole yet stays open beside the next call, because some backends
send the pieces of parallel calls in turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.core.conversation import (
    ArgumentsDelta,
    Cited,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    TokenLogprob,
    ToolCallStarted,
)
from gateway.core.errors import FairleadError
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.citations import flat_annotation
from gateway.wire.logprobs import write_tokens
from gateway.wire.openai_responses import resource
from gateway.wire.openai_responses.errors import render_stream_error
from gateway.wire.openai_responses.resource import Block
from gateway.wire.openai_responses.sealed import seal

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Open:
    """An item that is being written; `place` is its index among the output items."""

    def __init__(self, place: int, item_id: str) -> None:
        self.place = place
        self.id = item_id
        self.pieces: list[str] = []
        self.signature = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def where(self) -> Block:
        return {"item_id": self.id, "output_index": self.place}


class _Message(_Open):
    """A message; `kind` is the part that is open, `parts` are those that are done."""

    def __init__(self, place: int, item_id: str) -> None:
        super().__init__(place, item_id)
        self.kind = ""
        self.parts: list[Block] = []
        self.tokens: list[TokenLogprob] = []
        self.annotations: list[Block] = []


class _Call(_Open):
    def __init__(self, place: int, item_id: str, call_id: str, name: str) -> None:
        super().__init__(place, item_id)
        self.call_id = call_id
        self.name = name

    def item(self, status: str) -> Block:
        return resource.call_item(self.id, status, self.call_id, self.name, self.text)

    def is_whole(self) -> bool:
        try:
            return isinstance(msgspec.json.decode(self.text), dict)
        except (msgspec.DecodeError, RecursionError):
            return False


class ResponseWriter:
    """Writes one stream for the client; see `gateway.wire.translate.EventWriter`."""

    def __init__(self, request: ChatRequest, *, new_id: str, created: int) -> None:
        self._response = resource.envelope(request, new_id=new_id, created=created)
        self._new_id = new_id
        self._sequence = 0
        self._said = 0
        self._begun = False
        self._finish: FinishReason = "stop"
        self._output: list[Block] = []
        self._reasoning: _Open | None = None
        self._message: _Message | None = None
        self._calls: dict[int, _Call] = {}

    def write(self, event: Event) -> bytes:
        """The client's bytes for one event, maybe none."""
        match event:
            case Started(model):
                self._response["model"] = model
                return self._begin()
            case ReasoningDelta(text) if text:
                return self._begin() + self._reason(text)
            case ReasoningSigned(signature):
                return self._begin() + self._sign(signature)
            case TextDelta(text, logprobs) if text:
                return self._begin() + self._say("output_text", text, logprobs)
            case Cited():
                return self._begin() + self._cite(event)
            case RefusalDelta(text) if text:
                return self._begin() + self._say("refusal", text)
            case ToolCallStarted(index, call_id, name):
                return self._begin() + self._call(index, call_id, name)
            case ArgumentsDelta(index, text) if text and index in self._calls:
                return self._argue(self._calls[index], text)
            case Finished(reason):
                self._finish = reason
        return b""

    def end(self, usage: Usage | None) -> bytes:
        """Close what is open and tell the whole response."""
        closing = self._begin() + self._close_all()
        response = resource.finished(self._response, self._output, self._finish, usage)
        return closing + self._event(f"response.{response['status']}", response=response)

    def broken(self, error: FairleadError) -> bytes:
        """The error event, numbered on from what was written."""
        return render_stream_error(error, self._sequence)

    def whole(self, usage: Usage | None) -> bytes:
        """The response object alone, for a client that does not stream."""
        self._close_all()
        return _ENCODER.encode(resource.finished(self._response, self._output, self._finish, usage))

    # Items

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._event("response.created", response=self._response) + self._event(
            "response.in_progress", response=self._response
        )

    def _reason(self, text: str) -> bytes:
        written = self._close_message("completed")
        if self._reasoning is None:
            opened = self._reasoning = _Open(*self._place("rs"))
            written += self._added(resource.reasoning_item(opened.id, "in_progress", [], None))
            part = resource.summary_part("")
            written += self._event(
                "response.reasoning_summary_part.added", **opened.where, summary_index=0, part=part
            )
        opened = self._reasoning
        opened.pieces.append(text)
        return written + self._event(
            "response.reasoning_summary_text.delta", **opened.where, summary_index=0, delta=text
        )

    def _sign(self, signature: str) -> bytes:
        written = b"" if self._reasoning is not None else self._reason("")
        if self._reasoning is not None:
            self._reasoning.signature += signature
        return written

    def _say(self, kind: str, text: str, tokens: Sequence[TokenLogprob] = ()) -> bytes:
        written = self._close_reasoning("completed")
        message = self._message
        if message is None:
            message = self._message = _Message(*self._place("msg"))
            written += self._added(resource.message_item(message.id, "in_progress", []))
        if message.kind != kind:
            written += self._close_part(message)
            message.kind = kind
            written += self._event(
                "response.content_part.added",
                **message.where,
                content_index=len(message.parts),
                part=_part(kind, ""),
            )
        message.pieces.append(text)
        message.tokens += tokens
        moved: Block = {"content_index": len(message.parts), "delta": text}
        if kind == "output_text":
            self._said += len(text)
            moved["logprobs"] = write_tokens(tokens)
        return written + self._event(f"response.{kind}.delta", **message.where, **moved)

    def _cite(self, cited: Cited) -> bytes:
        """A citation belongs to the text that is open; with none open there is no place for it."""
        message = self._message
        if message is None or message.kind != "output_text":
            return b""
        told = flat_annotation(cited, before=self._said - len(message.text))
        message.annotations.append(told)
        return self._event(
            "response.output_text.annotation.added",
            **message.where,
            content_index=len(message.parts),
            annotation_index=len(message.annotations) - 1,
            annotation=told,
        )

    def _call(self, index: int, call_id: str, name: str) -> bytes:
        written = self._close_reasoning("completed") + self._close_message("completed")
        for other in [key for key, call in self._calls.items() if call.is_whole()]:
            written += self._close_call(other, "completed")
        call = self._calls[index] = _Call(*self._place("fc"), call_id, name)
        return written + self._added(call.item("in_progress"), call.place)

    def _argue(self, call: _Call, text: str) -> bytes:
        call.pieces.append(text)
        return self._event("response.function_call_arguments.delta", **call.where, delta=text)

    # Ends

    def _close_all(self) -> bytes:
        if not self._output:
            # Nothing was said: the answer is an empty message, as the API has it.
            message = self._message = _Message(*self._place("msg"))
            written = self._added(resource.message_item(message.id, "in_progress", []))
            message.kind = "output_text"
            part = _part("output_text", "")
            written += self._event(
                "response.content_part.added", **message.where, content_index=0, part=part
            )
        else:
            written = b""
        cut = self._finish in ("length", "content_filter")
        status = "incomplete" if cut else "completed"
        written += self._close_reasoning(status) + self._close_message(status)
        for index in list(self._calls):
            written += self._close_call(index, status)
        return written

    def _close_reasoning(self, status: str) -> bytes:
        opened, self._reasoning = self._reasoning, None
        if opened is None:
            return b""
        part = resource.summary_part(opened.text)
        sealed = seal(opened.signature) if opened.signature else None
        where = {**opened.where, "summary_index": 0}
        return (
            self._event("response.reasoning_summary_text.done", **where, text=opened.text)
            + self._event("response.reasoning_summary_part.done", **where, part=part)
            + self._done(opened, resource.reasoning_item(opened.id, status, [part], sealed))
        )

    def _close_message(self, status: str) -> bytes:
        message, self._message = self._message, None
        if message is None:
            return b""
        written = self._close_part(message)
        return written + self._done(
            message, resource.message_item(message.id, status, message.parts)
        )

    def _close_part(self, message: _Message) -> bytes:
        if not message.kind:
            return b""
        text = message.text
        where = {**message.where, "content_index": len(message.parts)}
        part = resource.refusal_part(text)
        told: Block = {"refusal": text}
        if message.kind == "output_text":
            part = resource.text_part(text, message.annotations, message.tokens)
            told = {"text": text, "logprobs": part["logprobs"]}
        message.parts.append(part)
        for held in (message.pieces, message.annotations, message.tokens):
            held.clear()
        kind, message.kind = message.kind, ""
        return self._event(f"response.{kind}.done", **where, **told) + self._event(
            "response.content_part.done", **where, part=part
        )

    def _close_call(self, index: int, status: str) -> bytes:
        call = self._calls.pop(index)
        told = self._event(
            "response.function_call_arguments.done",
            **call.where,
            name=call.name,
            arguments=call.text,
        )
        return told + self._done(call, call.item(status))

    # Events

    def _place(self, prefix: str) -> tuple[int, str]:
        """The next output index and its item's id."""
        place = len(self._output)
        self._output.append({})
        return place, f"{prefix}_{self._new_id}_{place}"

    def _added(self, item: Block, place: int | None = None) -> bytes:
        place = len(self._output) - 1 if place is None else place
        return self._event("response.output_item.added", output_index=place, item=item)

    def _done(self, opened: _Open, item: Block) -> bytes:
        self._output[opened.place] = item
        return self._event("response.output_item.done", output_index=opened.place, item=item)

    def _event(self, kind: str, **fields: Any) -> bytes:
        told = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return b"event: " + kind.encode() + b"\ndata: " + _ENCODER.encode(told) + b"\n\n"


def _part(kind: str, text: str) -> Block:
    return resource.text_part(text) if kind == "output_text" else resource.refusal_part(text)
