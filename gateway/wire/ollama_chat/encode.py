"""A `Conversation` as a request of Ollama's native chat, and what of it could not be carried.

Rules of this wire (github.com/ollama/ollama/blob/main/docs/api.md, read 2026-11):
- `stream` is true unless it is given, so it is always given;
- a message has one text and pictures beside it, in base64; URLs are not fetched;
- arguments of tool calls are objects, and the result of a tool names the tool;
- no tool can be demanded: `none` is said by leaving the tools out;
- log probabilities are told by servers from 0.12.11 on, and stay away from older ones;
- `think` takes a level or false; a model that cannot think refuses it;
- a prompt that does not fit is cut in silence unless `truncate` is false: then it is an error,
  and another candidate may serve the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.core.conversation import (
    Conversation,
    Document,
    Image,
    Message,
    Part,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from gateway.wire.attached import document_text
from gateway.wire.base import Encoded, Sending
from gateway.wire.cache_marks import unsaid_caching
from gateway.wire.sampling import sampled

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_LEVELS: Mapping[str, str | bool] = MappingProxyType(
    {
        "none": False,
        "minimal": "low",
        "low": "low",
        "medium": "medium",
        "high": "high",
        "xhigh": "high",
        "max": "high",
    }
)
_EXACT_LEVELS = frozenset({"none", "low", "medium", "high"})

#: What a deployment may set of the model's runtime: the context's size in tokens.
OPTIONS = frozenset({"num_ctx"})

Block = dict[str, Any]


def encode_request(conversation: Conversation, sending: Sending) -> Encoded:
    """Write the request."""
    writing = _Writing()
    cap = sending.output_cap
    if conversation.output_cap is not None:
        cap = min(cap, conversation.output_cap)
    body: Block = {
        "model": sending.model,
        "messages": writing.messages(conversation.messages),
        "stream": conversation.stream,
        "truncate": False,
    }
    fields, lossy = sampled(conversation, "ollama_chat")
    writing.lossy += lossy
    stops = [text for text in conversation.stop if text]
    if len(stops) != len(conversation.stop):
        writing.lossy.append(conversation.origin("stop"))
    if stops:
        fields["stop"] = stops
    for name, setting in sending.options:
        if name in OPTIONS:
            fields[name] = setting
    body["options"] = {"num_predict": cap, **fields}
    body |= writing.tools(conversation)
    if conversation.answer_schema is not None:
        body["format"] = conversation.answer_schema
    elif conversation.answer_json:
        body["format"] = "json"
    if conversation.effort:
        body |= writing.thinking(conversation)
    if (alternatives := conversation.logprobs) is not None:
        body["logprobs"] = True
        if alternatives:
            body["top_logprobs"] = alternatives
    if conversation.user:
        writing.lossy.append(conversation.origin("user"))
    writing.lossy += unsaid_caching(conversation)
    if conversation.service_tier not in ("", "auto", "default"):
        writing.lossy.append(conversation.origin("service_tier"))
    return Encoded(body=_ENCODER.encode(body), lossy=tuple(writing.lossy))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self) -> None:
        self.lossy: list[str] = []
        self._names: dict[str, str] = {}

    def messages(self, messages: Iterable[Message]) -> list[Block]:
        """The turns in this wire's order: results of tools before what else a turn says."""
        written: list[Block] = []
        for message in messages:
            if message.role == "assistant":
                written += self._assistant(message)
                continue
            rest: list[Part] = []
            for part in message.parts:
                if isinstance(part, ToolResult) and message.role == "user":
                    written.append(self._result(part))
                else:
                    rest.append(part)
            written += self._said(message.role, rest)
        return written

    def tools(self, conversation: Conversation) -> Block:
        """Tool definitions; a choice among them is said by what is offered, where it can be."""
        if not conversation.tools:
            return {}
        offered = conversation.tools
        choice = conversation.tool_choice
        if choice is not None and choice.mode == "none":
            return {}
        if choice is not None and choice.mode in ("required", "named"):
            self.lossy.append(conversation.origin("tool_choice"))
            if choice.mode == "named":
                offered = tuple(tool for tool in offered if tool.name == choice.name) or offered
        if conversation.parallel_tools is False:
            self.lossy.append(conversation.origin("parallel_tools"))
        self.lossy += [tool.pointer for tool in conversation.tools if tool.strict]
        return {"tools": [_tool(tool) for tool in offered]}

    def thinking(self, conversation: Conversation) -> Block:
        """The level nearest to the effort that was asked for."""
        level = _LEVELS.get(conversation.effort)
        if conversation.effort not in _EXACT_LEVELS:
            self.lossy.append(conversation.origin("effort"))
        return {} if level is None else {"think": level}

    def _said(self, role: str, parts: Iterable[Part]) -> list[Block]:
        texts: list[str] = []
        images: list[str] = []
        for part in parts:
            match part:
                case Text(text):
                    texts.append(text)
                case Image() if part.content:
                    images.append(part.content)
                    if part.detail:
                        self.lossy.append(part.detail_pointer)
                case Document() if (text := document_text(part) or "") and text:
                    texts.append(text)
                case _:
                    self.lossy.append(part.pointer)
        said: Block = {"role": role, "content": "\n".join(filter(None, texts))}
        if images:
            said["images"] = images
        return [said] if said["content"] or images else []

    def _result(self, result: ToolResult) -> Block:
        said = self._said("tool", result.parts)
        written: Block = said[0] if said else {"role": "tool", "content": ""}
        if result.failed:
            # The wire has no mark for it; a failure told in words is still told.
            written["content"] = f"Error: {written['content']}"
        written["tool_call_id"] = result.call_id
        if name := self._names.get(result.call_id):
            written["tool_name"] = name
        return written

    def _assistant(self, message: Message) -> list[Block]:
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        thoughts = [part for part in message.parts if isinstance(part, Thinking)]
        self.lossy += [part.pointer for part in thoughts if part.sealed]
        rest = [part for part in message.parts if not isinstance(part, ToolCall | Thinking)]
        said = self._said("assistant", rest)
        written: Block = said[0] if said else {"role": "assistant", "content": ""}
        if reasoning := "\n".join(part.text for part in thoughts if part.text):
            written["thinking"] = reasoning
        if calls:
            written["tool_calls"] = [self._call(call) for call in calls]
        return [written] if said or calls or reasoning else []

    def _call(self, call: ToolCall) -> Block:
        self._names[call.id] = call.name
        try:
            given = msgspec.json.decode(call.arguments or "{}", type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Models do write broken arguments; the API takes objects only.
            self.lossy.append(call.pointer)
            given = {"arguments": msgspec.Raw(msgspec.json.encode(call.arguments))}
        return {"id": call.id, "function": {"name": call.name, "arguments": given}}


def _tool(tool: Tool) -> Block:
    schema: Mapping[str, object] = tool.schema or {}
    if "type" not in schema:
        schema = {"type": "object", **schema}
    function: Block = {"name": tool.name, "parameters": schema}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}
