"""A `Conversation` as an Anthropic Messages request, and what of it could not be carried.

Rules of this wire (platform.claude.com/docs/en/api, version 2026-10-21):
- `max_tokens` is mandatory and is our output cap;
- system prompts stand before the turns, and consecutive turns of one role are one turn;
- the results of a turn's tool calls stand first in the user turn that follows;
- `temperature` and `top_p` are refused by that version, and taken, up to 1, by 2023-06-01;
- empty text blocks and stop sequences of white space are refused.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
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
from gateway.wire.anthropic_messages.schemas import can_hold_arguments, without_idle_limits
from gateway.wire.base import Encoded, Sending
from gateway.wire.cache_marks import AnthropicMarks
from gateway.wire.sampling import sampled

# Decimals come from numbers that a double cannot hold; they go out as numbers.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_ODD_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")

Block = dict[str, Any]


def encode_request(
    conversation: Conversation, sending: Sending, *, sampling: bool = False
) -> Encoded:
    """Write the request; `sampling` says that the API version still takes sampling parameters."""
    writing = _Writing()
    system, turns = writing.turns(conversation.messages)
    cap = sending.output_cap
    if conversation.output_cap is not None:
        cap = min(cap, conversation.output_cap)
    body: dict[str, Any] = {"model": sending.model, "max_tokens": cap, "messages": turns}
    if system:
        body["system"] = system
    if conversation.stream:
        body["stream"] = True
    body |= writing.tools(conversation)
    body |= writing.sampling(conversation, taken=sampling)
    body |= writing.output(conversation)
    if conversation.user:
        body["metadata"] = {"user_id": conversation.user}
    if conversation.cache_key:
        writing.lossy.append(conversation.origin("cache_key"))
    marked, unmarked = writing.marks.write(conversation.cache)
    body |= marked
    writing.lossy += unmarked
    return Encoded(body=_ENCODER.encode(body), lossy=tuple(writing.lossy))


class _Writing:
    """One pass over a conversation; collects the pointers of what is not carried."""

    def __init__(self) -> None:
        self.lossy: list[str] = []
        self.marks = AnthropicMarks()

    def turns(self, messages: Iterable[Message]) -> tuple[str | list[Block], list[Block]]:
        """The system prompt and the alternating turns."""
        system: list[list[Text]] = []
        turns: list[Block] = []
        for message in messages:
            if message.role == "system":
                if turns:
                    # It moves to the front: its place among the turns is lost.
                    self.lossy.append(message.pointer)
                system.append(self._system(message))
                continue
            blocks = [block for part in message.parts for block in self._block(part)]
            if not blocks:
                continue
            if turns and turns[-1]["role"] == message.role:
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": message.role, "content": blocks})
        for turn in turns:
            turn["content"].sort(key=lambda block: block["type"] != "tool_result")
        if any(part.cache for texts in system for part in texts):
            prompt = [self._marked_text(part, "system") for texts in system for part in texts]
            if turns:
                return prompt, turns
            return "", [{"role": "user", "content": prompt}]
        told = "\n\n".join("\n".join(part.text for part in texts) for texts in system if texts)
        if not turns and told:
            # A request needs a turn; instructions alone become the user's.
            turns.append({"role": "user", "content": [{"type": "text", "text": told}]})
            told = ""
        return told, turns

    def tools(self, conversation: Conversation) -> dict[str, Any]:
        """Tool definitions and whether one must be called."""
        if not conversation.tools:
            return {}
        written: dict[str, Any] = {"tools": [self._tool(tool) for tool in conversation.tools]}
        choice: dict[str, Any] = {}
        wanted = conversation.tool_choice
        match wanted.mode if wanted is not None else None:
            case "none":
                choice = {"type": "none"}
            case "required":
                choice = {"type": "any"}
            case "named" if wanted is not None:
                choice = {"type": "tool", "name": wanted.name}
            case "auto":
                choice = {"type": "auto"}
        if conversation.parallel_tools is False and choice.get("type") != "none":
            choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
        if choice:
            written["tool_choice"] = choice
        return written

    def _tool(self, tool: Tool) -> Block:
        schema: Mapping[str, object] = tool.schema or {}
        if "type" not in schema:
            schema = {"type": "object", **schema}
        strict = tool.strict and can_hold_arguments(schema)
        if tool.strict and not strict:
            self.lossy.append(tool.pointer)
        if strict:
            written: Block = {"name": tool.name, "input_schema": without_idle_limits(schema)}
        else:
            written = {"name": tool.name, "input_schema": schema}
        if tool.description:
            written["description"] = tool.description
        if strict:
            written["strict"] = True
        return self.marks.set("tools", written, tool.cache)

    def sampling(self, conversation: Conversation, *, taken: bool) -> dict[str, Any]:
        """Sampling parameters and stop strings."""
        wire = "anthropic_messages_2023_06_01" if taken else "anthropic_messages"
        written, lossy = sampled(conversation, wire)
        self.lossy += lossy
        stops = [text for text in conversation.stop if text.strip()]
        if len(stops) != len(conversation.stop):
            self.lossy.append(conversation.origin("stop"))
        if stops:
            written["stop_sequences"] = stops
        return written

    def output(self, conversation: Conversation) -> dict[str, Any]:
        """The answer's schema, the effort and the service tier."""
        settings: dict[str, Any] = {}
        if conversation.answer_schema is not None:
            schema = without_idle_limits(conversation.answer_schema)
            settings["format"] = {"type": "json_schema", "schema": schema}
        elif conversation.answer_json:
            self.lossy.append(conversation.origin("answer_schema"))
        if conversation.effort in _EFFORTS:
            settings["effort"] = conversation.effort
        elif conversation.effort:
            self.lossy.append(conversation.origin("effort"))
        written: dict[str, Any] = {"output_config": settings} if settings else {}
        if conversation.logprobs is not None:
            self.lossy.append(conversation.origin("logprobs"))
        if conversation.service_tier == "default":
            written["service_tier"] = "standard_only"
        elif conversation.service_tier not in ("", "auto"):
            self.lossy.append(conversation.origin("service_tier"))
        return written

    def _system(self, message: Message) -> list[Text]:
        texts = []
        for part in message.parts:
            if not isinstance(part, Text):
                self.lossy.append(part.pointer)
            elif part.text:
                texts.append(part)
        return texts

    def _marked_text(self, part: Text, section: str) -> Block:
        return self.marks.set(section, {"type": "text", "text": part.text}, part.cache)

    def _block(self, part: Part) -> list[Block]:
        """The block of one part; none where it is empty or cannot be carried."""
        match part:
            case Text(text):
                return [self._marked_text(part, "messages")] if text else []
            case Image():
                return self._image(part)
            case Document():
                return self._document(part)
            case ToolCall():
                return [self._tool_use(part)]
            case ToolResult():
                return [self._tool_result(part)]
            case Thinking(sealed=sealed) if sealed:
                return [{"type": "redacted_thinking", "data": sealed}]
            case Thinking(text=text, signature=signature) if signature:
                return [{"type": "thinking", "thinking": text, "signature": signature}]
        # Reasoning without its signature is refused as forged.
        self.lossy.append(part.pointer)
        return []

    def _image(self, part: Image) -> list[Block]:
        if part.detail:
            self.lossy.append(part.detail_pointer)
        if not part.url and part.media_type not in _IMAGE_TYPES:
            self.lossy.append(part.pointer)
            return []
        source = {"type": "url", "url": part.url} if part.url else _base64(part)
        return [self.marks.set("messages", {"type": "image", "source": source}, part.cache)]

    def _document(self, part: Document) -> list[Block]:
        if part.url:
            source: Block = {"type": "url", "url": part.url}
        elif part.media_type == "application/pdf":
            source = _base64(part)
        elif (text := _plain_text(part)) is not None:
            source = {"type": "text", "media_type": "text/plain", "data": text}
        else:
            self.lossy.append(part.pointer)
            return []
        written: Block = {"type": "document", "source": source}
        if part.title:
            written["title"] = part.title
        return [self.marks.set("messages", written, part.cache)]

    def _tool_use(self, part: ToolCall) -> Block:
        try:
            given = msgspec.json.decode(part.arguments or "{}", type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Models do write broken arguments; the API takes objects only.
            self.lossy.append(part.pointer)
            given = {"arguments": msgspec.Raw(msgspec.json.encode(part.arguments))}
        written = {"type": "tool_use", "id": _tool_id(part.id), "name": part.name, "input": given}
        return self.marks.set("messages", written, part.cache)

    def _tool_result(self, part: ToolResult) -> Block:
        result: Block = {"type": "tool_result", "tool_use_id": _tool_id(part.call_id)}
        blocks = [block for inner in part.parts for block in self._block(inner)]
        if len(blocks) == 1 and isinstance(part.parts[0], Text) and part.parts[0].cache is None:
            result["content"] = blocks[0]["text"]
        elif blocks:
            result["content"] = blocks
        if part.failed:
            result["is_error"] = True
        return self.marks.set("messages", result, part.cache)


def _plain_text(document: Document) -> str | None:
    """A text file's words; None where the file is not text."""
    if not document.media_type.startswith("text/"):
        return None
    try:
        return base64.b64decode(document.content, validate=True).decode("utf-8") or None
    except ValueError:
        return None


def _base64(part: Image | Document) -> Block:
    return {"type": "base64", "media_type": part.media_type, "data": part.content}


def _tool_id(call_id: str) -> str:
    """The id in the alphabet that the API takes; the same for a call and its result."""
    return _ODD_IN_ID.sub("_", call_id) or "call"
