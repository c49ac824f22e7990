"""A `Conversation` as a Responses request, and what of it could not be carried.

Rules of this wire (platform.openai.com/docs/api-reference/responses):
- everything is an item: words, calls and results stand in the order in which they were said;
- system prompts keep their place among the items;
- `strict` is on for functions unless it is turned off, so it is always said;
- stop strings have no place; reasoning of another vendor is not taken;
- `store` is false: nobody but the gateway keeps conversations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.core.conversation import (
    Conversation,
    Document,
    Image,
    Message,
    Part,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from gateway.wire.base import Encoded, Sending
from gateway.wire.sampling import sampled
from gateway.wire.schemas import is_closed

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})

Block = dict[str, Any]


def encode_request(conversation: Conversation, sending: Sending) -> Encoded:
    """Write the request."""
    writing = _Writing()
    cap = sending.output_cap
    if conversation.output_cap is not None:
        cap = min(cap, conversation.output_cap)
    body: Block = {
        "model": sending.model,
        "input": writing.items(conversation.messages),
        "max_output_tokens": cap,
        "store": False,
    }
    if conversation.stream:
        body["stream"] = True
    body |= _tools(conversation)
    fields, lossy = sampled(conversation, "openai_responses")
    body |= fields
    writing.lossy += lossy
    body |= writing.settings(conversation)
    return Encoded(body=_ENCODER.encode(body), lossy=tuple(writing.lossy))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self) -> None:
        self.lossy: list[str] = []

    def items(self, messages: Iterable[Message]) -> list[Block]:
        """The items of all turns, in order."""
        items: list[Block] = []
        for message in messages:
            said: list[Block] = []
            for part in message.parts:
                if isinstance(part, ToolCall | ToolResult):
                    items += _message(message, said)
                    said = []
                    items.append(_call(part) if isinstance(part, ToolCall) else self._result(part))
                else:
                    said += self._content(message, part)
            items += _message(message, said)
        return items

    def settings(self, conversation: Conversation) -> Block:
        """Whatever says how to answer, and the end user's name."""
        written: Block = {}
        if conversation.stop:
            self.lossy.append(conversation.origin("stop"))
        if (schema := conversation.answer_schema) is not None:
            strict = is_closed(schema)
            wanted = {"type": "json_schema", "name": "answer", "schema": schema, "strict": strict}
            written["text"] = {"format": wanted}
        elif conversation.answer_json:
            written["text"] = {"format": {"type": "json_object"}}
        if conversation.effort in _EFFORTS:
            written["reasoning"] = {"effort": conversation.effort}
        elif conversation.effort:
            self.lossy.append(conversation.origin("effort"))
        if conversation.user:
            written["safety_identifier"] = conversation.user
        if (alternatives := conversation.logprobs) is not None:
            written["include"] = ["message.output_text.logprobs"]
            if alternatives:
                written["top_logprobs"] = alternatives
        if conversation.service_tier:
            written["service_tier"] = conversation.service_tier
        return written

    def _result(self, result: ToolResult) -> Block:
        parts = [block for part in result.parts for block in self._part(part)]
        if result.failed:
            # The wire has no mark for it; a failure told in words is still told.
            parts.insert(0, {"type": "input_text", "text": "Error:"})
        output: str | list[Block] = parts
        if all(block["type"] == "input_text" for block in parts):
            output = "\n".join(block["text"] for block in parts)
        return {"type": "function_call_output", "call_id": result.call_id, "output": output}

    def _content(self, message: Message, part: Part) -> list[Block]:
        if message.role == "user":
            return self._part(part)
        if not isinstance(part, Text):
            self.lossy.append(part.pointer)
            return []
        kind = "output_text" if message.role == "assistant" else "input_text"
        return [{"type": kind, "text": part.text}] if part.text else []

    def _part(self, part: Part) -> list[Block]:
        match part:
            case Text(text):
                return [{"type": "input_text", "text": text}] if text else []
            case Image():
                url = part.url or f"data:{part.media_type};base64,{part.content}"
                return [{"type": "input_image", "detail": "auto", "image_url": url}]
            case Document(url=url) if url:
                return [{"type": "input_file", "file_url": url}]
            case Document():
                return [
                    {
                        "type": "input_file",
                        "filename": part.title or "document.pdf",
                        "file_data": f"data:{part.media_type};base64,{part.content}",
                    }
                ]
        self.lossy.append(part.pointer)
        return []


def _message(message: Message, content: list[Block]) -> list[Block]:
    if not content:
        return []
    return [{"type": "message", "role": message.role, "content": content}]


def _call(call: ToolCall) -> Block:
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments or "{}",
    }


def _tools(conversation: Conversation) -> Block:
    if not conversation.tools:
        return {}
    written: Block = {"tools": [_tool(tool) for tool in conversation.tools]}
    choice = conversation.tool_choice
    if choice is not None:
        named = {"type": "function", "name": choice.name}
        written["tool_choice"] = named if choice.mode == "named" else choice.mode
    if conversation.parallel_tools is not None:
        written["parallel_tool_calls"] = conversation.parallel_tools
    return written


def _tool(tool: Tool) -> Block:
    written: Block = {
        "type": "function",
        "name": tool.name,
        "parameters": tool.schema or {"type": "object", "properties": {}},
        "strict": tool.strict,
    }
    if tool.description:
        written["description"] = tool.description
    return written
