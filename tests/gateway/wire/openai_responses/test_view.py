"""A Responses request is seen whole: what policy needs, every string, and nothing in two ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.core.request import ChatRequest
from gateway.wire.openai_responses.view import decode


def view(**body: Any) -> ChatRequest:
    return decode(msgspec.json.encode({"model": "auto", "input": "Hi", **body}))


def test_text_alone_is_the_users() -> None:
    """The shortest request there is."""
    request = view(input="What is a clearance?", max_output_tokens=50)

    assert (request.wire, request.model, request.stream) == ("openai_responses", "auto", False)
    assert request.prompt == "What is a clearance?"
    assert request.max_output_tokens == 50
    assert [(s.text, s.pointer, s.role, s.kind) for s in request.segments] == [
        ("What is a clearance?", "/input", "user", "text")
    ]


def test_items_tell_whose_words_they_are() -> None:
    """Roles, calls, results, reasoning and unknown items: each string with its place."""
    request = view(
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "rules"},
            {"role": "user", "content": [{"type": "input_text", "text": "first"}]},
            {
                "type": "reasoning",
                "id": "r",
                "summary": [{"type": "summary_text", "text": "thought"}],
            },
            {"type": "function_call", "call_id": "c", "name": "look", "arguments": '{"q": 1}'},
            {"type": "function_call_output", "call_id": "c", "output": "found"},
            {"type": "new_kind", "secret": "hidden words"},
            {"role": "user", "content": "last"},
        ],
        tools=[{"type": "function", "name": "look", "description": "Looks."}],
    )
    seen = {s.text: (s.pointer, s.role, s.kind) for s in request.segments}

    assert seen["Be brief."] == ("/instructions", "system", "text")
    assert seen["rules"] == ("/input/0/content", "developer", "text")
    assert seen["first"] == ("/input/1/content/0/text", "user", "text")
    assert seen["thought"] == ("/input/2/summary/0/text", "assistant", "text")
    assert seen['{"q": 1}'] == ("/input/3/arguments", "assistant", "tool_argument")
    assert seen["found"] == ("/input/4/output", "tool", "tool_result")
    assert seen["hidden words"] == ("/input/5/secret", "", "unknown")
    assert seen["Looks."] == ("/tools/0/description", "", "tool_definition")
    assert request.prompt == "last"
    assert request.turns == 7
    assert request.needs.names() == {"tools"}


def test_pictures_and_schemas_are_needs() -> None:
    """A deployment without eyes or schemas is no candidate."""
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
    ]
    text = {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}}
    request = view(input=[{"role": "user", "content": parts}], text=text)

    assert request.needs.names() == {"vision", "schema"}
    assert request.images == 1
    assert request.prompt == "What is this?"


def test_pictures_in_a_tools_output_are_seen() -> None:
    """Tools may answer with pictures, too."""
    output = [{"type": "input_image", "image_url": "https://example.com/a.png"}]
    request = view(input=[{"type": "function_call_output", "call_id": "c", "output": output}])

    assert request.needs.vision


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["text"]}, "input[0]"),
        ({"input": [{"type": 3}]}, "input[0].type"),
        ({"input": [{"content": "no role"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 7}]}, "input[0].content"),
        ({"model": ""}, "model"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"store": "yes"}, "store"),
        ({"tools": {}}, "tools"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    """The message says where it is wrong, before anything is spent."""
    with pytest.raises(InvalidRequest) as refused:
        view(**body)

    assert refused.value.param == param


@pytest.mark.parametrize(
    "raw",
    [
        b'{"model":"a","input":"x","input":"y"}',
        b'{"model":"a","input":[{"role":"user","content":"a","content":"b"}]}',
        b'{"model":"a","input":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"model":"a","input":"\xff"}',
        b"[]",
        b"{",
    ],
)
def test_ambiguous_or_broken_bytes_are_refused(raw: bytes) -> None:
    """What two parsers could read in two ways is read by none."""
    with pytest.raises(InvalidRequest):
        decode(raw)


def test_null_fields_ask_for_nothing() -> None:
    """SDKs of other languages send them."""
    request = view(instructions=None, tools=None, text=None, stream=None, background=None)

    assert not request.stream
    assert request.needs.names() == set()
