"""A Messages request as a `Conversation`, for backends that speak another wire.

What is not understood is named by its JSON pointer; nothing is left out in silence. Settings at
their default (null, `service_tier: auto`, citations that are off, …) ask for nothing and are not
named.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from gateway.core.request import ChatRequest
from gateway.wire.cache_marks import mark_field, read_mark
from gateway.wire.document import hide
from gateway.wire.strings import pointer as pointer_of

# Decimals keep numbers that a double cannot hold, such as 1e400.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

#: Top-level fields that are read here or belong to the gateway.
_READ = frozenset(
    "model messages system stream max_tokens tools tool_choice temperature top_p top_k "
    "stop_sequences metadata output_config output_format thinking service_tier "
    "cache_control".split()
)
# Values that ask for nothing, by field.
_DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "speed": ("standard",),
    "mcp_servers": ([],),
    "context_management": ({},),
}
_NOTHING: tuple[object, ...] = (None, [], {}, "", False)
_ORIGINS = {
    "output_cap": "/max_tokens",
    "stop": "/stop_sequences",
    "answer_schema": "/output_config/format",
    "effort": "/output_config/effort",
    "parallel_tools": "/tool_choice/disable_parallel_tool_use",
    "user": "/metadata/user_id",
}
#: The largest thinking budget, in tokens, that still counts as an effort; more is high.
_EFFORT_BUDGETS = ((4_096, "low"), (16_384, "medium"))

Block = dict[str, Any]


def read_conversation(request: ChatRequest, hidden: Sequence[tuple[str, str]] = ()) -> Conversation:
    """Read the request's own bytes; `hidden` replaces strings by pointer before anything else."""
    fields = dict(request.fields)
    hide(fields, tuple(hidden))
    document = {name: _DECODER.decode(raw) for name, raw in fields.items()}
    reading = _Reading()
    for name, found in document.items():
        if name not in _READ and found is not None and found not in _DEFAULTS.get(name, ()):
            reading.skip(pointer_of((name,)))
    cap = document.get("max_tokens")
    if cap == 0:
        # A request that only fills the vendor's cache; no other wire can ask for no answer.
        reading.skip("/max_tokens")
    choice, parallel = reading.tool_choice(document.get("tool_choice"))
    effort, effort_from = reading.effort(document)
    schema, schema_from = reading.answer_schema(document)
    return Conversation(
        messages=(*reading.system(document.get("system")), *reading.turns(document["messages"])),
        stream=request.stream,
        tools=reading.tools(document.get("tools")),
        tool_choice=choice,
        parallel_tools=parallel,
        output_cap=max(1, cap) if cap is not None else None,
        temperature=_number(document.get("temperature")),
        top_p=_number(document.get("top_p")),
        top_k=document.get("top_k"),
        stop=reading.stop(document.get("stop_sequences")),
        answer_schema=schema,
        effort=effort,
        user=reading.user(document.get("metadata")),
        # This API only knows whether committed capacity may be used; OpenAI's word for not is this.
        service_tier="default" if document.get("service_tier") == "standard_only" else "",
        cache=reading.whole_mark(document),
        origins={**_ORIGINS, "effort": effort_from, "answer_schema": schema_from},
        not_understood=tuple(reading.skipped),
    )


class _Reading:
    """One pass over a document; collects the pointers of what it cannot read."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def skip(self, pointer: str) -> None:
        """Name something that is left out."""
        self.skipped.append(pointer)

    def system(self, found: Any) -> tuple[Message, ...]:
        """The system prompt, as text or as blocks."""
        if not found:
            return ()
        return (Message(role="system", parts=self.content(found, "/system"), pointer="/system"),)

    def turns(self, found: list[Block]) -> tuple[Message, ...]:
        """The turns, in order."""
        messages = []
        for index, message in enumerate(found):
            pointer = f"/messages/{index}"
            self.skip_rest(message, {"role", "content"}, pointer)
            parts = self.content(message["content"], f"{pointer}/content")
            role: Role = message["role"]
            messages.append(Message(role=role, parts=parts, pointer=pointer))
        return tuple(messages)

    def content(self, found: Any, pointer: str) -> tuple[Part, ...]:
        """Content: a text or blocks."""
        if isinstance(found, str):
            return (Text(found, pointer),) if found else ()
        parts = []
        for index, block in enumerate(found if isinstance(found, list) else ()):
            below = f"{pointer}/{index}"
            understood = self.block(block, below) if isinstance(block, dict) else None
            if understood is None:
                self.skip(below)
            else:
                parts.append(understood)
        return tuple(parts)

    def block(self, found: Block, pointer: str) -> Part | None:
        """One content block, or None when it is not understood."""
        mark = read_mark(found, pointer)
        match found:
            case {"type": "text", "text": str(text)}:
                self.skip_rest(found, {"type", "text"}, pointer, mark)
                return Text(text, pointer, mark)
            case {"type": "image", "source": dict() as source}:
                return self._image(found, source, pointer)
            case {"type": "document", "source": dict() as source}:
                return self._document(found, source, pointer)
            case {"type": "tool_use", "id": str(call_id), "name": str(name)}:
                return self._tool_use(found, call_id, name, pointer)
            case {"type": "tool_result", "tool_use_id": str(call_id)}:
                known = {"type", "tool_use_id", "content", "is_error"}
                self.skip_rest(found, known, pointer, mark)
                return ToolResult(
                    call_id=call_id,
                    parts=self.content(found.get("content"), f"{pointer}/content"),
                    failed=found.get("is_error") is True,
                    pointer=pointer,
                    cache=mark,
                )
            case {"type": "search_result", "source": str(), "title": str(), "content": [*blocks]}:
                return self._search_result(found, blocks, pointer)
            case {"type": "thinking", "thinking": str(text)}:
                return Thinking(
                    text=text, signature=str(found.get("signature") or ""), pointer=pointer
                )
            case {"type": "redacted_thinking", "data": str(sealed)}:
                return Thinking(text="", sealed=sealed, pointer=pointer)
        return None

    def tools(self, found: Any) -> tuple[Tool, ...]:
        """The client's own tools; those that the vendor runs are not understood."""
        tools = []
        for index, tool in enumerate(found or ()):
            pointer = f"/tools/{index}"
            match tool:
                case {"name": str(name), "input_schema": dict() as schema} if tool.get("type") in (
                    None,
                    "custom",
                ):
                    known = {"type", "name", "description", "input_schema", "strict"}
                    mark = read_mark(tool, pointer)
                    self.skip_rest(tool, known, pointer, mark)
                    tools.append(
                        Tool(
                            name=name,
                            description=str(tool.get("description") or ""),
                            schema=schema,
                            strict=tool.get("strict") is True,
                            pointer=pointer,
                            cache=mark,
                        )
                    )
                case _:
                    self.skip(pointer)
        return tuple(tools)

    def tool_choice(self, found: Any) -> tuple[ToolChoice | None, bool | None]:
        """Whether and which tool must be called, and whether several may be at once."""
        if found is None:
            return None, None
        parallel = False if found.get("disable_parallel_tool_use") is True else None
        match found:
            case {"type": "auto"}:
                return ToolChoice(mode="auto"), parallel
            case {"type": "any"}:
                return ToolChoice(mode="required"), parallel
            case {"type": "none"}:
                return ToolChoice(mode="none"), parallel
            case {"type": "tool", "name": str(name)}:
                return ToolChoice(mode="named", name=name), parallel
        self.skip("/tool_choice")
        return None, parallel

    def stop(self, found: Any) -> tuple[str, ...]:
        """Stop strings."""
        texts = tuple(text for text in found or () if isinstance(text, str))
        if len(texts) != len(found or ()):
            self.skip("/stop_sequences")
        return texts

    def user(self, found: Any) -> str:
        """The end user's opaque name."""
        metadata = found or {}
        self.skip_rest(metadata, {"user_id"}, "/metadata")
        name = metadata.get("user_id")
        return name if isinstance(name, str) else ""

    def answer_schema(self, document: Block) -> tuple[Mapping[str, object] | None, str]:
        """The schema that the answer must obey, and where it stood: newer and older place."""
        settings = document.get("output_config") or {}
        self.skip_rest(settings, {"format", "effort"}, "/output_config")
        place, found = "/output_config/format", settings.get("format")
        if found is None:
            place, found = "/output_format", document.get("output_format")
        match found:
            case None:
                return None, place
            case {"type": "json_schema", "schema": dict() as schema}:
                self.skip_rest(found, {"type", "schema"}, place)
                return schema, place
        self.skip(place)
        return None, place

    def effort(self, document: Block) -> tuple[str, str]:
        """How hard the model should think, and the pointer that it was read from.

        A budget of thinking tokens becomes the nearest effort, and is named: it is not the same.
        """
        settings = document.get("output_config") or {}
        thinking = document.get("thinking") or {}
        effort = settings.get("effort")
        self.skip_rest(thinking, {"type", "budget_tokens"}, "/thinking")
        match thinking:
            case {"type": "enabled", "budget_tokens": int(budget)}:
                self.skip("/thinking/budget_tokens")
                nearest = next((word for most, word in _EFFORT_BUDGETS if budget <= most), "high")
                return (str(effort), "/output_config/effort") if effort else (nearest, "/thinking")
            case {"type": "between_tools"} | {"type": "enabled"}:
                self.skip("/thinking")
        return str(effort or ""), "/output_config/effort"

    def whole_mark(self, document: Block) -> CacheMark | None:
        """The mark that asks to keep as much of the prompt as can be kept."""
        mark = read_mark(document, "")
        if mark is None and document.get("cache_control") is not None:
            self.skip("/cache_control")
        return mark

    def skip_rest(
        self,
        found: Mapping[str, Any],
        known: set[str],
        pointer: str,
        mark: CacheMark | None = None,
    ) -> None:
        """Name what stands beside the known fields and the mark, and asks for something."""
        known = known | mark_field(mark)
        for name, inner in found.items():
            if name not in known and inner not in _NOTHING:
                self.skip(pointer + pointer_of((name,)))

    def _image(self, found: Block, source: Block, pointer: str) -> Image | None:
        mark = read_mark(found, pointer)
        self.skip_rest(found, {"type", "source"}, pointer, mark)
        match source:
            case {"type": "base64", "media_type": str(media_type), "data": str(content)}:
                return Image(media_type=media_type, content=content, pointer=pointer, cache=mark)
            case {"type": "url", "url": str(url)}:
                return Image(url=url, pointer=pointer, cache=mark)
        return None

    def _document(self, found: Block, source: Block, pointer: str) -> Document | None:
        self._skip_citations(found, pointer)
        media_type, content, url = "text/plain", "", ""
        match source:
            case {"type": "base64", "media_type": str(media_type), "data": str(content)}:
                pass
            case {"type": "url", "url": str(url)}:
                media_type = ""
            case {"type": "text", "data": str(text)}:
                content = _encoded(text)
            case {"type": "content", "content": str(text)}:
                content = _encoded(text)
            case {"type": "content", "content": [*blocks]} if _all_text(blocks):
                content = _encoded("\n".join(block["text"] for block in blocks))
            case _:
                return None
        mark = read_mark(found, pointer)
        self.skip_rest(found, {"type", "source", "title", "citations"}, pointer, mark)
        return Document(
            url=url,
            media_type=media_type,
            content=content,
            title=str(found.get("title") or ""),
            pointer=pointer,
            cache=mark,
        )

    def _search_result(self, found: Block, blocks: list[Any], pointer: str) -> Text | None:
        """A search result as the text that it is, under its title and source."""
        if not _all_text(blocks):
            return None
        self._skip_citations(found, pointer)
        mark = read_mark(found, pointer)
        self.skip_rest(found, {"type", "source", "title", "content", "citations"}, pointer, mark)
        texts = [block["text"] for block in blocks]
        return Text("\n".join([found["title"], found["source"], *texts]), pointer, mark)

    def _skip_citations(self, found: Block, pointer: str) -> None:
        if found.get("citations") not in (None, {}, {"enabled": False}):
            self.skip(f"{pointer}/citations")

    def _tool_use(self, found: Block, call_id: str, name: str, pointer: str) -> ToolCall:
        mark = read_mark(found, pointer)
        self.skip_rest(found, {"type", "id", "name", "input", "caller"}, pointer, mark)
        if found.get("caller") not in (None, {"type": "direct"}):
            self.skip(f"{pointer}/caller")
        arguments = _ENCODER.encode(found.get("input") or {}).decode()
        return ToolCall(id=call_id, name=name, arguments=arguments, pointer=pointer, cache=mark)


def _all_text(blocks: list[Any]) -> bool:
    return all(isinstance(block, dict) and isinstance(block.get("text"), str) for block in blocks)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _number(found: Any) -> float | None:
    return None if found is None else float(found)
