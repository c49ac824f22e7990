"""OpenAI chat requests as Anthropic Messages requests, and what of them cannot be carried."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from anthropic import types
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.base import Encoded, Sending
from gateway.wire.openai_chat.front import OpenAIChatFront
from gateway.wire.openai_chat.view import decode
from gateway.wire.translate import TranslatingBridge

USER = {"role": "user", "content": "Hi"}
PIXEL = "iVBORw0KGgo="
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def _encode(
    *, sampling: bool = False, hidden: tuple[tuple[str, str], ...] = (), cap: int = 500, **body: Any
) -> Encoded:
    raw = msgspec.json.encode({"model": "auto", "messages": [USER], **body})
    bridge = TranslatingBridge(
        OpenAIChatFront(), AnthropicMessagesBack(sampling=sampling), new_id="chatcmpl-1", created=1
    )
    sending = Sending(model="claude-x", output_cap=cap, cap_field="max_tokens", hidden=hidden)
    request = decode(raw)
    encoded = bridge.encode(request, sending)
    assert bridge.encode(request, sending) == encoded, "every attempt must get the same bytes"
    _check_against_the_sdk(msgspec.json.decode(encoded.body))
    return encoded


def _sent(**body: Any) -> dict[str, Any]:
    encoded = _encode(**body)
    assert encoded.lossy == ()
    sent: dict[str, Any] = msgspec.json.decode(encoded.body)
    return sent


_BLOCKS: dict[str, Any] = {
    "text": types.TextBlockParam,
    "image": types.ImageBlockParam,
    "document": types.DocumentBlockParam,
    "tool_use": types.ToolUseBlockParam,
    "tool_result": types.ToolResultBlockParam,
}


def _check_against_the_sdk(sent: dict[str, Any]) -> None:
    """Every key that we write exists in the SDK's own types, and none that must be is missing."""
    shapes: list[tuple[dict[str, Any], Any]] = [(sent, MessageCreateParamsNonStreaming)]
    shapes += [(tool, types.ToolParam) for tool in sent.get("tools", ())]
    for turn in sent["messages"]:
        shapes += [(block, _BLOCKS[block["type"]]) for block in turn["content"]]
    for written, known in shapes:
        assert set(written) <= set(known.__annotations__), known
        assert known.__required_keys__ <= set(written), known


def test_plain_request() -> None:
    """A simple request keeps its text; the cap is ours because the API demands one."""
    assert _sent() == {
        "model": "claude-x",
        "max_tokens": 500,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


@pytest.mark.parametrize(
    ("asked", "sent"), [({"max_tokens": 20}, 20), ({"max_completion_tokens": 900}, 500), ({}, 500)]
)
def test_cap_is_the_smaller_one(asked: dict[str, int], sent: int) -> None:
    """The caller's cap holds where it is lower than ours."""
    assert _sent(**asked)["max_tokens"] == sent


def test_system_prompts_are_hoisted() -> None:
    """Leading system and developer messages become the system prompt, in order."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        USER,
    ]
    sent = _sent(messages=messages)

    assert sent["system"] == "Be brief.\n\nBe kind."
    assert [turn["role"] for turn in sent["messages"]] == ["user"]


def test_system_prompt_between_turns_is_named() -> None:
    """A later system message moves to the front, and its lost place is reported."""
    encoded = _encode(messages=[USER, {"role": "system", "content": "Now in French."}, USER])

    assert msgspec.json.decode(encoded.body)["system"] == "Now in French."
    assert encoded.lossy == ("/messages/1",)


def test_instructions_alone_become_the_users_turn() -> None:
    """A request of system messages only still has a turn."""
    sent = _sent(messages=[{"role": "system", "content": "Say hello."}])

    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Say hello."}]}
    ]
    assert "system" not in sent


def test_parallel_tool_calls_and_their_results() -> None:
    """Results of parallel calls stand together, first in one user turn."""
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "weather", "arguments": given}}
        for n, given in ((1, '{"city": "Rome", "big": 12345678901234567890123}'), (2, ""))
    ]
    messages = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "rain"}]},
        {"role": "user", "content": "And now?"},
    ]
    encoded = _encode(messages=messages, tools=[TOOL])
    user, assistant, results = msgspec.json.decode(encoded.body)["messages"]

    assert encoded.lossy == ()
    assert user["role"] == "user"
    assert [(block["id"], block["name"]) for block in assistant["content"]] == [
        ("call_1", "weather"),
        ("call_2", "weather"),
    ]
    assert b'"input":{"city":"Rome","big":12345678901234567890123}' in encoded.body.replace(
        b" ", b""
    )
    assert assistant["content"][1]["input"] == {}
    assert results["content"] == [
        {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"},
        {"type": "tool_result", "tool_use_id": "call_2", "content": "rain"},
        {"type": "text", "text": "And now?"},
    ]


def test_odd_call_ids_stay_paired() -> None:
    """An id outside the API's alphabet is rewritten the same way in the call and its result."""
    call = {"id": "functions.w:0", "type": "function", "function": {"name": "w", "arguments": "{}"}}
    messages = [
        USER,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "functions.w:0", "content": "x"},
    ]
    _, assistant, results = _sent(messages=messages)["messages"]

    assert assistant["content"][0]["id"] == results["content"][0]["tool_use_id"] == "functions_w_0"


def test_broken_arguments_are_wrapped_and_named() -> None:
    """Arguments that are no JSON object ride along as text, and the place is reported."""
    call = {"id": "a", "type": "function", "function": {"name": "w", "arguments": "{broken"}}
    messages = [USER, {"role": "assistant", "tool_calls": [call]}, USER]
    encoded = _encode(messages=messages)
    sent = msgspec.json.decode(encoded.body)

    assert sent["messages"][1]["content"][0]["input"] == {"arguments": "{broken"}
    assert encoded.lossy == ("/messages/1/tool_calls/0/function/arguments",)


def test_tool_definitions() -> None:
    """A function becomes a tool with its schema; a missing schema is an empty object's."""
    bare = {"type": "function", "function": {"name": "now", "strict": True}}
    sent = _sent(tools=[TOOL, bare])

    assert sent["tools"] == [
        {
            "name": "weather",
            "description": "Tells the weather",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
        {"name": "now", "input_schema": {"type": "object"}, "strict": True},
    ]


def test_a_tool_is_strict_only_where_the_api_can_be() -> None:
    """A limit that is refused there costs the strictness, and that is reported."""
    age = {"type": "integer", "minimum": 0}
    function = {"name": "f", "strict": True, "parameters": {"properties": {"age": age}}}
    encoded = _encode(tools=[{"type": "function", "function": function}], messages=[USER])
    (tool,) = msgspec.json.decode(encoded.body)["tools"]

    assert "strict" not in tool
    assert tool["input_schema"]["properties"]["age"] == age
    assert encoded.lossy == ("/tools/0",)


def test_limits_that_limit_nothing_are_not_sent_where_they_are_refused() -> None:
    """JavaScript's bounds of an integer leave the schema of an answer and of a strict tool."""
    safe = {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991}
    schema = {"type": "object", "properties": {"n": safe}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    function = {"name": "f", "strict": True, "parameters": schema}
    sent = _sent(response_format=form, tools=[{"type": "function", "function": function}])

    assert sent["output_config"]["format"]["schema"]["properties"] == {"n": {"type": "integer"}}
    assert sent["tools"][0]["input_schema"]["properties"] == {"n": {"type": "integer"}}
    assert sent["tools"][0]["strict"] is True


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, None),
        (
            {"type": "function", "function": {"name": "weather"}},
            None,
            {"type": "tool", "name": "weather"},
        ),
    ],
)
def test_tool_choice(choice: Any, parallel: bool | None, sent: Any) -> None:
    """Each tool choice has its twin, and forbidding parallel calls is part of it."""
    body = {"tool_choice": choice, "parallel_tool_calls": parallel}

    assert _sent(tools=[TOOL], **body).get("tool_choice") == sent


def test_images_and_documents() -> None:
    """Pictures go by URL or inline, PDF files inline with their name."""
    parts = [
        {"type": "image_url", "image_url": {"url": "https://pics.example/a.png"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"},
        },
    ]
    content = _sent(messages=[{"role": "user", "content": parts}])["messages"][0]["content"]

    assert content == [
        {"type": "image", "source": {"type": "url", "url": "https://pics.example/a.png"}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
        },
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PIXEL},
            "title": "a.pdf",
        },
    ]


def test_schema_effort_user_and_stop() -> None:
    """An answer schema, an effort, a user and stop strings have their own places."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    sent = _sent(
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
        reasoning_effort="low",
        safety_identifier="u-1",
        stop=["END", "###"],
        stream=True,
        stream_options={"include_usage": True},
    )

    assert sent["output_config"] == {
        "format": {"type": "json_schema", "schema": schema},
        "effort": "low",
    }
    assert sent["metadata"] == {"user_id": "u-1"}
    assert sent["stop_sequences"] == ["END", "###"]
    assert sent["stream"] is True


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"temperature": 0.2}, "/temperature"),
        ({"top_p": 0.5}, "/top_p"),
        ({"frequency_penalty": 0.5}, "/frequency_penalty"),
        ({"seed": 7}, "/seed"),
        ({"n": 2}, "/n"),
        ({"logprobs": True}, "/logprobs"),
        ({"logit_bias": {"50256": -100}}, "/logit_bias"),
        ({"response_format": {"type": "json_object"}}, "/response_format"),
        ({"reasoning_effort": "minimal"}, "/reasoning_effort"),
        ({"stop": ["\n\n"]}, "/stop"),
        ({"brand_new": {"x": 1}}, "/brand_new"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "/tools/0"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}, "/tool_choice"),
        ({"messages": [{"role": "user", "name": "Kim", "content": "x"}]}, "/messages/0/name"),
        ({"messages": [{"role": "critic", "content": "x"}, USER]}, "/messages/0"),
        (
            {"messages": [{"role": "assistant", "content": "a", "reasoning_content": "b"}, USER]},
            "/messages/0/reasoning_content",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "x": 1}]}, USER]},
            "/messages/0/content/0",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image_url",
                                "image_url": {"url": "https://x.example/", "detail": "high"},
                            }
                        ],
                    }
                ]
            },
            "/messages/0/content/0/image_url/detail",
        ),
        (
            {
                "messages": [
                    USER,
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image_url",
                                "image_url": {"url": f"data:image/bmp;base64,{PIXEL}"},
                            }
                        ],
                    },
                ]
            },
            "/messages/1/content/0",
        ),
    ],
)
def test_what_cannot_be_carried_is_named(body: dict[str, Any], pointer: str) -> None:
    """Whatever has no place in the other wire is reported by its pointer."""
    assert _encode(**body).lossy == (pointer,)


def test_defaults_ask_for_nothing() -> None:
    """Fields at their default are neither sent nor reported."""
    sent = _sent(
        temperature=1,
        top_p=1.0,
        n=1,
        frequency_penalty=0,
        presence_penalty=0.0,
        logit_bias=None,
        logprobs=False,
        response_format={"type": "text"},
        service_tier="auto",
        tools=[],
        stop=None,
    )

    assert set(sent) == {"model", "max_tokens", "messages"}


@pytest.mark.parametrize(
    ("asked", "sent", "lossy"), [(0.3, 0.3, ()), (1.6, 1.0, ("/temperature",))]
)
def test_older_api_version_takes_sampling(
    asked: float, sent: float, lossy: tuple[str, ...]
) -> None:
    """Where the API version still takes temperature it is sent, at most 1, and a cut is named."""
    raw = msgspec.json.encode({"model": "auto", "messages": [USER], "temperature": asked})
    bridge = TranslatingBridge(
        OpenAIChatFront(), AnthropicMessagesBack(sampling=True), new_id="x", created=1
    )
    encoded = bridge.encode(decode(raw), Sending(model="m", output_cap=5))

    assert msgspec.json.decode(encoded.body)["temperature"] == sent
    assert encoded.lossy == lossy


def test_masked_strings_replace_the_originals() -> None:
    """Hidden strings never appear in the other wire's bytes."""
    messages = [USER, {"role": "user", "content": [{"type": "text", "text": "card 4111"}]}]
    encoded = _encode(
        messages=messages, hidden=(("/messages/1/content/0/text", "card <payment_card>"),)
    )

    assert b"4111" not in encoded.body
    assert b"<payment_card>" in encoded.body
