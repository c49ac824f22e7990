"""Raw bytes of a Responses request to a view: what policy needs, and all strings of it.

The state that OpenAI would keep (`store`, `previous_response_id`, references to stored items) is
kept by the gateway instead: see `gateway.wire.openai_responses.history`. State that only the vendor
could hold (`conversation`, `background`) is refused, because it would lie beside that of the
vendor account's other users, where nobody can judge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import InvalidRequest
from gateway.core.profile import Needs
from gateway.core.request import ChatRequest
from gateway.wire.document import check_model, check_types, read_object, read_segments
from gateway.wire.strings import Place

WIRE = "openai_responses"

_NUMBER = (int, float)
_FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "input": (str, list),
    "instructions": (str, list),
    "stream": (bool,),
    "stream_options": (dict,),
    "store": (bool,),
    "previous_response_id": (str,),
    "background": (bool,),
    "max_output_tokens": (int,),
    "max_tool_calls": (int,),
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_logprobs": (int,),
    "tools": (list,),
    "tool_choice": (str, dict),
    "parallel_tool_calls": (bool,),
    "text": (dict,),
    "reasoning": (dict,),
    "include": (list,),
    "metadata": (dict,),
    "truncation": (str,),
    "user": (str,),
    "safety_identifier": (str,),
    "prompt_cache_key": (str,),
    "service_tier": (str,),
}
#: Words of the API itself: they say nothing about the caller and are not worth scanning.
_KNOWN_WORDS = frozenset(
    (
        "role content type name id call_id function arguments output status summary detail format "
        "image_url file_id file_url file_data filename message input_text output_text input_image "
        "input_file function_call function_call_output reasoning item_reference refusal "
        "annotations logprobs encrypted_content summary_text reasoning_text text effort verbosity "
        "parameters description properties required enum items strict json_schema json_object "
        "schema additionalProperties anyOf $defs $ref title default minimum maximum system user "
        "assistant developer tool object string number integer boolean array auto none completed "
        "in_progress incomplete low medium high disabled"
    ).split()
) | frozenset(_FIELD_TYPES)
_ROLE_OF_ITEM: Mapping[str, str] = {
    "function_call": "assistant",
    "custom_tool_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
    "custom_tool_call_output": "tool",
}
_URLS = frozenset({"image_url", "file_url", "file_data"})
_TEXTS = frozenset({"text", "content", "refusal", "input", "instructions"})


def decode(raw: bytes) -> ChatRequest:
    """Read a Responses request.

    Raises:
        InvalidRequest: the bytes are not JSON, are ambiguous or too deep, a field that we rely on
            is missing or of the wrong type, or the request asks for state that only the vendor
            could keep; `param` names the field.
    """
    fields, document = read_object(raw)
    items = document.get("input")
    segments = read_segments(
        raw,
        document,
        known_words=_KNOWN_WORDS,
        role=lambda place: _role(items, place),
        kind=lambda place: _kind(items, place),
    )
    model = check_model(document)
    check_types(document, _FIELD_TYPES)
    _check_state(document)
    _check_input(document)
    parts = [part for item in _objects(items) for part in _parts(item)]
    return ChatRequest(
        wire=WIRE,
        fields=fields,
        model=model,
        segments=segments,
        size=len(raw),
        stream=bool(document.get("stream")),
        max_output_tokens=_output_cap(document),
        needs=_needs(document, parts),
        prompt=_last_user_text(items),
        turns=1 if isinstance(items, str) else len(_objects(items)),
        images=sum(part.get("type") == "input_image" for part in parts),
    )


def _check_state(document: Mapping[str, Any]) -> None:
    if document.get("background"):
        raise InvalidRequest(
            "Responses in the background are not served here. Leave out 'background', and stream "
            "if the answer takes long.",
            code="unsupported_parameter",
            param="background",
        )
    if document.get("conversation") is not None:
        raise InvalidRequest(
            "Conversations that the vendor keeps are not served here, because nobody could judge "
            "what is in them. Continue with 'previous_response_id' instead.",
            code="unsupported_parameter",
            param="conversation",
        )


def _check_input(document: Mapping[str, Any]) -> None:
    found = document.get("input")
    continues = document.get("previous_response_id") or document.get("prompt")
    if not found and not continues:
        raise InvalidRequest("'input' must be text or at least one item.", param="input")
    for index, item in enumerate(found if isinstance(found, list) else ()):
        where = f"input[{index}]"
        if not isinstance(item, dict):
            raise InvalidRequest(f"'{where}' must be an object.", code="invalid_type", param=where)
        kind = item.get("type", "message")
        if not isinstance(kind, str):
            raise InvalidRequest(
                f"'{where}.type' must be a string.", code="invalid_type", param=f"{where}.type"
            )
        if kind == "message" and not isinstance(item.get("role"), str):
            raise InvalidRequest(f"'{where}.role' must be a string.", param=f"{where}.role")
        content = item.get("content")
        if content is not None and not isinstance(content, str | list):
            raise InvalidRequest(
                f"'{where}.content' must be a string or an array of parts.",
                code="invalid_type",
                param=f"{where}.content",
            )


def _output_cap(document: Mapping[str, Any]) -> int | None:
    cap = document.get("max_output_tokens")
    if cap is not None and cap < 1:
        raise InvalidRequest("'max_output_tokens' must be at least 1.", param="max_output_tokens")
    return cap


def _role(items: object, place: Place) -> str:
    if place[0] == "instructions":
        return "system"
    if place[0] != "input":
        return ""
    if not isinstance(items, list) or len(place) < 2:
        return "user" if isinstance(items, str) else ""
    item = items[int(place[1])]
    if not isinstance(item, dict):
        return ""
    role = item.get("role")
    return role if isinstance(role, str) else _ROLE_OF_ITEM.get(str(item.get("type")), "")


def _kind(items: object, place: Place) -> str:
    last = place[-1]
    if place[0] == "tools":
        return "tool_definition"
    if place[0] not in ("input", "instructions"):
        return "parameter"
    if last == "arguments":
        return "tool_argument"
    if _role(items, place) == "tool" and ("output" in place[2:4]):
        return "tool_result"
    if last in _URLS:
        return "url"
    if last in ("name", "filename"):
        return "name"
    return "text" if last in _TEXTS else "unknown"


def _needs(document: Mapping[str, Any], parts: list[dict[str, Any]]) -> Needs:
    kinds = {kind for part in parts if isinstance(kind := part.get("type"), str)}
    text = document.get("text") or {}
    wanted = text.get("format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    return Needs(
        vision="input_image" in kinds,
        audio="input_audio" in kinds,
        tools=bool(document.get("tools")),
        schema=kind in ("json_object", "json_schema"),
    )


def _last_user_text(items: object) -> str:
    if isinstance(items, str):
        return items
    for item in reversed(_objects(items)):
        if item.get("role") != "user":
            continue
        content = item.get("content")
        if isinstance(content, str):
            return content
        texts = [part["text"] for part in _parts(item) if isinstance(part.get("text"), str)]
        return "\n".join(texts)
    return ""


def _parts(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The content parts of a message, or those that a tool's output is made of."""
    return [*_objects(item.get("content")), *_objects(item.get("output"))]


def _objects(found: object) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        return []
    return [one for one in found if isinstance(one, dict)]
