"""A Responses request read as a conversation: masked, complete, and never by exception."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.base import Sending
from gateway.wire.openai_responses.conversation import read_conversation
from gateway.wire.openai_responses.front import OpenAIResponsesFront
from gateway.wire.openai_responses.sealed import seal
from gateway.wire.openai_responses.view import decode
from gateway.wire.translate import TranslatingBridge


def read(hidden: tuple[tuple[str, str], ...] = (), **body: Any) -> Conversation:
    return read_conversation(
        decode(msgspec.json.encode({"model": "auto", "input": "Hi", **body})), hidden
    )


def test_instructions_and_text_are_two_turns() -> None:
    """The shortest conversation with a system prompt."""
    assert read(instructions="Be brief.").messages == (
        Message(
            role="system", parts=(Text("Be brief.", "/instructions"),), pointer="/instructions"
        ),
        Message(role="user", parts=(Text("Hi", "/input"),), pointer="/input"),
    )


def test_items_of_one_turn_are_one_message() -> None:
    """Reasoning, words and parallel calls are the model's turn; results and words the user's."""
    call = {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "a"}
    conversation = read(
        input=[
            {"role": "user", "content": "weather?"},
            {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": seal("c2ln")},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Let me look."}]},
            {**call, "name": "look", "arguments": '{"q":1}'},
            {**call, "call_id": "b", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "sun"},
            {
                "type": "function_call_output",
                "call_id": "b",
                "output": [{"type": "input_text", "text": "rain"}],
            },
            {"role": "user", "content": "and now?"},
        ]
    )
    _, model, user = conversation.messages

    assert [message.role for message in conversation.messages] == ["user", "assistant", "user"]
    assert model.parts == (
        Thinking(text="", signature="c2ln", pointer="/input/1"),
        Text("Let me look.", "/input/2/content/0"),
        ToolCall(id="a", name="look", arguments='{"q":1}', pointer="/input/3/arguments"),
        ToolCall(id="b", name="look", arguments="{}", pointer="/input/4/arguments"),
    )
    assert user.parts == (
        ToolResult(call_id="a", parts=(Text("sun", "/input/5/output"),), pointer="/input/5"),
        ToolResult(call_id="b", parts=(Text("rain", "/input/6/output/0"),), pointer="/input/6"),
        Text("and now?", "/input/7/content"),
    )
    assert conversation.not_understood == ()


def test_pictures_and_files_in_each_form() -> None:
    """By URL, inline, and what only the vendor could look up."""
    parts = [
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "high"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "CC", "format": "wav"}},
    ]
    conversation = read(input=[{"role": "user", "content": parts}])

    assert conversation.messages[0].parts == (
        Image(url="https://example.com/a.png", pointer="/input/0/content/0"),
        Image(
            media_type="image/png",
            content="AAAA",
            detail="high",
            pointer="/input/0/content/1",
            detail_pointer="/input/0/content/1/detail",
        ),
        Document(
            media_type="application/pdf",
            content="BB",
            title="a.pdf",
            pointer="/input/0/content/2",
        ),
    )
    assert conversation.not_understood == (
        "/input/0/content/3",
        "/input/0/content/4",
    )


def test_settings_are_read() -> None:
    """Caps, sampling, effort, schema and user."""
    schema = {"type": "object", "properties": {}}
    conversation = read(
        max_output_tokens=9,
        temperature=0.5,
        top_p=0.9,
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}},
        safety_identifier="u1",
        metadata={"a": "b"},
        store=True,
        include=["reasoning.encrypted_content"],
        truncation="disabled",
    )

    assert (conversation.output_cap, conversation.temperature, conversation.top_p) == (9, 0.5, 0.9)
    assert conversation.parallel_tools is False
    assert (conversation.effort, conversation.user) == ("low", "u1")
    assert conversation.answer_schema == schema
    assert conversation.not_understood == ()


def test_json_without_a_schema_is_asked_for() -> None:
    """The older way to ask for JSON."""
    conversation = read(text={"format": {"type": "json_object"}})

    assert conversation.answer_json
    assert conversation.answer_schema is None
    assert conversation.not_understood == ()


def test_functions_are_read_and_hosted_tools_named() -> None:
    """What only the vendor runs cannot be carried elsewhere."""
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
    conversation = read(tools=[function, {"type": "web_search"}, {"type": "custom", "name": "c"}])

    assert conversation.tools == (
        Tool(name="f", schema={"type": "object"}, strict=True, pointer="/tools/0"),
    )
    assert conversation.not_understood == ("/tools/1", "/tools/2")


@pytest.mark.parametrize(
    ("choice", "read_as", "left"),
    [
        ("required", ToolChoice(mode="required"), ["f", "g"]),
        ({"type": "function", "name": "g"}, ToolChoice(mode="named", name="g"), ["f", "g"]),
        (
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "g"}],
            },
            ToolChoice(mode="auto"),
            ["g"],
        ),
    ],
)
def test_tool_choices(choice: object, read_as: ToolChoice, left: list[str]) -> None:
    """Words, one function, or a choice among some."""
    tools = [{"type": "function", "name": name} for name in "fg"]
    conversation = read(tools=tools, tool_choice=choice)

    assert conversation.tool_choice == read_as
    assert [tool.name for tool in conversation.tools] == left
    assert conversation.not_understood == ()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"tool_choice": {"type": "web_search"}}, "/tool_choice"),
        ({"max_tool_calls": 3}, "/max_tool_calls"),
        ({"truncation": "auto"}, "/truncation"),
        ({"include": ["web_search_call.results"]}, "/include/0"),
        ({"prompt": {"id": "p"}}, "/prompt"),
        ({"text": {"verbosity": "high"}}, "/text/verbosity"),
        ({"reasoning": {"mode": "pro"}}, "/reasoning/mode"),
        ({"user": "a", "safety_identifier": "b"}, "/user"),
        ({"input": [{"type": "item_reference", "id": "m"}]}, "/input/0"),
        ({"input": [{"type": "web_search_call", "id": "w"}]}, "/input/0"),
        ({"input": [{"role": "stranger", "content": "x"}]}, "/input/0"),
        ({"input": [{"role": "user", "content": "x", "note": "y"}]}, "/input/0/note"),
    ],
)
def test_what_is_not_understood_is_named(body: dict[str, Any], pointer: str) -> None:
    """By the pointer into the client's own request."""
    assert pointer in read(**body).not_understood


def test_hidden_strings_are_replaced_wherever_they_stand() -> None:
    """Masking reaches text, items and tool definitions."""
    conversation = read(
        (("/input/0/content/0/text", "x"), ("/instructions", "y"), ("/tools/0/description", "z")),
        instructions="secret",
        input=[{"role": "user", "content": [{"type": "input_text", "text": "secret"}]}],
        tools=[{"type": "function", "name": "f", "description": "secret"}],
    )

    assert b"secret" not in msgspec.json.encode(conversation)


_WORDS = st.sampled_from(
    "input_text output_text refusal input_image input_file function_call function_call_output "
    "reasoning message item_reference user assistant system x data:image/png;base64,".split()
)
_ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type text image_url file_data name call_id arguments output id summary".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_ITEM = st.fixed_dictionaries(
    {"type": _WORDS, "role": _WORDS},
    optional={
        "content": st.none() | _WORDS | st.lists(_ODD, max_size=3),
        "call_id": _ODD,
        "name": _ODD,
        "arguments": _ODD,
        "output": _ODD,
        "summary": _ODD,
        "encrypted_content": _ODD,
    },
)


@given(
    items=st.lists(_ITEM, min_size=1, max_size=3),
    rest=st.fixed_dictionaries(
        {},
        optional={
            "instructions": _WORDS | st.lists(_ITEM, max_size=2),
            "tools": st.lists(_ODD, max_size=2),
            "tool_choice": _WORDS | st.dictionaries(_WORDS, _ODD, max_size=2),
            "text": st.dictionaries(st.sampled_from(["format", "verbosity"]), _ODD, max_size=2),
            "reasoning": st.dictionaries(_WORDS, _ODD, max_size=2),
            "user": _WORDS,
            "other": _ODD,
        },
    ),
)
def test_whatever_the_view_accepts_is_translated(
    items: list[dict[str, Any]], rest: dict[str, Any]
) -> None:
    """Odd shapes deep inside are left out and named, never an exception."""
    request = decode(msgspec.json.encode({"model": "auto", "input": items, **rest}))
    bridge = TranslatingBridge(
        OpenAIResponsesFront(), AnthropicMessagesBack(), new_id="x", created=1
    )
    encoded = bridge.encode(request, Sending(model="m", output_cap=9))

    assert msgspec.json.decode(encoded.body)["max_tokens"] == 9
    assert all(pointer.startswith("/") for pointer in encoded.lossy)


def test_what_is_included_and_no_word_is_named() -> None:
    """Objects in `include` are not understood, and nothing breaks."""
    conversation = read(input="hello", include=[{"a": 1}, "message.output_text.logprobs"])

    assert conversation.not_understood == ("/include/0",)
    assert conversation.logprobs == 0
