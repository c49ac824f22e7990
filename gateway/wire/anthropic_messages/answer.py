"""Answers of another wire, written as Anthropic messages, whole or event by event.

Rules of this wire:
- one content block is open at a time, and blocks are numbered in the order in which they open;
- shown reasoning is for clients that asked for thinking; others take the first block for text;
- figures that the backend did not tell are estimated, for the wire demands them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.conversation import (
    Answer,
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
    ToolCall,
    ToolCallStarted,
)
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage

_ENCODER = msgspec.json.Encoder()
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SETTINGS = msgspec.json.Decoder(dict[str, Any])
_ODD_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_BYTES_PER_TOKEN = 4
_REASONS: Mapping[FinishReason, str] = MappingProxyType(
    {
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
    }
)

#: Service tiers of OpenAI in this API's words; others have none.
_TIERS: Mapping[str, str] = MappingProxyType(
    {"default": "standard", "priority": "priority", "batch": "batch"}
)

Block = dict[str, Any]


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the client can take of an answer.

    `thinking`: it asked for reasoning; `thoughts`: also for its words. `prose`: text may be
    something else than the JSON of a schema. `input_tokens`: our estimate of its request.
    """

    thinking: bool
    thoughts: bool
    prose: bool
    input_tokens: int


def wishes_of(request: ChatRequest) -> Wishes:
    """Read what matters for the answer from its request."""
    raw = request.fields.get("thinking")
    asked = _SETTINGS.decode(raw) if raw is not None and bytes(raw) != b"null" else {}
    thinking = asked.get("type", "disabled") != "disabled"
    return Wishes(
        thinking=thinking,
        thoughts=thinking and asked.get("display") != "omitted",
        prose=not request.needs.schema,
        input_tokens=_tokens(sum(_size(segment.text) for segment in request.segments)),
    )


def encode_message(request: ChatRequest, answer: Answer, *, new_id: str) -> bytes:
    """A whole message."""
    wishes = wishes_of(request)
    content: list[Block] = []
    if wishes.thinking and (answer.signature or (wishes.thoughts and answer.reasoning)):
        thoughts = answer.reasoning if wishes.thoughts else ""
        content.append({"type": "thinking", "thinking": thoughts, "signature": answer.signature})
    text = answer.text + (answer.refusal if wishes.prose else "")
    if text:
        block: Block = {"type": "text", "text": text}
        if answer.citations:
            block["citations"] = [_citation(cited) for cited in answer.citations]
        content.append(block)
    for number, call in enumerate(answer.tool_calls):
        content.append(_tool_use(call, number, new_id))
    texts = (answer.text, answer.refusal, answer.reasoning)
    size = sum(map(_size, (*texts, *(call.arguments for call in answer.tool_calls))))
    ended = _ending(answer.finish, answer.stop, answer.refusal, called=bool(answer.tool_calls))
    usage = answer.usage or _estimated(wishes, size)
    used = encode_usage(usage)
    if tier := _TIERS.get(usage.service_tier):
        used["service_tier"] = tier
    message = {**_envelope(new_id, answer.model, content), **ended, "usage": used}
    return _ENCODER.encode(message)


def encode_usage(usage: Usage) -> Block:
    """Usage as Anthropic reports it: input leaves out what was read from or written to a cache."""
    cached, written = usage.cached_input_tokens, usage.cache_write_tokens
    told: Block = {
        "input_tokens": max(0, usage.input_tokens - cached - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return told


class MessageWriter:
    """Writes one stream; the closing events come from `end`, when the usage is known."""

    def __init__(self, request: ChatRequest, *, new_id: str) -> None:
        self._new_id = new_id
        self._wishes = wishes_of(request)
        self._model = ""
        self._begun = False
        self._open = ""
        self._index = -1
        self._calls: dict[int, int] = {}
        self._size = 0
        self._finish: FinishReason | None = None
        self._stop = ""
        self._refusal = ""

    def write(self, event: Event) -> bytes:
        """The client's bytes for one event; none where they must wait for the end."""
        match event:
            case Started(model):
                self._model = self._model or model
                return self._begin()
            case TextDelta(text):
                return self._text(text)
            case Cited() if self._open == "text":
                told = {"type": "citations_delta", "citation": _citation(event)}
                return self._delta(self._index, told)
            case RefusalDelta(text):
                self._refusal += text
                return self._text(text) if self._wishes.prose else b""
            case ReasoningDelta(text):
                return self._thought(text)
            case ReasoningSigned(signature) if self._wishes.thinking:
                told = {"type": "signature_delta", "signature": signature}
                return self._thinking() + self._delta(self._index, told)
            case ToolCallStarted(index, call_id, name):
                self._calls[index] = self._index + 1
                call = ToolCall(id=call_id, name=name, arguments="")
                return self._start(f"call {index}", _tool_use(call, index, self._new_id))
            case ArgumentsDelta(index, text) if text and index in self._calls:
                self._size += _size(text)
                told = {"type": "input_json_delta", "partial_json": text}
                return self._delta(self._calls[index], told)
            case Finished(reason, stop):
                self._finish, self._stop = reason, stop
        return b""

    def end(self, usage: Usage | None) -> bytes:
        """The last block's end, why the model stopped, what it used, and the end marker."""
        ended = _ending(self._finish, self._stop, self._refusal, called=bool(self._calls))
        usage = usage or _estimated(self._wishes, self._size)
        moved = {"type": "message_delta", "delta": ended, "usage": encode_usage(usage)}
        stopped = {"type": "message_stop"}
        return self._begin() + self._close() + _event(moved) + _event(stopped)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        waiting = {"stop_reason": None, "stop_sequence": None}
        usage = encode_usage(_estimated(self._wishes, 0))
        message = {**_envelope(self._new_id, self._model, []), **waiting, "usage": usage}
        return _event({"type": "message_start", "message": message})

    def _start(self, kind: str, block: Block) -> bytes:
        closed = self._begin() + self._close()
        self._open = kind
        self._index += 1
        started = {"type": "content_block_start", "index": self._index, "content_block": block}
        return closed + _event(started)

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _event({"type": "content_block_stop", "index": self._index})

    def _text(self, text: str) -> bytes:
        if not text:
            return b""
        self._size += _size(text)
        started = b""
        if self._open != "text":
            started = self._start("text", {"type": "text", "text": ""})
        return started + self._delta(self._index, {"type": "text_delta", "text": text})

    def _thought(self, text: str) -> bytes:
        self._size += _size(text)
        if not text or not self._wishes.thoughts:
            return b""
        told = {"type": "thinking_delta", "thinking": text}
        return self._thinking() + self._delta(self._index, told)

    def _thinking(self) -> bytes:
        if self._open == "thinking":
            return b""
        return self._start("thinking", {"type": "thinking", "thinking": "", "signature": ""})

    def _delta(self, index: int, told: Block) -> bytes:
        return _event({"type": "content_block_delta", "index": index, "delta": told})


def _envelope(new_id: str, model: str, content: list[Block]) -> Block:
    return {
        "id": f"msg_{new_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
    }


def _ending(finish: FinishReason | None, stop: str, refusal: str, *, called: bool) -> Block:
    """Why the model stopped. Servers differ in what they say after a tool call."""
    reason = _REASONS[finish or "stop"]
    if reason in ("end_turn", "tool_use"):
        reason = "tool_use" if called else "stop_sequence" if stop else "end_turn"
    details = None
    if refusal:
        reason = "refusal"
        details = {"type": "refusal", "category": None, "explanation": refusal}
    return {
        "stop_reason": reason,
        "stop_sequence": stop if reason == "stop_sequence" else None,
        "stop_details": details,
    }


def _citation(cited: Cited) -> Block:
    """A page as the vendor's own search cites one; there is nothing to send back to it."""
    return {
        "type": "web_search_result_location",
        "url": cited.url,
        "title": cited.title or None,
        "cited_text": cited.quote,
        "encrypted_index": "",
    }


def _tool_use(call: ToolCall, number: int, new_id: str) -> Block:
    # Clients send the id back, and the vendor takes only this alphabet.
    call_id = _ODD_IN_ID.sub("_", call.id) or f"toolu_{new_id}_{number}"
    return {"type": "tool_use", "id": call_id, "name": call.name, "input": _input(call.arguments)}


def _input(arguments: str) -> object:
    """A call's arguments as the object that the wire demands, in the model's own spelling.

    Broken ones are wrapped as the vendor's documentation of tool streaming says.
    """
    if not arguments.strip():
        return {}
    try:
        _OBJECT.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"INVALID_JSON": arguments}
    return msgspec.Raw(arguments.encode())


def _estimated(wishes: Wishes, size: int) -> Usage:
    tokens = _tokens(size)
    return Usage(input_tokens=wishes.input_tokens, output_tokens=tokens, estimated=True)


def _tokens(size: int) -> int:
    return -(-size // _BYTES_PER_TOKEN)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _event(payload: Block) -> bytes:
    kind: str = payload["type"]
    return b"event: " + kind.encode() + b"\ndata: " + _ENCODER.encode(payload) + b"\n\n"
