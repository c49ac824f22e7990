"""What is kept of a turn, and how it comes back as input."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from openai.types.responses import ResponseItem
from pydantic import TypeAdapter

from gateway.core.errors import InvalidRequest
from gateway.wire.openai_chat.view import decode as decode_chat
from gateway.wire.openai_responses import history
from gateway.wire.openai_responses.view import decode


def raws(*items: Any) -> tuple[msgspec.Raw, ...]:
    return tuple(msgspec.Raw(json.dumps(item).encode()) for item in items)


def turn(**body: Any) -> history.Turn:
    read = history.read_turn(decode(json.dumps({"model": "a", "input": "x", **body}).encode()))
    assert read is not None
    return read


def test_the_place_in_a_conversation_is_read() -> None:
    """Storing is the default, as upstream."""
    assert turn().kept
    assert turn(store=None).kept
    assert not turn(store=False).kept
    assert turn(previous_response_id="resp_1").previous == "resp_1"
    assert [json.loads(item) for item in map(bytes, turn().items)] == [
        {"type": "message", "role": "user", "content": "x"}
    ]


def test_other_wires_have_no_conversations() -> None:
    """Their clients send everything each time."""
    chat = decode_chat(b'{"model":"a","messages":[{"role":"user","content":"x"}]}')

    assert history.read_turn(chat) is None


def test_the_whole_conversation_is_read_anew() -> None:
    """Every string of the past is a segment with its own place again."""
    request = decode(b'{"model":"a","input":"now","previous_response_id":"resp_1","user":"u"}')
    past = raws({"role": "user", "content": "my secret"}, {"role": "assistant", "content": "ok"})
    own = history.read_turn(request)
    assert own is not None
    whole = history.continued(request, (*past, *own.items))

    assert [(s.text, s.pointer) for s in whole.segments if s.role] == [
        ("my secret", "/input/0/content"),
        ("ok", "/input/1/content"),
        ("now", "/input/2/content"),
    ]
    assert whole.prompt == "now"
    assert bytes(whole.fields["user"]) == b'"u"'


def test_answers_come_back_without_ids_and_unsealed_reasoning() -> None:
    """A backend that stores nothing would look an id up in vain."""
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    bare = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": None}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    sent = history.as_input(raws(message, sealed, bare, call))

    assert [json.loads(bytes(item)) for item in sent] == [
        {"type": "message", "role": "assistant", "content": []},
        sealed,
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]


def test_references_are_resolved_or_refused() -> None:
    """Clients may send the id of an item instead of the item."""
    asked = turn(
        input=[{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "x"}]
    )
    said = {"type": "message", "id": "msg_1", "role": "assistant", "content": "hello"}
    found = {"msg_1": raws(said)[0]}
    resolved = history.resolve(asked.items, found)

    assert asked.references == ("msg_1",)
    assert json.loads(bytes(resolved[0])) == {
        "type": "message",
        "role": "assistant",
        "content": "hello",
    }
    with pytest.raises(InvalidRequest) as refused:
        history.resolve(asked.items, {})
    assert (refused.value.http_status, refused.value.param) == (404, "input[0]")


RESPONSE = {"id": "resp_1", "output": [{"type": "message", "id": "msg_1"}]}


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_the_response_is_found_at_the_end_of_a_stream(kind: str) -> None:
    """Whatever else leaves with the last bytes."""
    events = b'data: {"type":"response.output_item.done"}\n\n' + (
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'response': RESPONSE})}\n\n".encode()
    )
    told = history.read_told(events + b"data: [DONE]\n\n", stream=True)

    assert told is not None
    assert (told.id, told.item_ids) == ("resp_1", ("msg_1",))
    assert json.loads(bytes(told.response)) == RESPONSE


def test_the_response_is_the_whole_body_otherwise() -> None:
    """Byte for byte."""
    raw = json.dumps(RESPONSE).encode()
    told = history.read_told(raw, stream=False)

    assert told is not None
    assert bytes(told.response) == raw


@pytest.mark.parametrize("raw", [b"", b"data: x\n\n", b"{}", b'{"id":5,"output":[]}', b"[1]"])
def test_what_cannot_be_continued_is_not_kept(raw: bytes) -> None:
    """Never an exception: the client has its answer already."""
    assert history.read_told(raw, stream=False) is None
    assert history.read_told(raw, stream=True) is None


def test_listed_items_are_of_the_official_types() -> None:
    """Shorthands are written out, and every item has an id of its own."""
    items = raws(
        {"role": "user", "content": "hi"},
        {"role": "user", "content": [{"type": "input_image", "image_url": "https://e.com/a"}]},
        {"type": "message", "role": "assistant", "content": "hello"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "sun"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
    )
    listed = history.listed_items(items, "resp_1")

    strict: TypeAdapter[Any] = TypeAdapter(list[ResponseItem])
    parsed = strict.validate_python(listed, strict=True)
    assert len({item["id"] for item in listed}) == 6
    assert [item.type for item in parsed] == [
        "message",
        "message",
        "message",
        "function_call",
        "function_call_output",
        "reasoning",
    ]
