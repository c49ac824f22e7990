"""An OpenAI chat request as a `Conversation`, for backends that speak another wire.

What is not understood is named by its JSON pointer; nothing is left out in silence. Fields at
their default (null, `n: 1`, penalties of 0, `temperature: 1`, …) ask for nothing and are not
named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.conversation import (
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
from gateway.wire.attached import document_in, image_at
from gateway.wire.cache_marks import DEFAULT_CACHE_OPTIONS, mark_field, read_mark

# Decimals keep numbers that a double cannot hold, such as 1e400.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)

#: Top-level fields that are read here or belong to the gateway.
_READ = frozenset(
    "model messages stream stream_options max_tokens max_completion_tokens tools tool_choice "
    "parallel_tool_calls temperature top_p top_k frequency_penalty presence_penalty seed stop "
    "response_format reasoning_effort user safety_identifier logprobs top_logprobs "
    "service_tier prompt_cache_key".split()
)
# Values that ask for nothing, by field.
_DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "store": (False,),
    "metadata": ({},),
    "verbosity": ("medium",),
    "functions": ([],),
    "prompt_cache_options": DEFAULT_CACHE_OPTIONS,
}
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
}


def read_conversation(request: ChatRequest, hidden: Sequence[tuple[str, str]] = ()) -> Conversation:
    """Read the request's own bytes; `hidden` replaces strings by pointer before anything else."""
    document = {name: _DECODER.decode(raw) for name, raw in request.fields.items()}
    for place, replacement in hidden:
        _hide(document, place, replacement)
    reading = _Reading()
    messages = tuple(
        reading.message(message, f"/messages/{index}")
        for index, message in enumerate(_listed(document.get("messages")))
    )
    tools = tuple(
        tool
        for index, found in enumerate(_listed(document.get("tools")))
        if (tool := reading.tool(found, f"/tools/{index}")) is not None
    )
    for name, found in document.items():
        if name not in _READ and found is not None and found not in _DEFAULTS.get(name, ()):
            reading.skip(f"/{name}")
    return Conversation(
        messages=messages,
        stream=request.stream,
        tools=tools,
        tool_choice=reading.tool_choice(document.get("tool_choice")),
        parallel_tools=document.get("parallel_tool_calls"),
        output_cap=request.max_output_tokens,
        temperature=_number(document.get("temperature")),
        top_p=_number(document.get("top_p")),
        top_k=reading.whole(document, "top_k"),
        frequency_penalty=_number(document.get("frequency_penalty")),
        presence_penalty=_number(document.get("presence_penalty")),
        seed=reading.whole(document, "seed"),
        logprobs=reading.logprobs(document),
        service_tier=document.get("service_tier") or "",
        cache_key=document.get("prompt_cache_key") or "",
        stop=reading.stop(document.get("stop")),
        answer_schema=reading.answer_schema(document.get("response_format")),
        answer_json=_kind(document.get("response_format")) == "json_object",
        effort=document.get("reasoning_effort") or "",
        user=reading.user(document),
        origins={
            "effort": "/reasoning_effort",
            "answer_schema": "/response_format",
            "parallel_tools": "/parallel_tool_calls",
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

    def message(self, found: Any, pointer: str) -> Message:
        """One message with its parts."""
        role = found.get("role") if isinstance(found, dict) else None
        if not isinstance(role, str) or role not in _ROLES:
            self.skip(pointer)
            return Message(role="user", parts=(), pointer=pointer)
        parts = self.content(found.get("content"), f"{pointer}/content")
        known = {"role", "content"}
        if role == "tool":
            call_id = found.get("tool_call_id")
            parts = (ToolResult(call_id=str(call_id or ""), parts=parts, pointer=pointer),)
            known.add("tool_call_id")
        elif role == "assistant":
            parts = (*self.thoughts(found, pointer), *parts, *self.said(found, pointer))
            known |= {"tool_calls", "refusal", "reasoning_content"}
        self._skip_rest(found, known, pointer)
        return Message(role=_ROLES[role], parts=parts, pointer=pointer)

    def content(self, found: Any, pointer: str) -> tuple[Part, ...]:
        """A message's content: text, parts or nothing."""
        if isinstance(found, str):
            return (Text(found, pointer),)
        parts = []
        for index, part in enumerate(_listed(found)):
            below = f"{pointer}/{index}"
            understood = self.part(part, below)
            if understood is None:
                self.skip(below)
            else:
                parts.append(understood)
        return tuple(parts)

    def part(self, found: Any, pointer: str) -> Part | None:
        """One content part, or None when it is not understood."""
        if not isinstance(found, dict):
            return None
        match found.get("type"):
            case "text" if isinstance(found.get("text"), str):
                mark = read_mark(found, pointer)
                self._skip_rest(found, {"type", "text"} | mark_field(mark), pointer)
                return Text(found["text"], pointer, mark)
            case "refusal" if isinstance(found.get("refusal"), str):
                return Text(found["refusal"], pointer)
            case "image_url":
                return self._image(found, pointer)
            case "file":
                return self._document(found, pointer)
        return None

    def thoughts(self, found: dict[str, Any], pointer: str) -> tuple[Part, ...]:
        """Reasoning that an earlier answer showed."""
        reasoning = found.get("reasoning_content")
        if not reasoning:
            return ()
        if not isinstance(reasoning, str):
            self.skip(f"{pointer}/reasoning_content")
            return ()
        return (Thinking(text=reasoning, pointer=f"{pointer}/reasoning_content"),)

    def said(self, found: dict[str, Any], pointer: str) -> tuple[Part, ...]:
        """An assistant turn's refusal and its tool calls."""
        parts: list[Part] = []
        refusal = found.get("refusal")
        if isinstance(refusal, str) and refusal:
            parts.append(Text(refusal, f"{pointer}/refusal"))
        for index, call in enumerate(_listed(found.get("tool_calls"))):
            below = f"{pointer}/tool_calls/{index}"
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                self.skip(below)
                continue
            given = function.get("arguments") or ""
            if not isinstance(given, str):
                self.skip(f"{below}/function/arguments")
                given = ""
            parts.append(
                ToolCall(
                    id=str(call.get("id") or ""),
                    name=function["name"],
                    arguments=given,
                    pointer=f"{below}/function/arguments",
                )
            )
        return tuple(parts)

    def tool(self, found: Any, pointer: str) -> Tool | None:
        """A function tool; other kinds are not understood."""
        function = found.get("function") if isinstance(found, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            self.skip(pointer)
            return None
        schema = function.get("parameters")
        known = {"name", "description", "parameters", "strict"}
        self._skip_rest(function, known, f"{pointer}/function")
        mark = read_mark(found, pointer)
        self._skip_rest(found, {"type", "function"} | mark_field(mark), pointer)
        return Tool(
            name=function["name"],
            description=str(function.get("description") or ""),
            schema=schema if isinstance(schema, dict) else None,
            strict=function.get("strict") is True,
            pointer=pointer,
            cache=mark,
        )

    def tool_choice(self, found: Any) -> ToolChoice | None:
        """Whether and which tool must be called."""
        if found is None:
            return None
        if found in ("auto", "none", "required"):
            return ToolChoice(mode=found)
        function = found.get("function") if isinstance(found, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            return ToolChoice(mode="named", name=function["name"])
        self.skip("/tool_choice")
        return None

    def stop(self, found: Any) -> tuple[str, ...]:
        """Stop strings."""
        if isinstance(found, str):
            return (found,)
        texts = tuple(text for text in _listed(found) if isinstance(text, str))
        if len(texts) != len(_listed(found)):
            self.skip("/stop")
        return texts

    def answer_schema(self, found: Any) -> Mapping[str, object] | None:
        """The schema that the answer must obey."""
        kind = _kind(found)
        if kind in (None, "text", "json_object"):
            return None
        holder = found.get("json_schema")
        schema = holder.get("schema") if isinstance(holder, dict) else None
        if kind != "json_schema" or not isinstance(schema, dict):
            self.skip("/response_format")
            return None
        if holder.get("description"):
            self.skip("/response_format/json_schema/description")
        return schema

    def whole(self, document: dict[str, Any], name: str) -> int | None:
        """A whole number."""
        found = document.get(name)
        if found is None or (isinstance(found, int) and not isinstance(found, bool)):
            return found
        self.skip(f"/{name}")
        return None

    def logprobs(self, document: dict[str, Any]) -> int | None:
        """How many alternatives to each token are asked for; None when not even the token's own."""
        alternatives = self.whole(document, "top_logprobs")
        return (alternatives or 0) if document.get("logprobs") is True else None

    def user(self, document: dict[str, Any]) -> str:
        """The end user's opaque name; the newer field wins."""
        newer, older = document.get("safety_identifier"), document.get("user")
        if newer and older and newer != older:
            self.skip("/user")
        return str(newer or older or "")

    def _image(self, found: dict[str, Any], pointer: str) -> Image | None:
        holder = found.get("image_url")
        url = holder.get("url") if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or not isinstance(url, str):
            return None
        mark = read_mark(found, pointer)
        self._skip_rest(found, {"type", "image_url"} | mark_field(mark), pointer)
        self._skip_rest(holder, {"url", "detail"}, f"{pointer}/image_url")
        return image_at(url, holder.get("detail"), pointer, f"{pointer}/image_url/detail", mark)

    def _document(self, found: dict[str, Any], pointer: str) -> Document | None:
        holder = found.get("file")
        content = holder.get("file_data") if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or not isinstance(content, str):
            return None
        mark = read_mark(found, pointer)
        self._skip_rest(found, {"type", "file"} | mark_field(mark), pointer)
        self._skip_rest(holder, {"file_data", "filename"}, f"{pointer}/file")
        return document_in(content, holder.get("filename"), pointer, mark)

    def _skip_rest(self, found: dict[str, Any], known: set[str], pointer: str) -> None:
        for name, inner in found.items():
            if name not in known and inner not in (None, [], {}, ""):
                self.skip(f"{pointer}/{_escaped(name)}")


def _hide(document: dict[str, Any], pointer: str, replacement: str) -> None:
    *path, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    holder: Any = document
    for step in path:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if isinstance(holder, list):
        holder[int(last)] = replacement
    else:
        holder[last] = replacement


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _kind(found: Any) -> object:
    return found.get("type") if isinstance(found, dict) else None


def _number(found: Any) -> float | None:
    return None if found is None else float(found)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
