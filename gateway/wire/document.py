"""A JSON request as its own bytes by field and as a document that can be looked into.

What is ambiguous (duplicate keys), broken or too deep is refused here, so that no wire has to
think of it; see `gateway.wire.strings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.request import Segment
from gateway.wire.strings import MAX_DEPTH, Place, count_literals, pointer, walk

#: Numbers beyond a double's range ride along in the raw bytes; the view need only survive them.
_DOCUMENT = msgspec.json.Decoder(float_hook=float)
#: Keeps every number of a field that is changed in its own spelling.
_EXACT = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))
_TYPE_WORDS: Mapping[type, str] = {
    str: "a string",
    list: "an array",
    dict: "an object",
    bool: "true or false",
    int: "an integer",
    float: "a number",
}


def read_object(raw: bytes) -> tuple[dict[str, msgspec.Raw], dict[str, Any]]:
    """The top-level fields as bytes, and the whole as Python values.

    Raises:
        InvalidRequest: the bytes are not UTF-8, not a JSON object or nested too deep.
    """
    try:
        raw.decode("utf-8")
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw]), _DOCUMENT.decode(raw)
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


def check_types(document: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> None:
    """Refuse fields of a wrong type before anything is spent; null is allowed everywhere.

    Raises:
        InvalidRequest: a field has another type than `kinds` says; `param` names it.
    """
    for name, allowed in kinds.items():
        found = document.get(name)
        if found is None:
            continue
        wrong_bool = isinstance(found, bool) and bool not in allowed
        if wrong_bool or not isinstance(found, allowed):
            wanted = " or ".join(dict.fromkeys(_TYPE_WORDS[kind] for kind in allowed))
            raise InvalidRequest(
                f"Invalid type for '{name}': expected {wanted}.", code="invalid_type", param=name
            )


def check_model(document: Mapping[str, Any]) -> str:
    """The model that the request names.

    Raises:
        InvalidRequest: it names none.
    """
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("you must provide a model parameter", param="model")
    return model


def read_segments(
    raw: bytes,
    document: Mapping[str, Any],
    *,
    known_words: frozenset[str],
    role: Callable[[Place], str],
    kind: Callable[[Place], str],
) -> tuple[Segment, ...]:
    """Every string of the request but the model's name and the API's own words.

    Raises:
        InvalidRequest: an object has the same key twice, or the nesting is too deep.
    """
    segments = []
    seen = 0
    for place, text, is_key in walk(document):
        seen += 1
        if not text or text in known_words or place == ("model",):
            continue
        found = "key" if is_key else kind(place)
        segments.append(Segment(text, pointer(place), role(place), found))
    if seen != count_literals(raw):
        raise InvalidRequest(
            "The body has an object with the same key twice, which servers read differently. "
            "Send every key once.",
            code="duplicate_key",
        )
    return tuple(segments)


def hide(fields: dict[str, msgspec.Raw], hidden: tuple[tuple[str, str], ...]) -> None:
    """Replace strings by JSON pointer in `fields`; all that is beside them keeps its value."""
    changed: dict[str, Any] = {}
    for place, text in hidden:
        field, *path = (step.replace("~1", "/").replace("~0", "~") for step in place.split("/")[1:])
        if field not in changed:
            changed[field] = _EXACT.decode(fields[field])
        changed[field] = _with_text(changed[field], path, text)
    for field, document in changed.items():
        fields[field] = raw_json(document)


def is_set(fields: Mapping[str, msgspec.Raw], name: str) -> bool:
    """Whether the request gives the field a value other than null."""
    return name in fields and bytes(fields[name]) != b"null"


def raw_json(value: object) -> msgspec.Raw:
    """A value as the bytes of a field."""
    return msgspec.Raw(msgspec.json.encode(value))


def _with_text(node: Any, path: list[str], text: str) -> Any:
    """The node with the string at `path` replaced; lists and objects are changed in place."""
    if not path:
        return text
    step: Any = int(path[0]) if isinstance(node, list) else path[0]
    node[step] = _with_text(node[step], path[1:], text)
    return node
