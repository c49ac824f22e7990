"""Raw bytes of a Messages request to a `ChatRequest` view, with Anthropic's words for mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.core.errors import InvalidRequest
from gateway.core.profile import Needs
from gateway.core.request import ChatRequest
from gateway.wire.document import read_object, read_segments
from gateway.wire.strings import Place

WIRE = "anthropic_messages"

_NUMBER = (int, float)
#: Fields whose type we check before anything is spent; null means not given.
_FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "messages": (list,),
    "max_tokens": (int,),
    "system": (str, list),
    "stream": (bool,),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_k": (int,),
    "stop_sequences": (list,),
    "tools": (list,),
    "tool_choice": (dict,),
    "thinking": (dict,),
    "metadata": (dict,),
    "output_config": (dict,),
    "output_format": (dict,),
    "service_tier": (str,),
    "mcp_servers": (list,),
    "context_management": (dict,),
    "cache_control": (dict,),
    "container": (str, dict),
}
_TYPE_WORDS: Mapping[type, str] = {
    str: "string",
    list: "list",
    dict: "dictionary",
    bool: "boolean",
    int: "integer",
    float: "number",
}
_ROLES = ("user", "assistant", "system")
#: Words of the API itself: they say nothing about the caller and are not worth scanning.
_KNOWN_WORDS = (
    frozenset(
        (
            "role content type text name id input source data media_type base64 url file_id file "
            "title context citations enabled cache_control ephemeral ttl tool_use tool_use_id "
            "tool_result is_error image document thinking signature redacted_thinking custom "
            "input_schema description properties required enum items strict json_schema schema "
            "additionalProperties anyOf $defs $ref default minimum maximum budget_tokens adaptive "
            "disabled effort format low medium high any auto none tool disable_parallel_tool_use "
            "user_id user assistant system object string number integer boolean array null 5m 1h "
            "image/jpeg image/png image/gif image/webp application/pdf text/plain"
        ).split()
    )
    | _FIELD_TYPES.keys()
)
_ENCODED = ("base64", "url", "file")

Block = dict[str, Any]


def decode(raw: bytes, *, counting: bool = False) -> ChatRequest:
    """Read a Messages request, or one whose tokens are only counted, which needs no output cap.

    Raises:
        InvalidRequest: the bytes are not JSON, are ambiguous (duplicate keys) or too deep, or a
            field that we rely on is missing or of the wrong type; `param` names the field.
    """
    fields, document = read_object(raw)
    segments = read_segments(
        raw,
        document,
        known_words=_KNOWN_WORDS,
        role=lambda place: _role(document, place),
        kind=lambda place: _kind(document, place),
    )
    _check(document, ("model", "messages") if counting else ("model", "messages", "max_tokens"))
    messages = _messages(document)
    blocks = [block for message in messages for block in _blocks(message.get("content"))]
    images = sum(block.get("type") == "image" for block in blocks)
    return ChatRequest(
        wire=WIRE,
        fields=fields,
        model=document["model"],
        segments=segments,
        size=len(raw),
        stream=bool(document.get("stream")),
        include_usage=True,
        max_output_tokens=document.get("max_tokens"),
        needs=Needs(
            vision=images > 0,
            documents=any(map(_is_file, blocks)),
            tools=bool(document.get("tools") or document.get("mcp_servers")),
            schema=_wants_schema(document),
        ),
        prompt=_last_user_text(messages),
        turns=len(messages) + bool(document.get("system")),
        images=images,
    )


def _check(document: Mapping[str, Any], required: tuple[str, ...]) -> None:
    for name in required:
        if document.get(name) is None:
            raise InvalidRequest(f"{name}: Field required", param=name)
    for name, kinds in _FIELD_TYPES.items():
        found = document.get(name)
        if found is None:
            continue
        wrong_bool = isinstance(found, bool) and bool not in kinds
        if wrong_bool or not isinstance(found, kinds):
            raise _wrong_type(name, kinds)
    if document.get("thread") is not None:
        # What a vendor holds cannot be judged here, nor follow the request to another backend. The
        # vendor's clients know this code and send the whole conversation instead.
        raise InvalidRequest(
            "thread: Conversations held by the server are not supported. Send all messages "
            "without 'thread'.",
            code="thread_unsupported_request",
            param="thread",
        )
    if not document["model"]:
        raise InvalidRequest("model: String should have at least 1 character", param="model")
    # Zero is meant: it fills the vendor's prompt cache and asks for no answer.
    if (document.get("max_tokens") or 0) < 0:
        raise InvalidRequest(
            "max_tokens: Input should be greater than or equal to 0", param="max_tokens"
        )


def _messages(document: Mapping[str, Any]) -> list[Block]:
    messages: list[Any] = document["messages"]
    if not messages:
        raise InvalidRequest("messages: at least one message is required", param="messages")
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        if not isinstance(message, dict):
            raise _wrong_type(where, (dict,))
        for name in ("role", "content"):
            if message.get(name) is None:
                raise InvalidRequest(f"{where}.{name}: Field required", param=f"{where}.{name}")
        if message["role"] not in _ROLES:
            raise InvalidRequest(
                f"{where}.role: Input should be 'user', 'assistant' or 'system'",
                param=f"{where}.role",
            )
        content = message["content"]
        if not isinstance(content, str | list):
            raise _wrong_type(f"{where}.content", (str, list))
        for number, block in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(block, dict) or not isinstance(block.get("type"), str):
                raise InvalidRequest(
                    f"{where}.content.{number}: Input should be a content block with a 'type'",
                    param=f"{where}.content.{number}",
                )
    return messages


def _wrong_type(where: str, kinds: tuple[type, ...]) -> InvalidRequest:
    wanted = " or ".join(dict.fromkeys(_TYPE_WORDS[kind] for kind in kinds))
    return InvalidRequest(
        f"{where}: Input should be a valid {wanted}", code="invalid_type", param=where
    )


def _blocks(content: object) -> Iterator[Block]:
    """Every content block, also those inside tool results and documents."""
    for block in content if isinstance(content, list) else ():
        if not isinstance(block, dict):
            continue
        yield block
        yield from _blocks(block.get("content"))
        source = block.get("source")
        if isinstance(source, dict):
            yield from _blocks(source.get("content"))


def _is_file(block: Block) -> bool:
    """Whether a block is a document that is more than text."""
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    return block.get("type") == "document" and kind not in ("text", "content")


def _wants_schema(document: Mapping[str, Any]) -> bool:
    settings = document.get("output_config") or {}
    return bool(settings.get("format") or document.get("output_format"))


def _last_user_text(messages: list[Block]) -> str:
    """The last text of the user's own; results of tools are not."""
    for message in reversed(messages):
        if message["role"] != "user":
            continue
        content = message["content"]
        if isinstance(content, str):
            return content
        texts = [block["text"] for block in content if isinstance(block.get("text"), str)]
        if texts:
            return "\n".join(texts)
    return ""


def _block_at(document: Mapping[str, Any], place: Place) -> Block:
    """The content block of a turn that holds a place, or an empty one."""
    found: Any = document
    for step in place[:4]:
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list):
            found = found[int(step)]
    return found if len(place) > 4 and isinstance(found, dict) else {}


def _role(document: Mapping[str, Any], place: Place) -> str:
    if place[0] == "system":
        return "system"
    messages = document.get("messages")
    if place[0] != "messages" or len(place) < 2 or not isinstance(messages, list):
        return ""
    message = messages[int(place[1])]
    role = str(message.get("role", "")) if isinstance(message, dict) else ""
    if role == "user" and _block_at(document, place).get("type") == "tool_result":
        return "tool"
    return role


def _kind(document: Mapping[str, Any], place: Place) -> str:
    last = place[-1]
    if place[0] in ("tools", "mcp_servers"):
        return "tool_definition"
    if place[0] == "system":
        return "text"
    if place[0] != "messages":
        return "parameter"
    if len(place) > 5 and place[4] == "input":
        return "tool_argument"
    if last == "url" or (last == "data" and _is_encoded(document, place)):
        return "url"
    if _block_at(document, place).get("type") == "tool_result":
        return "tool_result"
    if last in ("name", "title"):
        return "name"
    if last in ("content", "text", "thinking", "context", "data"):
        return "text"
    return "unknown"


def _is_encoded(document: Mapping[str, Any], place: Place) -> bool:
    """Whether the `data` at a place is a file's bytes rather than plain text."""
    holder: Any = document
    for step in place[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    return holder.get("type") in _ENCODED
