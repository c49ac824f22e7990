"""A `Conversation` as a Responses request, and what of it could not be carried.

Rules of this wire (platform.openai.com/docs/api-reference/responses):
- everything is an item: words, calls and results stand in the order in which they were said;
- system prompts keep their place among the items;
- `strict` is on for functions unless it is turned off, so it is always said;
- marks for the prompt cache stand on what is put in, and only newer models take them;
- stop strings have no place; reasoning of another vendor is not taken;
- `store` is false: nobody but the gateway keeps conversations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.core.conversation import (
    CacheMark,
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
from gateway.wire.attached import data_url, file_name
from gateway.wire.base import Encoded, Sending
from gateway.wire.cache_marks import openai_mark
from gateway.wire.sampling import sampled
from gateway.wire.schemas import is_closed

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})

Block = dict[str, Any]


def encode_request(conversation: Conversation, sending: Sending) -> Encoded:
    """Write the request."""
    writing = _Writing(marking=sending.caching == "breakpoints")
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
    body |= writing.tools(conversation)
    fields, lossy = sampled(conversation, "openai_responses")
    body |= fields
    writing.lossy += lossy
    body |= writing.settings(conversation, keyed=sending.caching != "none")
    return Encoded(body=_ENCODER.encode(body), lossy=tuple(writing.lossy))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self, *, marking: bool) -> None:
        self.lossy: list[str] = []
        self._marking = marking

    def items(self, messages: Iterable[Message]) -> list[Block]:
        """The items of all turns, in order."""
        items: list[Block] = []
        for message in messages:
            said: list[Block] = []
            for part in message.parts:
                if isinstance(part, ToolCall | ToolResult):
                    items += _message(message, said)
                    said = []
                    if isinstance(part, ToolCall):
                        items.append(self._call(part))
                    else:
                        items.append(self._result(part))
                else:
                    said += self._content(message, part)
            items += _message(message, said)
        return items

    def tools(self, conversation: Conversation) -> Block:
        """Tool definitions and whether one must be called."""
        if not conversation.tools:
            return {}
        written: Block = {"tools": [_tool(tool) for tool in conversation.tools]}
        for tool in conversation.tools:
            self._lose_mark(tool.cache)
        choice = conversation.tool_choice
        if choice is not None:
            named = {"type": "function", "name": choice.name}
            written["tool_choice"] = named if choice.mode == "named" else choice.mode
        if conversation.parallel_tools is not None:
            written["parallel_tool_calls"] = conversation.parallel_tools
        return written

    def settings(self, conversation: Conversation, *, keyed: bool) -> Block:
        """Whatever says how to answer, the end user's name and the prompt cache's key."""
        written: Block = {}
        if conversation.cache_key and keyed:
            written["prompt_cache_key"] = conversation.cache_key
        elif conversation.cache_key:
            self.lossy.append(conversation.origin("cache_key"))
        if not self._marking:
            # Where parts can be marked, the backend also keeps the longest beginning by itself.
            self._lose_mark(conversation.cache)
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
        if result.cache is not None and self._marking and parts:
            parts[-1] |= openai_mark(result.cache)
        else:
            self._lose_mark(result.cache)
        output: str | list[Block] = parts
        if all(block.keys() == {"type", "text"} for block in parts):
            output = "\n".join(block["text"] for block in parts)
        return {"type": "function_call_output", "call_id": result.call_id, "output": output}

    def _content(self, message: Message, part: Part) -> list[Block]:
        if message.role == "user":
            return self._part(part)
        if not isinstance(part, Text):
            self.lossy.append(part.pointer)
            return []
        if message.role == "system":
            return self._part(part)
        # What the model said cannot be marked.
        self._lose_mark(part.cache)
        return [{"type": "output_text", "text": part.text}] if part.text else []

    def _part(self, part: Part) -> list[Block]:
        match part:
            case Text(text):
                return [{"type": "input_text", "text": text, **self._mark(part)}] if text else []
            case Image():
                shown = {"detail": part.detail or "auto", "image_url": data_url(part)}
                return [{"type": "input_image", **shown, **self._mark(part)}]
            case Document(url=url) if url:
                return [{"type": "input_file", "file_url": url, **self._mark(part)}]
            case Document():
                held = {"filename": file_name(part), "file_data": data_url(part)}
                return [{"type": "input_file", **held, **self._mark(part)}]
        self.lossy.append(part.pointer)
        return []

    def _mark(self, part: Text | Image | Document) -> Block:
        if self._marking:
            return openai_mark(part.cache)
        self._lose_mark(part.cache)
        return {}

    def _lose_mark(self, mark: CacheMark | None) -> None:
        if mark is not None:
            self.lossy.append(mark.pointer)

    def _call(self, call: ToolCall) -> Block:
        self._lose_mark(call.cache)
        return {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments or "{}",
        }


def _message(message: Message, content: list[Block]) -> list[Block]:
    if not content:
        return []
    return [{"type": "message", "role": message.role, "content": content}]


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
