"""A Responses request as a `Conversation`, for backends that speak another wire.

What is not understood is named by its JSON pointer; nothing is left out in silence. Items that
belong to one turn (reasoning, words and calls of the model; results of tools and the user's words)
become one message, because other wires want their turns whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.conversation import (
    Conversation,
    Document,
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
from gateway.wire.attached import document_in, image_at
from gateway.wire.cache_marks import DEFAULT_CACHE_OPTIONS, mark_field, read_mark
from gateway.wire.document import hide
from gateway.wire.openai_responses.sealed import signature_of

# Decimals keep numbers that a double cannot hold, such as 1e400.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)

#: Top-level fields that are read here, told back in the response, or belong to the gateway.
_READ = frozenset(
    "model input instructions stream stream_options max_output_tokens tools tool_choice "
    "parallel_tool_calls temperature top_p text reasoning user safety_identifier store "
    "previous_response_id metadata include top_logprobs service_tier "
    "prompt_cache_key".split()
)
# Values that ask for nothing, by field. Reasoning is shown whenever the backend shows any.
_DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "background": (False,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "truncation": ("disabled",),
    "prompt_cache_options": DEFAULT_CACHE_OPTIONS,
}
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
#: What a client may ask to be told beside the answer, and gets where the backend tells it.
_LOGPROBS = "message.output_text.logprobs"
_INCLUDED = frozenset({_LOGPROBS, "reasoning.encrypted_content"})
#: What the API adds to an item that it gives out; it says nothing to a model.
_MARKS = frozenset({"type", "id", "status"})


def read_conversation(
    request: ChatRequest, hidden: tuple[tuple[str, str], ...] = ()
) -> Conversation:
    """Read the request's own bytes; `hidden` replaces strings by pointer before anything else."""
    fields = dict(request.fields)
    hide(fields, hidden)
    document = {name: _DECODER.decode(raw) for name, raw in fields.items()}
    reading = _Reading()
    messages = [
        *reading.turns(document.get("instructions"), "/instructions", "system"),
        *reading.turns(document.get("input"), "/input", "user"),
    ]
    choice, allowed = reading.tool_choice(document.get("tool_choice"))
    tools = tuple(
        tool
        for index, found in enumerate(_listed(document.get("tools")))
        if (tool := reading.tool(found, f"/tools/{index}")) is not None
        and (allowed is None or tool.name in allowed)
    )
    for name, found in document.items():
        if name not in _READ and found is not None and found not in _DEFAULTS.get(name, ()):
            reading.skip(f"/{name}")
    return Conversation(
        messages=tuple(messages),
        stream=request.stream,
        tools=tools,
        tool_choice=choice,
        parallel_tools=document.get("parallel_tool_calls"),
        output_cap=request.max_output_tokens,
        temperature=_number(document.get("temperature")),
        top_p=_number(document.get("top_p")),
        answer_schema=reading.answer_schema(document.get("text")),
        answer_json=_wanted_kind(document.get("text")) == "json_object",
        effort=reading.effort(document.get("reasoning")),
        user=reading.user(document),
        logprobs=reading.logprobs(document),
        service_tier=document.get("service_tier") or "",
        cache_key=document.get("prompt_cache_key") or "",
        origins={
            "effort": "/reasoning/effort",
            "answer_schema": "/text/format",
            "answer_json": "/text/format",
            "parallel_tools": "/parallel_tool_calls",
            "output_cap": "/max_output_tokens",
            "logprobs": "/include",
            "cache_key": "/prompt_cache_key",
        },
        not_understood=tuple(reading.skipped),
    )


class _Reading:
    """One pass over a document; collects the pointers of what it cannot read."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def skip(self, pointer: str) -> None:
        """Name something that is left out."""
        self.skipped.append(pointer)

    def turns(self, found: Any, pointer: str, role: Role) -> list[Message]:
        """Text or items as messages, neighbours of one role as one."""
        if isinstance(found, str):
            return [Message(role=role, parts=(Text(found, pointer),), pointer=pointer)]
        turns: list[Message] = []
        for index, item in enumerate(_listed(found)):
            turn = self.item(item, f"{pointer}/{index}")
            if turn is None:
                continue
            if turns and turns[-1].role == turn.role != "system":
                parts = (*turns[-1].parts, *turn.parts)
                turns[-1] = msgspec.structs.replace(turns[-1], parts=parts)
            else:
                turns.append(turn)
        return turns

    def item(self, found: Any, pointer: str) -> Message | None:
        """One item as a message of its own, or None when it is not understood."""
        kind = found.get("type", "message") if isinstance(found, dict) else None
        part: Part | None = None
        match kind:
            case "message":
                return self.message(found, pointer)
            case "reasoning":
                part = self._thinking(found, pointer)
            case "function_call":
                part = self._call(found, pointer)
            case "function_call_output":
                part = self._result(found, pointer)
        if part is None:
            self.skip(pointer)
            return None
        role: Role = "user" if isinstance(part, ToolResult) else "assistant"
        return Message(role=role, parts=(part,), pointer=pointer)

    def message(self, found: dict[str, Any], pointer: str) -> Message | None:
        """A message of any role."""
        role = found.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            self.skip(pointer)
            return None
        self._skip_rest(found, _MARKS | {"role", "content", "phase"}, pointer)
        parts = self.content(found.get("content"), f"{pointer}/content")
        return Message(role=_ROLES[role], parts=parts, pointer=pointer)

    def content(self, found: Any, pointer: str) -> tuple[Part, ...]:
        """Text, or parts."""
        if isinstance(found, str):
            return (Text(found, pointer),)
        parts = []
        for index, inner in enumerate(_listed(found)):
            below = f"{pointer}/{index}"
            part = self._part(inner, below)
            if part is None:
                self.skip(below)
            else:
                parts.append(part)
        return tuple(parts)

    def tool(self, found: Any, pointer: str) -> Tool | None:
        """A function; tools that the vendor runs itself are not understood."""
        named = isinstance(found, dict) and isinstance(found.get("name"), str)
        if not named or found.get("type") != "function":
            self.skip(pointer)
            return None
        schema = found.get("parameters")
        self._skip_rest(found, {"type", "name", "description", "parameters", "strict"}, pointer)
        return Tool(
            name=found["name"],
            description=str(found.get("description") or ""),
            schema=schema if isinstance(schema, dict) else None,
            strict=found.get("strict") is True,
            pointer=pointer,
        )

    def tool_choice(self, found: Any) -> tuple[ToolChoice | None, frozenset[str] | None]:
        """Whether and which tool must be called, and the tools that are left where some are."""
        if found is None:
            return None, None
        if found in ("auto", "none", "required"):
            return ToolChoice(mode=found), None
        match found:
            case {"type": "function", "name": str(name)}:
                return ToolChoice(mode="named", name=name), None
            case {
                "type": "allowed_tools",
                "mode": "auto" | "required" as mode,
                "tools": list(tools),
            }:
                names = [
                    tool.get("name")
                    for tool in tools
                    if isinstance(tool, dict) and tool.get("type") == "function"
                ]
                return ToolChoice(mode=mode), frozenset(map(str, names))
        self.skip("/tool_choice")
        return None, None

    def answer_schema(self, found: Any) -> Mapping[str, object] | None:
        """The schema that the answer must obey, where there is one."""
        if not isinstance(found, dict):
            return None
        if found.get("verbosity") not in (None, "medium"):
            self.skip("/text/verbosity")
        self._skip_rest(found, {"format", "verbosity"}, "/text")
        wanted = found.get("format")
        if not isinstance(wanted, dict) or wanted.get("type") in (None, "text", "json_object"):
            return None
        schema = wanted.get("schema")
        if wanted["type"] != "json_schema" or not isinstance(schema, dict):
            self.skip("/text/format")
            return None
        if wanted.get("description"):
            self.skip("/text/format/description")
        return schema

    def effort(self, found: Any) -> str:
        """How hard the model shall think."""
        if not isinstance(found, dict):
            return ""
        self._skip_rest(found, {"effort", "summary", "generate_summary"}, "/reasoning")
        effort = found.get("effort")
        return effort if isinstance(effort, str) else ""

    def logprobs(self, document: dict[str, Any]) -> int | None:
        """How many alternatives to each token are asked for; None when not even the token's own."""
        included = _listed(document.get("include"))
        for index, name in enumerate(included):
            if not isinstance(name, str) or name not in _INCLUDED:
                self.skip(f"/include/{index}")
        alternatives: int = document.get("top_logprobs") or 0
        return alternatives if _LOGPROBS in included else None

    def user(self, document: dict[str, Any]) -> str:
        """The end user's opaque name; the newer field wins."""
        newer, older = document.get("safety_identifier"), document.get("user")
        if newer and older and newer != older:
            self.skip("/user")
        return str(newer or older or "")

    def _part(self, found: Any, pointer: str) -> Part | None:
        if not isinstance(found, dict):
            return None
        mark = read_mark(found, pointer)
        marked = mark_field(mark)
        match found:
            case {"type": "input_text" | "output_text" | "text", "text": str(text)}:
                known = {"type", "text", "annotations", "logprobs"} | marked
                self._skip_rest(found, known, pointer)
                if found.get("annotations"):
                    self.skip(f"{pointer}/annotations")
                return Text(text, pointer, mark)
            case {"type": "refusal", "refusal": str(text)}:
                return Text(text, pointer)
            case {"type": "input_image", "image_url": str(url)}:
                self._skip_rest(found, {"type", "image_url", "detail"} | marked, pointer)
                return image_at(url, found.get("detail"), pointer, f"{pointer}/detail", mark)
            case {"type": "input_file", "file_data": str(content)}:
                known = {"type", "file_data", "filename", "detail"} | marked
                self._skip_rest(found, known, pointer)
                return document_in(content, found.get("filename"), pointer, mark)
            case {"type": "input_file", "file_url": str(url)}:
                self._skip_rest(found, {"type", "file_url", "filename", "detail"} | marked, pointer)
                title = str(found.get("filename") or "")
                return Document(url=url, title=title, pointer=pointer, cache=mark)
        return None

    def _thinking(self, found: dict[str, Any], pointer: str) -> Thinking | None:
        texts = [
            part["text"]
            for name in ("summary", "content")
            for part in _listed(found.get(name))
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
        signature = signature_of(found)
        return Thinking(text="\n\n".join(texts), signature=signature, pointer=pointer)

    def _call(self, found: dict[str, Any], pointer: str) -> ToolCall | None:
        call_id, name, given = (found.get(key) for key in ("call_id", "name", "arguments"))
        if not (isinstance(call_id, str) and isinstance(name, str) and isinstance(given, str)):
            return None
        self._skip_rest(found, _MARKS | {"call_id", "name", "arguments"}, pointer)
        return ToolCall(id=call_id, name=name, arguments=given, pointer=f"{pointer}/arguments")

    def _result(self, found: dict[str, Any], pointer: str) -> ToolResult | None:
        call_id = found.get("call_id")
        if not isinstance(call_id, str):
            return None
        self._skip_rest(found, _MARKS | {"call_id", "output", "name"}, pointer)
        parts = self.content(found.get("output"), f"{pointer}/output")
        return ToolResult(call_id=call_id, parts=parts, pointer=pointer)

    def _skip_rest(
        self, found: dict[str, Any], known: set[str] | frozenset[str], pointer: str
    ) -> None:
        for name, inner in found.items():
            if name not in known and inner not in (None, [], {}, ""):
                self.skip(f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")


def _wanted_kind(text: Any) -> object:
    wanted = text.get("format") if isinstance(text, dict) else None
    return wanted.get("type") if isinstance(wanted, dict) else None


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _number(found: Any) -> float | None:
    return None if found is None else float(found)
