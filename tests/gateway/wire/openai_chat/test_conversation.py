"""An OpenAI chat request read as a conversation: masked, complete, and never by exception."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Text, Thinking, ToolChoice, ToolResult
from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.base import Sending
from gateway.wire.openai_chat.conversation import read_conversation
from gateway.wire.openai_chat.front import OpenAIChatFront
from gateway.wire.openai_chat.view import decode
from gateway.wire.translate import TranslatingBridge

USER = {"role": "user", "content": "Hi"}


def _raw(**body: Any) -> bytes:
    return msgspec.json.encode({"model": "auto", "messages": [USER], **body})


def test_parts_carry_their_pointers() -> None:
    """Each part says where in the client's request it stood."""
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        {"role": "assistant", "content": "b", "reasoning_content": "c"},
        {"role": "tool", "tool_call_id": "t", "content": "d"},
    ]
    conversation = read_conversation(decode(_raw(messages=messages)))

    assert [message.parts for message in conversation.messages] == [
        (Text("a", "/messages/0/content/0"),),
        (
            Thinking(text="c", pointer="/messages/1/reasoning_content"),
            Text("b", "/messages/1/content"),
        ),
        (
            ToolResult(
                call_id="t", parts=(Text("d", "/messages/2/content"),), pointer="/messages/2"
            ),
        ),
    ]
    assert conversation.not_understood == ()


def test_hidden_strings_are_replaced_wherever_they_stand() -> None:
    """Masking reaches messages, tool definitions and keys with escaped characters."""
    function = {"name": "f", "parameters": {"type": "object", "a/b": {"description": "secret"}}}
    raw = _raw(tools=[{"type": "function", "function": function}], stop=["secret"])
    hidden = (
        ("/messages/0/content", "x"),
        ("/tools/0/function/parameters/a~1b/description", "y"),
        ("/stop/0", "z"),
    )
    conversation = read_conversation(decode(raw), hidden)

    assert conversation.messages[0].parts == (Text("x", "/messages/0/content"),)
    assert conversation.tools[0].schema == {"type": "object", "a/b": {"description": "y"}}
    assert conversation.stop == ("z",)
    assert b"secret" in raw


def test_named_tool_choice() -> None:
    """A choice that names a function is read as such."""
    choice = {"type": "function", "function": {"name": "f"}}

    assert read_conversation(decode(_raw(tool_choice=choice))).tool_choice == ToolChoice(
        mode="named", name="f"
    )


def test_numbers_beyond_a_double_survive() -> None:
    """A number that no double holds is carried on as it was written."""
    raw = (
        b'{"model":"a","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function",'
        b'"function":{"name":"f","parameters":{"type":"object","maximum":1E+400}}}]}'
    )
    bridge = TranslatingBridge(OpenAIChatFront(), AnthropicMessagesBack(), new_id="x", created=1)

    assert b'"maximum":1E+400' in bridge.encode(decode(raw), Sending(model="m", output_cap=1)).body


_WORDS = st.sampled_from(
    ["text", "image_url", "file", "function", "", "x", "data:image/png;base64,"]
)
_ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type text image_url url file file_data function name arguments id".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system", "x"])},
    optional={
        "content": st.none() | _WORDS | st.lists(_ODD, max_size=3),
        "tool_calls": _ODD,
        "tool_call_id": _ODD,
        "reasoning_content": _ODD,
        "refusal": _ODD,
        "name": _ODD,
    },
)


@given(
    messages=st.lists(_MESSAGE, min_size=1, max_size=3),
    rest=st.fixed_dictionaries(
        {},
        optional={
            "tools": st.lists(_ODD, max_size=2),
            "tool_choice": _WORDS | st.dictionaries(_WORDS, _ODD, max_size=2),
            "stop": st.lists(_ODD, max_size=2),
            "response_format": st.dictionaries(_WORDS, _ODD, max_size=2),
            "user": _WORDS,
            "safety_identifier": _ODD,
            "other": _ODD,
        },
    ),
)
def test_whatever_the_view_accepts_is_translated(
    messages: list[dict[str, Any]], rest: dict[str, Any]
) -> None:
    """Odd shapes deep inside are left out and named, never an exception."""
    request = decode(_raw(messages=messages, **rest))
    bridge = TranslatingBridge(OpenAIChatFront(), AnthropicMessagesBack(), new_id="x", created=1)
    encoded = bridge.encode(request, Sending(model="m", output_cap=9))

    assert msgspec.json.decode(encoded.body)["max_tokens"] == 9
    assert all(pointer.startswith("/") for pointer in encoded.lossy)
