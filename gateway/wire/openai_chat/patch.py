"""The caller's own bytes with only our keys changed; every other value stays byte-identical."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.request import ChatRequest
from gateway.wire.base import Encoded, Sending

#: Keeps every number of a field that is changed in its own spelling.
_EXACT = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))

_CAP_FIELDS = ("max_completion_tokens", "max_tokens")


def patch(request: ChatRequest, sending: Sending) -> Encoded:
    """Set the model, the output cap and, for streams, the request for usage.

    The cap is only ever lowered: a caller's smaller one stays as it was written. Where the
    caller wrote the cap under a field of its own choice, that field is the one changed.
    """
    fields = dict(request.fields)
    fields["model"] = _raw(sending.model)
    written = [name for name in _CAP_FIELDS if _is_set(fields, name)]
    if not written:
        for name in _CAP_FIELDS:
            fields.pop(name, None)
        fields[sending.cap_field] = _raw(sending.output_cap)
    elif (request.max_output_tokens or 0) > sending.output_cap:
        for name in written:
            fields[name] = _raw(min(int(bytes(fields[name])), sending.output_cap))
    if request.stream and not request.include_usage:
        options: dict[str, msgspec.Raw] = {}
        if _is_set(fields, "stream_options"):
            options = msgspec.json.decode(fields["stream_options"], type=dict[str, msgspec.Raw])
        options["include_usage"] = msgspec.Raw(b"true")
        fields["stream_options"] = _raw(options)
    for name, replaced in _by_field(sending.hidden).items():
        document = _EXACT.decode(fields[name])
        for place, text in replaced:
            document = _with_text(document, place, text)
        fields[name] = _raw(document)
    return Encoded(body=msgspec.json.encode(fields))


def _by_field(
    hidden: tuple[tuple[str, str], ...],
) -> dict[str, list[tuple[list[str], str]]]:
    """Replacements by top-level field, each with its place below that field."""
    found: dict[str, list[tuple[list[str], str]]] = {}
    for pointer, text in hidden:
        field, *place = (
            step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]
        )
        found.setdefault(field, []).append((place, text))
    return found


def _with_text(node: Any, place: list[str], text: str) -> Any:
    """The node with the string at `place` replaced; lists and objects are changed in place."""
    if not place:
        return text
    step: Any = int(place[0]) if isinstance(node, list) else place[0]
    node[step] = _with_text(node[step], place[1:], text)
    return node


def _is_set(fields: dict[str, msgspec.Raw], name: str) -> bool:
    return name in fields and bytes(fields[name]) != b"null"


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
