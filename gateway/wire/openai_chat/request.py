"""A `Conversation` as an OpenAI chat request, and what of it could not be carried.

Rules of this wire (platform.openai.com/docs/api-reference/chat), as narrow as the servers that
speak it:
- the results of a turn's tool calls are messages of their own and stand before anything else
  that the turn says; they hold text only, so pictures in them move to the user's turn;
- pictures and files stand in user turns; files are PDFs, text files become text;
- shown reasoning of earlier turns has no place;
- marks for the prompt cache stand on content parts, and only newer models take them;
- at most four stop strings, none of them empty;
- a schema is enforced strictly only when it is closed, else the request would be refused.
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
    ToolChoice,
    ToolResult,
)
from gateway.wire.attached import data_url, document_text, file_name
from gateway.wire.base import Encoded, Sending
from gateway.wire.cache_marks import openai_mark
from gateway.wire.sampling import sampled
from gateway.wire.schemas import is_closed

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MOST_STOPS = 4
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh"})

Block = dict[str, Any]


def encode_request(conversation: Conversation, sending: Sending) -> Encoded:
    """Write the request."""
    writing = _Writing(marking=sending.caching == "breakpoints")
    cap = sending.output_cap
    if conversation.output_cap is not None:
        cap = min(cap, conversation.output_cap)
    body: Block = {
        "model": sending.model,
        "messages": writing.messages(conversation.messages),
        sending.cap_field: cap,
    }
    if conversation.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body |= writing.tools(conversation)
    fields, lossy = sampled(conversation, "openai_chat")
    writing.lossy += lossy
    body |= fields
    body |= writing.settings(conversation, keyed=sending.caching != "none")
    return Encoded(body=_ENCODER.encode(body), lossy=tuple(writing.lossy))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self, *, marking: bool) -> None:
        self.lossy: list[str] = []
        self._marking = marking

    def messages(self, messages: Iterable[Message]) -> list[Block]:
        """The turns in this wire's order."""
        written: list[Block] = []
        for message in messages:
            match message.role:
                case "system":
                    written += self._system(message)
                case "user":
                    written += self._user(message)
                case "assistant":
                    written += self._assistant(message)
        return written

    def tools(self, conversation: Conversation) -> Block:
        """Tool definitions and whether one must be called."""
        if not conversation.tools:
            return {}
        written: Block = {"tools": [_tool(tool) for tool in conversation.tools]}
        for tool in conversation.tools:
            self._lose_mark(tool.cache)
        if conversation.tool_choice is not None:
            written["tool_choice"] = _choice(conversation.tool_choice)
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
        stops = [text for text in conversation.stop if text][:_MOST_STOPS]
        if len(stops) != len(conversation.stop):
            self.lossy.append(conversation.origin("stop"))
        if stops:
            written["stop"] = stops
        if (schema := conversation.answer_schema) is not None:
            named: Block = {"name": "answer", "schema": schema, "strict": is_closed(schema)}
            written["response_format"] = {"type": "json_schema", "json_schema": named}
        elif conversation.answer_json:
            written["response_format"] = {"type": "json_object"}
        if conversation.effort in _EFFORTS:
            written["reasoning_effort"] = conversation.effort
        elif conversation.effort:
            self.lossy.append(conversation.origin("effort"))
            if conversation.effort == "max":
                written["reasoning_effort"] = "high"
        if conversation.user:
            written["user"] = conversation.user
        if (alternatives := conversation.logprobs) is not None:
            written["logprobs"] = True
            if alternatives:
                written["top_logprobs"] = alternatives
        if conversation.service_tier:
            written["service_tier"] = conversation.service_tier
        return written

    def _system(self, message: Message) -> list[Block]:
        texts = [part for part in message.parts if isinstance(part, Text)]
        self._skip(part for part in message.parts if not isinstance(part, Text))
        content = self._texts(texts)
        return [{"role": "system", "content": content}] if content else []

    def _user(self, message: Message) -> list[Block]:
        results: list[Block] = []
        content: list[Block] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                results.append(self._result(part, content))
            else:
                content += self._content(part)
        if not content:
            return results
        whole = len(content) == 1 and content[0].keys() == {"type", "text"}
        said = {"role": "user", "content": content[0]["text"] if whole else content}
        return [*results, said]

    def _result(self, result: ToolResult, moved: list[Block]) -> Block:
        texts: list[Text] = []
        for part in result.parts:
            for block in self._content(part):
                if isinstance(part, Text | Document) and block["type"] == "text":
                    texts.append(Text(block["text"], part.pointer, part.cache))
                else:
                    # Seen by the model all the same, but no longer as the tool's own words.
                    self.lossy.append(part.pointer)
                    moved.append(block)
        if result.cache is not None:
            last = texts.pop() if texts else Text("")
            texts.append(Text(last.text, last.pointer, result.cache))
        if result.failed:
            # The wire has no mark for it; a failure told in words is still told.
            first, *rest = texts or [Text("")]
            texts = [Text(f"Error: {first.text}", first.pointer, first.cache), *rest]
        said = self._texts(texts) or ""
        return {"role": "tool", "tool_call_id": result.call_id, "content": said}

    def _assistant(self, message: Message) -> list[Block]:
        content = self._texts([part for part in message.parts if isinstance(part, Text)])
        calls = [self._call(part) for part in message.parts if isinstance(part, ToolCall)]
        self._skip(part for part in message.parts if not isinstance(part, Text | ToolCall))
        if not content and not calls:
            return []
        written: Block = {"role": "assistant", "content": content or None}
        if calls:
            written["tool_calls"] = calls
        return [written]

    def _content(self, part: Part) -> list[Block]:
        match part:
            case Text(text):
                return [{"type": "text", "text": text, **self._mark(part)}] if text else []
            case Image():
                shown = {"url": data_url(part)} | ({"detail": part.detail} if part.detail else {})
                return [{"type": "image_url", "image_url": shown, **self._mark(part)}]
            case Document(media_type="application/pdf"):
                held = {"filename": file_name(part), "file_data": data_url(part)}
                return [{"type": "file", "file": held, **self._mark(part)}]
            case Document() if (said := document_text(part)) is not None:
                return [{"type": "text", "text": said, **self._mark(part)}]
        self.lossy.append(part.pointer)
        return []

    def _texts(self, parts: list[Text]) -> str | list[Block]:
        """Texts as one, or as parts where one is marked."""
        marks = [self._mark(part) for part in parts]
        if not any(marks):
            return "\n".join(part.text for part in parts if part.text)
        return [
            {"type": "text", "text": part.text, **mark}
            for part, mark in zip(parts, marks, strict=True)
            if part.text
        ]

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
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        return {"id": call.id, "type": "function", "function": function}

    def _skip(self, parts: Iterable[Part]) -> None:
        self.lossy += [part.pointer for part in parts]


def _tool(tool: Tool) -> Block:
    function: Block = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> str | Block:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode
