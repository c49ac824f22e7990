"""The view of a Messages request: everything is seen, mistakes are told in Anthropic's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidRequest
from gateway.core.profile import Needs
from gateway.wire.anthropic_messages.view import decode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
PICTURE = {"type": "base64", "media_type": "image/png", "data": "iVBORw0"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0"}


def body(*content: Any, **more: Any) -> bytes:
    said = list(content) if content else "hi"
    fields = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": said}]}
    return json.dumps(fields | more).encode()


def strings_in(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [s for k, v in node.items() for s in (k, *strings_in(v))]
    if isinstance(node, list):
        return [s for one in node for s in strings_in(one)]
    return []


def test_every_kind_of_string_is_a_segment_with_its_place_role_and_kind() -> None:
    """System, tool input and results, documents, thinking and unknown blocks are all seen."""
    raw = body(
        system=[{"type": "text", "text": "Be brief."}],
        messages=[
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hmm", "signature": "c2ln"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"q": {"deep": "Ada"}}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "t2",
                 "content": [{"type": "text", "text": "mild"}]},
                {"type": "document", "title": "CV", "source": {"type": "text", "data": "born"}},
                {"type": "image", "source": PICTURE},
                {"type": "hologram", "secret_part": {"deep": ["4111"]}},
            ]},
        ],
        metadata={"user_id": "u-1"},
        tools=[{"name": "f", "input_schema": {"properties": {"q": {"description": "who"}}}}],
        unheard_of={"x": "y"},
    )  # fmt: skip

    request = decode(raw)
    seen = {part.pointer: (part.text, part.role, part.kind) for part in request.segments}

    assert seen["/system/0/text"] == ("Be brief.", "system", "text")
    assert seen["/messages/0/content"] == ("weather?", "user", "text")
    assert seen["/messages/1/content/0/thinking"] == ("hmm", "assistant", "text")
    assert seen["/messages/1/content/1/input/q/deep"] == ("Ada", "assistant", "tool_argument")
    assert seen["/messages/2/content/0/content"] == ("sunny", "tool", "tool_result")
    assert seen["/messages/2/content/1/content/0/text"] == ("mild", "tool", "tool_result")
    assert seen["/messages/2/content/2/source/data"] == ("born", "user", "text")
    assert seen["/messages/2/content/2/title"] == ("CV", "user", "name")
    assert seen["/messages/2/content/3/source/data"] == ("iVBORw0", "user", "url")
    assert seen["/messages/2/content/4/secret_part/deep/0"] == ("4111", "user", "unknown")
    assert seen["/metadata/user_id"] == ("u-1", "", "parameter")
    assert seen["/tools/0/input_schema/properties/q/description"][2] == "tool_definition"
    assert seen["/unheard_of/x"] == ("y", "", "parameter")
    assert (request.prompt, request.turns, request.images) == ("weather?", 4, 1)


#: Letters that make no word of the API, and those that JSON and its pointers escape.
ODD = st.text('012\u00e9\U0001f600"\\/~\n', min_size=1, max_size=6)


@given(
    extra=st.recursive(
        ODD | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
        max_leaves=12,
    ),
    key=ODD,
)
def test_no_string_escapes(extra: Any, key: str) -> None:
    """Property: every string of an unknown block is a segment, whatever its shape."""
    request = decode(body({"type": "mystery", "strange key": {key: extra}}))
    seen = {part.text for part in request.segments}

    assert {*strings_in({key: extra})} <= seen


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ({}, Needs()),
        ({"tools": [{"name": "f"}]}, Needs(tools=True)),
        ({"mcp_servers": [{"url": "https://x"}]}, Needs(tools=True)),
        ({"output_config": {"format": {"type": "json_schema"}}}, Needs(schema=True)),
        ({"output_config": {"effort": "low"}}, Needs()),
        ({"output_format": {"type": "json_schema"}}, Needs(schema=True)),
    ],
)
def test_needs_of_settings(more: dict[str, Any], needs: Needs) -> None:
    """Tools and schemas are needs; effort is none."""
    assert decode(body(**more)).needs == needs


@pytest.mark.parametrize(
    ("block", "needs"),
    [
        ({"type": "image", "source": PICTURE}, Needs(vision=True)),
        ({"type": "document", "source": PDF}, Needs(documents=True)),
        ({"type": "document", "source": {"type": "url", "url": "u"}}, Needs(documents=True)),
        ({"type": "document", "source": {"type": "text", "data": "t"}}, Needs()),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": [
                {"type": "image", "source": PICTURE}]},
            Needs(vision=True),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [
                {"type": "image", "source": PICTURE}]}},
            Needs(vision=True),
        ),
    ],
)  # fmt: skip
def test_needs_of_blocks(block: dict[str, Any], needs: Needs) -> None:
    """Pictures and files are found wherever they stand; text documents are text."""
    assert decode(body(block)).needs == needs


@pytest.mark.parametrize(
    ("changes", "param", "message"),
    [
        ({"max_tokens": None}, "max_tokens", "max_tokens: Field required"),
        ({"model": None}, "model", "model: Field required"),
        ({"messages": None}, "messages", "messages: Field required"),
        ({"messages": []}, "messages", "messages: at least one message is required"),
        ({"messages": "hi"}, "messages", "messages: Input should be a valid list"),
        ({"max_tokens": "9"}, "max_tokens", "max_tokens: Input should be a valid integer"),
        ({"max_tokens": True}, "max_tokens", "max_tokens: Input should be a valid integer"),
        ({"max_tokens": -1}, "max_tokens", "max_tokens: Input should be greater than or equal"),
        ({"temperature": "hot"}, "temperature", "temperature: Input should be a valid integer or"),
        ({"messages": ["x"]}, "messages.0", "messages.0: Input should be a valid dictionary"),
        ({"messages": [{"role": "user"}]}, "messages.0.content", "messages.0.content: Field"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages.0.role",
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
            "messages.0.content.0",
            "messages.0.content.0: Input should be a content block",
        ),
    ],
)
def test_mistakes_are_told_in_anthropics_words(
    changes: dict[str, Any], param: str, message: str
) -> None:
    """The path with dots and what should be there."""
    with pytest.raises(InvalidRequest) as caught:
        decode(body(**changes))

    assert caught.value.param == param
    assert caught.value.public_message.startswith(message)


def test_duplicate_keys_are_refused() -> None:
    """What servers could read in two ways is not forwarded."""
    raw = body()[:-1] + b', "system": "kind", "system": "evil"}'
    with pytest.raises(InvalidRequest) as caught:
        decode(raw)

    assert caught.value.code == "duplicate_key"


@pytest.mark.parametrize("kind", ["create", "continue"])
def test_a_conversation_held_by_the_vendor_is_refused_with_the_code_clients_know(kind: str) -> None:
    """What is not sent cannot be judged; the official client then sends it all."""
    with pytest.raises(InvalidRequest) as caught:
        decode(body(thread={"type": kind, "previous_message_id": "msg_1"}))

    assert caught.value.code == "thread_unsupported_request"
    assert decode(body(thread=None)).model == "auto"


def test_a_request_to_count_needs_no_cap() -> None:
    """Only `messages` and `model` are required there."""
    raw = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'

    assert decode(raw, counting=True).max_output_tokens is None


def test_the_prompt_is_the_users_own_last_text() -> None:
    """Results of tools are not what the user wrote."""
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "first"}]},
        {"role": "assistant", "content": "calling"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
    ]

    assert decode(body(messages=turns)).prompt == "first"


@given(JSON)
def test_any_document_is_read_or_refused(document: Any) -> None:
    """Property: no shape of a request makes the reader fail in another way."""
    for fields in ({"messages": document}, {"messages": [document]}, {"system": document}):
        raw = json.dumps({"model": "m", "max_tokens": 1} | fields).encode()
        try:
            decode(raw, counting=True)
        except InvalidRequest as error:
            assert error.public_message  # noqa: PT017 - either outcome is fine


@pytest.mark.parametrize("odd", [[], {}, 5, None, True])
def test_odd_types_inside_blocks_are_survived(odd: Any) -> None:
    """Blocks of wrong shape are for the backend to judge, not for us to fall over."""
    decode(body({"type": "image", "source": {"type": odd, "data": "x"}}))
    decode(body({"type": "tool_result", "tool_use_id": odd, "content": odd}))
    decode(body({"type": "document", "source": odd, "title": odd}))
