"""Raw bytes to a `ChatRequest` view: read what policy needs, keep everything else as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.profile import Needs
from gateway.core.request import ChatRequest, Segment
from gateway.wire.strings import MAX_DEPTH, count_literals, pointer, walk

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
    "user": (str,),
    "service_tier": (str,),
    "reasoning_effort": (str,),
}
_TYPE_WORDS = {
    str: "a string",
    list: "an array",
    dict: "an object",
    bool: "true or false",
    int: "an integer",
    float: "a number",
}
#: Words of the API itself: they say nothing about the caller and are not worth scanning.
_KNOWN_WORDS = frozenset(
    (
        "role content type text name id index function arguments tool_calls tool_call_id "
        "image_url url detail input_audio format refusal parameters description properties "
        "required enum items strict json_schema schema additionalProperties anyOf $defs $ref "
        "include_usage file file_id filename file_data title default minimum maximum "
        "system user assistant developer tool object string number integer boolean array auto"
    ).split()
) | frozenset(_FIELD_TYPES)
_MOST_CHOICES = 128
#: Numbers beyond a double's range ride along in the raw bytes; the view only needs to survive them.
_DOCUMENT = msgspec.json.Decoder(float_hook=float)


def decode(raw: bytes) -> ChatRequest:
    """Read a chat request.

    Raises:
        InvalidRequest: the bytes are not JSON, are ambiguous (duplicate keys) or too deep, or a
            field that we rely on is missing or of the wrong type; `param` names the field.
    """
    fields, document = _parse(raw)
    segments = _segments(raw, document)
    for name, kinds in _FIELD_TYPES.items():
        if name in document:
            _check_type(name, document[name], kinds)
    if not document.get("model"):
        raise InvalidRequest("you must provide a model parameter", param="model")
    messages = _messages(document)
    roles = [message["role"] for message in messages]
    parts = [part for message in messages for part in _parts(message)]
    options = document.get("stream_options") or {}
    return ChatRequest(
        wire=WIRE,
        fields=fields,
        model=document["model"],
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


def _parse(raw: bytes) -> tuple[dict[str, msgspec.Raw], dict[str, Any]]:
    try:
        raw.decode("utf-8")
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        document = _DOCUMENT.decode(raw)
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The body is not valid UTF-8 (byte {error.start}). Send JSON encoded as UTF-8.",
            code="invalid_utf8",
        ) from None
    except RecursionError:
        raise InvalidRequest(
            f"The request is nested more than {MAX_DEPTH} levels deep. Flatten it.",
            code="too_deeply_nested",
        ) from None
    except msgspec.ValidationError:
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json") from None
    except msgspec.DecodeError as error:
        raise InvalidRequest(
            f"We could not parse the JSON body of your request: {error}.", code="invalid_json"
        ) from None
    return fields, document


def _check_type(name: str, found: object, kinds: tuple[type, ...]) -> None:
    if found is None and name not in ("messages", "model"):
        return
    wrong_bool = isinstance(found, bool) and bool not in kinds
    if wrong_bool or not isinstance(found, kinds):
        wanted = " or ".join(dict.fromkeys(_TYPE_WORDS[kind] for kind in kinds))
        raise InvalidRequest(
            f"Invalid type for '{name}': expected {wanted}.", code="invalid_type", param=name
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


def _segments(raw: bytes, document: dict[str, Any]) -> tuple[Segment, ...]:
    segments = []
    seen = 0
    for place, text, is_key in walk(document):
        seen += 1
        if not text or text in _KNOWN_WORDS or place == ("model",):
            continue
        segments.append(Segment(text, pointer(place), _role(document, place), _kind(place, is_key)))
    if seen != count_literals(raw):
        raise InvalidRequest(
            "The body has an object with the same key twice, which servers read differently. "
            "Send every key once.",
            code="duplicate_key",
        )
    return tuple(segments)


def _role(document: dict[str, Any], place: tuple[str, ...]) -> str:
    if place[0] != "messages" or len(place) < 2 or not isinstance(document["messages"], list):
        return ""
    message = document["messages"][int(place[1])]
    return str(message.get("role", "")) if isinstance(message, dict) else ""


def _kind(place: tuple[str, ...], is_key: bool) -> str:
    if is_key:
        return "key"
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
