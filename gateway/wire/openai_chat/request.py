"""A `Conversation` as an OpenAI chat request, and what of it could not be carried.

Rules of this wire (platform.openai.com/docs/api-reference/chat), as narrow as the servers that
speak it:
- the results of a turn's tool calls are messages of their own and stand before anything else
  that the turn says; they hold text only, so pictures in them move to the user's turn;
- pictures and files stand in user turns; files are PDFs, text files become text;
- shown reasoning of earlier turns has no place;
- at most four stop strings, none of them empty;
- a schema is enforced strictly only when it is closed, else the request would be refused.
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
    ToolChoice,
    ToolResult,
)
from gateway.wire.attached import document_text
from gateway.wire.base import Encoded, Sending
from gateway.wire.sampling import sampled
from gateway.wire.schemas import is_closed

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MOST_STOPS = 4
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh"})

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
        sending.cap_field: cap,
    }
    if conversation.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    body |= _tools(conversation)
    fields, lossy = sampled(conversation, "openai_chat")
    writing.lossy += lossy
    body |= fields
    body |= writing.settings(conversation)
    return Encoded(body=_ENCODER.encode(body), lossy=tuple(writing.lossy))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self) -> None:
        self.lossy: list[str] = []

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

    def settings(self, conversation: Conversation) -> Block:
        """Whatever says how to answer, and the end user's name."""
        written: Block = {}
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
        texts = [part.text for part in message.parts if isinstance(part, Text) and part.text]
        self._skip(part for part in message.parts if not isinstance(part, Text))
        return [{"role": "system", "content": "\n".join(texts)}] if texts else []

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
        whole = len(content) == 1 and content[0]["type"] == "text"
        said = {"role": "user", "content": content[0]["text"] if whole else content}
        return [*results, said]

    def _result(self, result: ToolResult, moved: list[Block]) -> Block:
        texts: list[str] = []
        for part in result.parts:
            for block in self._content(part):
                if block["type"] == "text":
                    texts.append(block["text"])
                else:
                    # Seen by the model all the same, but no longer as the tool's own words.
                    self.lossy.append(part.pointer)
                    moved.append(block)
        said = "\n".join(texts)
        if result.failed:
            # The wire has no mark for it; a failure told in words is still told.
            said = f"Error: {said}"
        return {"role": "tool", "tool_call_id": result.call_id, "content": said}

    def _assistant(self, message: Message) -> list[Block]:
        texts = [part.text for part in message.parts if isinstance(part, Text) and part.text]
        calls = [_call(part) for part in message.parts if isinstance(part, ToolCall)]
        self._skip(part for part in message.parts if not isinstance(part, Text | ToolCall))
        if not texts and not calls:
            return []
        written: Block = {"role": "assistant", "content": "\n".join(texts) if texts else None}
        if calls:
            written["tool_calls"] = calls
        return [written]

    def _content(self, part: Part) -> list[Block]:
        match part:
            case Text(text):
                return [{"type": "text", "text": text}] if text else []
            case Image():
                url = part.url or f"data:{part.media_type};base64,{part.content}"
                return [{"type": "image_url", "image_url": {"url": url}}]
            case Document(media_type="application/pdf"):
                # Servers tell a file's kind by its name.
                title = (part.title or "document").removesuffix(".pdf")
                held = {
                    "filename": f"{title}.pdf",
                    "file_data": f"data:application/pdf;base64,{part.content}",
                }
                return [{"type": "file", "file": held}]
            case Document() if (said := document_text(part)) is not None:
                return [{"type": "text", "text": said}]
        self.lossy.append(part.pointer)
        return []

    def _skip(self, parts: Iterable[Part]) -> None:
        self.lossy += [part.pointer for part in parts]


def _tools(conversation: Conversation) -> Block:
    if not conversation.tools:
        return {}
    written: Block = {"tools": [_tool(tool) for tool in conversation.tools]}
    if conversation.tool_choice is not None:
        written["tool_choice"] = _choice(conversation.tool_choice)
    if conversation.parallel_tools is not None:
        written["parallel_tool_calls"] = conversation.parallel_tools
    return written


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


def _call(call: ToolCall) -> Block:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}
