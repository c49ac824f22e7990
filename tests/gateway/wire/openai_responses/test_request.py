"""A conversation written as a Responses request: readable cases, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.conversation import (
    Conversation,
    Document,
    Image,
    Message,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from gateway.wire.base import Sending
from gateway.wire.openai_responses.conversation import read_conversation
from gateway.wire.openai_responses.request import encode_request
from gateway.wire.openai_responses.view import decode

USER = Message(role="user", parts=(Text("Hi"),))


def written(
    *messages: Message, cap: int = 100, **fields: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    conversation = Conversation(messages=messages or (USER,), **fields)
    encoded = encode_request(conversation, Sending(model="gpt", output_cap=cap))
    body: dict[str, Any] = json.loads(encoded.body)
    return body, encoded.lossy


def test_the_least_request_there_is() -> None:
    """The plan's cap is always sent, and nobody but the gateway keeps anything."""
    assert written()[0] == {
        "model": "gpt",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
        ],
        "max_output_tokens": 100,
        "store": False,
    }


def test_turns_keep_their_order() -> None:
    """System prompts stay where they stand; words, calls and results become items."""
    body, lossy = written(
        Message(role="system", parts=(Text("Be brief."),)),
        USER,
        Message(
            role="assistant",
            parts=(Text("Look:"), ToolCall(id="a", name="f", arguments=""), Text("wait")),
        ),
        Message(
            role="user", parts=(ToolResult(call_id="a", parts=(Text("sun"),)), Text("and now?"))
        ),
    )
    assert body["input"] == [
        {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Be brief."}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Look:"}],
        },
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "wait"}],
        },
        {"type": "function_call_output", "call_id": "a", "output": "sun"},
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "and now?"}],
        },
    ]
    assert lossy == ()


def test_pictures_and_files() -> None:
    """By URL and inline, in the user's words and in a tool's output."""
    picture = Image(media_type="image/png", content="AAAA")
    body, lossy = written(
        Message(
            role="user",
            parts=(
                Image(url="https://example.com/a.png"),
                Document(media_type="application/pdf", content="BB", title="a.pdf"),
                ToolResult(call_id="a", parts=(picture,)),
            ),
        )
    )
    message, result = body["input"]

    assert message["content"] == [
        {"type": "input_image", "detail": "auto", "image_url": "https://example.com/a.png"},
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": "data:application/pdf;base64,BB",
        },
    ]
    assert result["output"] == [
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"}
    ]
    assert lossy == ()


def test_a_tool_that_failed_says_so() -> None:
    """The wire has no mark for it, so it is said in words."""
    result = ToolResult(call_id="a", parts=(Text("no such city"),), failed=True)
    body, _ = written(Message(role="user", parts=(result,)))

    assert body["input"][0]["output"] == "Error:\nno such city"


def test_settings() -> None:
    """Tools say whether they are strict, schemas are strict where they can be."""
    closed = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    body, lossy = written(
        tools=(Tool(name="f", description="Does.", schema={"type": "object"}), Tool(name="g")),
        tool_choice=ToolChoice(mode="named", name="f"),
        parallel_tools=False,
        output_cap=7,
        temperature=0.5,
        answer_schema=closed,
        effort="low",
        user="u1",
        stream=True,
    )

    assert body["tools"] == [
        {
            "type": "function",
            "name": "f",
            "description": "Does.",
            "parameters": {"type": "object"},
            "strict": False,
        },
        {
            "type": "function",
            "name": "g",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ]
    assert body["tool_choice"] == {"type": "function", "name": "f"}
    assert body["parallel_tool_calls"] is False
    assert (body["max_output_tokens"], body["temperature"]) == (7, 0.5)
    assert body["text"]["format"] == {
        "type": "json_schema",
        "name": "answer",
        "schema": closed,
        "strict": True,
    }
    assert (body["reasoning"], body["safety_identifier"]) == ({"effort": "low"}, "u1")
    assert body["stream"] is True
    assert lossy == ()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"stop": ("END",)}, "/stop"),
        ({"top_k": 5}, "/top_k"),
        ({"seed": 1}, "/seed"),
        ({"presence_penalty": 1.0}, "/presence_penalty"),
        ({"effort": "extreme", "origins": {"effort": "/reasoning_effort"}}, "/reasoning_effort"),
    ],
)
def test_what_this_wire_has_no_place_for_is_named(fields: dict[str, Any], pointer: str) -> None:
    """In the client's own terms."""
    assert written(**fields)[1] == (pointer,)


def test_reasoning_of_another_vendor_is_not_carried() -> None:
    """It would be refused as forged, so it is left out and named."""
    thought = Thinking(text="hm", signature="c2ln", pointer="/messages/1/content/0")
    body, lossy = written(USER, Message(role="assistant", parts=(thought, Text("ok"))))

    assert [item["role"] for item in body["input"]] == ["user", "assistant"]
    assert lossy == ("/messages/1/content/0",)


def test_what_was_written_is_read_back() -> None:
    """Golden round trip: only pointers differ."""
    body, _ = written(
        Message(role="system", parts=(Text("s"),)),
        USER,
        Message(role="assistant", parts=(Text("a"), ToolCall(id="c", name="f", arguments="{}"))),
        Message(role="user", parts=(ToolResult(call_id="c", parts=(Text("r"),)),)),
    )
    back = read_conversation(decode(json.dumps(body).encode()))

    assert [(m.role, [type(p).__name__ for p in m.parts]) for m in back.messages] == [
        ("system", ["Text"]),
        ("user", ["Text"]),
        ("assistant", ["Text", "ToolCall"]),
        ("user", ["ToolResult"]),
    ]
    assert back.not_understood == ()
