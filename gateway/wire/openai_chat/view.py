"""Raw bytes to a `ChatRequest` view: read what policy needs, keep everything else as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import InvalidRequest
from gateway.core.profile import Needs
from gateway.core.request import ChatRequest
from gateway.wire.document import check_model, check_types, read_object, read_segments
from gateway.wire.strings import Place

WIRE = "openai_chat"

_NUMBER = (int, float)
#: Fields whose type we check before anything is spent; null is allowed everywhere, as upstream.
_FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "messages": (list,),
    "model": (str,),
    "stream": (bool,),
    "stream_options": (dict,),
    "max_tokens": (int,),
    "max_completion_tokens": (int,),
    "n": (int,),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "seed": (int,),
    "stop": (str, list),
    "tools": (list,),
    "tool_choice": (str, dict),
    "functions": (list,),
    "parallel_tool_calls": (bool,),
    "response_format": (dict,),
    "logprobs": (bool,),
    "top_logprobs": (int,),
    "logit_bias": (dict,),
    "metadata": (dict,),
    "modalities": (list,),
    "store": (bool,),
    "prompt_cache_key": (str,),
    "prompt_cache_options": (dict,),
    "user": (str,),
    "service_tier": (str,),
    "reasoning_effort": (str,),
}
#: Words of the API itself: they say nothing about the caller and are not worth scanning.
_KNOWN_WORDS = frozenset(
    (
        "role content type text name id index function arguments tool_calls tool_call_id "
        "image_url url detail input_audio format refusal parameters description properties "
        "required enum items strict json_schema schema additionalProperties anyOf $defs $ref "
        "include_usage file file_id filename file_data title default minimum maximum "
        "prompt_cache_breakpoint cache_control mode explicit ephemeral ttl "
        "system user assistant developer tool object string number integer boolean array auto"
    ).split()
) | frozenset(_FIELD_TYPES)
_MOST_CHOICES = 128


def decode(raw: bytes) -> ChatRequest:
    """Read a chat request.

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
        kind=_kind,
    )
    check_types(document, _FIELD_TYPES)
    model = check_model(document)
    messages = _messages(document)
    roles = [message["role"] for message in messages]
    parts = [part for message in messages for part in _parts(message)]
    options = document.get("stream_options") or {}
    return ChatRequest(
        wire=WIRE,
        fields=fields,
        model=model,
        segments=segments,
        size=len(raw),
        stream=bool(document.get("stream")),
        include_usage=options.get("include_usage") is True,
        max_output_tokens=_output_cap(document),
        choices=_choices(document),
        needs=_needs(document, parts),
        prompt=_last_user_text(messages),
        turns=len(roles),
        images=sum(part.get("type") == "image_url" for part in parts),
    )


def _messages(document: dict[str, Any]) -> list[dict[str, Any]]:
    messages = document.get("messages")
    if not messages:
        raise InvalidRequest("'messages' must hold at least one message.", param="messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise InvalidRequest(f"'{where}' must be an object.", param=where)
        if not isinstance(message.get("role"), str):
            raise InvalidRequest(f"'{where}.role' must be a string.", param=f"{where}.role")
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            raise InvalidRequest(
                f"'{where}.content' must be a string, an array of parts or null.",
                code="invalid_type",
                param=f"{where}.content",
            )
    return list(messages)


def _role(document: dict[str, Any], place: Place) -> str:
    if place[0] != "messages" or len(place) < 2 or not isinstance(document["messages"], list):
        return ""
    message = document["messages"][int(place[1])]
    return str(message.get("role", "")) if isinstance(message, dict) else ""


def _kind(place: Place) -> str:
    last = place[-1]
    if place[0] == "tools" or place[0] == "functions":
        return "tool_definition"
    if place[0] != "messages":
        return "parameter"
    if last == "arguments":
        return "tool_argument"
    if last in ("url", "file_data"):
        return "url"
    if last in ("name", "filename"):
        return "name"
    if last in ("content", "text", "refusal"):
        return "text"
    return "unknown"


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    if not isinstance(content, list):
        return []
    return [part for part in content if isinstance(part, dict)]


def _output_cap(document: dict[str, Any]) -> int | None:
    caps = []
    for name in ("max_completion_tokens", "max_tokens"):
        cap = document.get(name)
        if cap is None:
            continue
        if cap < 1:
            raise InvalidRequest(f"'{name}' must be at least 1.", param=name)
        caps.append(cap)
    return min(caps) if caps else None


def _choices(document: dict[str, Any]) -> int:
    choices = document.get("n")
    if choices is None:
        return 1
    if not 1 <= choices <= _MOST_CHOICES:
        raise InvalidRequest(f"'n' must be between 1 and {_MOST_CHOICES}.", param="n")
    return int(choices)


def _needs(document: dict[str, Any], parts: list[dict[str, Any]]) -> Needs:
    kinds = {kind for part in parts if isinstance(kind := part.get("type"), str)}
    answer = document.get("response_format") or {}
    modalities = document.get("modalities") or ()
    return Needs(
        vision="image_url" in kinds,
        documents="file" in kinds,
        audio="input_audio" in kinds or "audio" in modalities,
        tools=bool(document.get("tools") or document.get("functions")),
        schema=answer.get("type") in ("json_object", "json_schema"),
    )


def _last_user_text(messages: list[dict[str, Any]]) -> str:
    for message in reversed(messages):
        if message["role"] != "user":
            continue
        content = message.get("content")
        if isinstance(content, str):
            return content
        texts = [part["text"] for part in _parts(message) if isinstance(part.get("text"), str)]
        return "\n".join(texts)
    return ""
