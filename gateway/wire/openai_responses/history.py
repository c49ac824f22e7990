"""What a conversation needs of this wire: its earlier turns as input, and what to keep of a turn.

The gateway keeps conversations itself, so that the whole history is judged at every turn and any
backend can continue it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.request import ChatRequest
from gateway.wire.document import is_set, raw_json
from gateway.wire.openai_responses.view import WIRE, decode
from gateway.wire.sse import SseParser

Items = tuple[msgspec.Raw, ...]

_LAST = frozenset({"response.completed", "response.incomplete"})
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_PREFIXES: Mapping[str, str] = {"message": "msg", "function_call": "fc", "reasoning": "rs"}


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about the conversation it belongs to.

    `items` is its own input; `references` are ids of stored items that stand in it; `kept` says
    that the client wants to be able to continue.
    """

    previous: str
    kept: bool
    items: Items
    references: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A response as the client saw it."""

    id: str
    response: msgspec.Raw
    item_ids: tuple[str, ...]


def read_turn(request: ChatRequest) -> Turn | None:
    """A Responses request's place in a conversation; None for requests of other wires."""
    if request.wire != WIRE:
        return None
    fields = request.fields
    previous = (
        msgspec.json.decode(fields["previous_response_id"])
        if is_set(fields, "previous_response_id")
        else ""
    )
    items = _own_items(fields)
    return Turn(
        previous=previous,
        kept=not (is_set(fields, "store") and bytes(fields["store"]) == b"false"),
        items=items,
        references=tuple(name for item in items if (name := _reference(item))),
    )


def resolve(items: Items, found: Mapping[str, msgspec.Raw]) -> Items:
    """The items with references replaced by what they refer to.

    Raises:
        InvalidRequest: an item that is referred to is not known here.
    """
    resolved: list[msgspec.Raw] = []
    for index, item in enumerate(items):
        name = _reference(item)
        if not name:
            resolved.append(item)
            continue
        if name not in found:
            raise InvalidRequest(
                f"Item with id '{name}' not found. Items can be referred to for a day after a "
                "response that was stored; send the item itself instead.",
                code="item_not_found",
                param=f"input[{index}]",
                http_status=404,
            )
        resolved.extend(as_input([found[name]]))
    return tuple(resolved)


def continued(request: ChatRequest, items: Iterable[msgspec.Raw]) -> ChatRequest:
    """The request with these items as its whole input, read anew: all of it will be judged.

    Raises:
        InvalidRequest: the whole is nested too deep, or an item of it cannot be read.
    """
    fields = dict(request.fields)
    fields["input"] = raw_json(list(items))
    return decode(msgspec.json.encode(fields))


def output_items(response: msgspec.Raw) -> Items:
    """The items that a response is made of."""
    output = msgspec.json.decode(response, type=dict[str, msgspec.Raw]).get("output")
    return () if output is None else tuple(_ITEMS.decode(output))


def as_input(items: Iterable[msgspec.Raw]) -> Items:
    """Items of earlier answers as the next turn may send them.

    Ids are left out, because a backend that stores nothing would look them up in vain; so is
    reasoning that its vendor did not seal, which no backend takes back.
    """
    sent: list[msgspec.Raw] = []
    for raw in items:
        item = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        if bytes(item.get("type", msgspec.Raw(b""))) == b'"reasoning"':
            if is_set(item, "encrypted_content"):
                sent.append(raw)
            continue
        item.pop("id", None)
        sent.append(raw_json(item))
    return tuple(sent)


def read_told(sent: bytes, *, stream: bool) -> Told | None:
    """The response in an answer's bytes: the whole body, or the end of a stream.

    None when there is none that could be continued.
    """
    raw = _last_response(sent) if stream else sent
    try:
        response = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        response_id = msgspec.json.decode(response["id"], type=str)
        items = output_items(msgspec.Raw(raw))
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError):
        return None
    ids = [msgspec.json.decode(item).get("id") for item in items]
    return Told(
        id=response_id,
        response=msgspec.Raw(raw),
        item_ids=tuple(name for name in ids if isinstance(name, str) and name),
    )


def listed_items(items: Sequence[msgspec.Raw], response_id: str) -> list[dict[str, Any]]:
    """Input items in the shape in which the API lists them: each with an id and full parts."""
    return [
        _listed(msgspec.json.decode(item), f"{response_id.removeprefix('resp_')}_{index}")
        for index, item in enumerate(items)
    ]


def _own_items(fields: Mapping[str, msgspec.Raw]) -> Items:
    if not is_set(fields, "input"):
        return ()
    given = fields["input"]
    if bytes(given)[:1] == b'"':
        message = {"type": "message", "role": "user", "content": given}
        return (raw_json(message),)
    return tuple(_ITEMS.decode(given))


def _reference(item: msgspec.Raw) -> str:
    if b"item_reference" not in bytes(item):
        return ""
    found = msgspec.json.decode(item)
    if not isinstance(found, dict) or found.get("type") != "item_reference":
        return ""
    return str(found.get("id") or "")


def _last_response(sent: bytes) -> bytes:
    parser = SseParser()
    for _, payload in [*parser.feed(sent), *parser.finish()]:
        try:
            event = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
            if msgspec.json.decode(event["type"]) in _LAST:
                return bytes(event["response"])
        except (msgspec.DecodeError, KeyError):
            continue
    return b""


def _listed(item: dict[str, Any], suffix: str) -> dict[str, Any]:
    kind = item.get("type", "message")
    named = {"id": f"{_PREFIXES.get(kind, 'item')}_{suffix}", "type": kind, "status": "completed"}
    listed = named | {name: inner for name, inner in item.items() if inner is not None}
    if kind == "reasoning":
        listed.setdefault("summary", [])
    if kind != "message":
        return listed
    said = item.get("role") == "assistant"
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "output_text" if said else "input_text", "text": content}]
    listed["content"] = [_full(part) for part in content or []]
    return listed


def _full(part: Any) -> Any:
    match part:
        case {"type": "output_text"}:
            return {"annotations": []} | part
        case {"type": "input_image"}:
            return {"detail": "auto"} | part
    return part
