"""Messages requests in no vendor's words: what is read, and what is named as not understood."""

from __future__ import annotations

import base64
import json
from typing import Any

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
from gateway.core.errors import InvalidRequest
from gateway.core.request import ChatRequest
from gateway.wire.anthropic_messages.back import AnthropicMessagesBack
from gateway.wire.anthropic_messages.front import AnthropicMessagesFront
from gateway.wire.anthropic_messages.view import decode
from gateway.wire.base import Sending

SENDING = Sending(model="claude-x", output_cap=500, cap_field="max_tokens")
FRONT = AnthropicMessagesFront()


def request(*content: Any, **more: Any) -> ChatRequest:
    said = list(content) if content else "hi"
    fields = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": said}]}
    return decode(json.dumps(fields | more).encode())


def read(*content: Any, **more: Any) -> Conversation:
    return FRONT.read(request(*content, **more), ())


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_whole_conversation_is_read() -> None:
    """System blocks, thinking kept with its signature, calls, results and their failures."""
    found = read(
        system=[{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
        messages=[
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hmm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "c2VhbGVk"},
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"q": 1e2}},
                {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "t2", "is_error": True,
                 "content": [{"type": "text", "text": "broke"}]},
                {"type": "tool_result", "tool_use_id": "t3"},
            ]},
            {"role": "system", "content": "New rule."},
        ],
    )  # fmt: skip
    said = "/messages/1/content"
    told = "/messages/2/content"

    assert found.messages == (
        Message(
            role="system",
            parts=(Text("Be brief.", "/system/0"), Text("Be kind.", "/system/1")),
            pointer="/system",
        ),
        Message(
            role="user",
            parts=(Text("weather?", "/messages/0/content"),),
            pointer="/messages/0",
        ),
        Message(
            role="assistant",
            parts=(
                Thinking(text="hmm", signature="c2ln", pointer=f"{said}/0"),
                Thinking(text="", sealed="c2VhbGVk", pointer=f"{said}/1"),
                Text("Let me see.", f"{said}/2"),
                ToolCall(id="t1", name="f", arguments='{"q":100.0}', pointer=f"{said}/3"),
                ToolCall(id="t2", name="g", arguments="{}", pointer=f"{said}/4"),
            ),
            pointer="/messages/1",
        ),
        Message(
            role="user",
            parts=(
                ToolResult(
                    call_id="t1",
                    parts=(Text("sunny", f"{told}/0/content"),),
                    pointer=f"{told}/0",
                ),
                ToolResult(
                    call_id="t2",
                    parts=(Text("broke", f"{told}/1/content/0"),),
                    failed=True,
                    pointer=f"{told}/1",
                ),
                ToolResult(call_id="t3", parts=(), pointer=f"{told}/2"),
            ),
            pointer="/messages/2",
        ),
        Message(
            role="system",
            parts=(Text("New rule.", "/messages/3/content"),),
            pointer="/messages/3",
        ),
    )
    assert found.not_understood == ()


AT = "/messages/0/content/0"
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBO"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "image", "source": PNG},
            Image(media_type="image/png", content="iVBO", pointer=AT),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/a.png"}},
            Image(url="https://x/a.png", pointer=AT),
        ),
        (
            {"type": "document", "source": PDF, "title": "CV", "citations": {"enabled": False}},
            Document(media_type="application/pdf", content="JVBE", title="CV", pointer=AT),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}},
            Document(url="https://x/a.pdf", pointer=AT),
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "h\u00e9"},
            },
            Document(media_type="text/plain", content=encoded("h\u00e9"), pointer=AT),
        ),
        (
            {
                "type": "document",
                "source": {
                    "type": "content",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                },
            },
            Document(media_type="text/plain", content=encoded("a\nb"), pointer=AT),
        ),
        (
            {
                "type": "search_result",
                "title": "Rome",
                "source": "https://x",
                "content": [{"type": "text", "text": "A city."}],
            },
            Text("Rome\nhttps://x\nA city.", AT),
        ),
    ],
)
def test_pictures_documents_and_search_results(block: dict[str, Any], part: Any) -> None:
    """Each becomes the part that other wires can carry."""
    found = read(block)

    assert found.messages[0].parts == (part,)
    assert found.not_understood == ()


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"type": "text", "text": "a", "cache_control": {"type": "later"}}, "/cache_control"),
        ({"type": "image", "source": PNG, "transformations": {"x": "y"}}, "/transformations"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, ""),
        ({"type": "document", "source": PDF, "context": "c"}, "/context"),
        ({"type": "document", "source": PDF, "citations": {"enabled": True}}, "/citations"),
        ({"type": "document", "source": PDF, "citations": 5}, "/citations"),
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, ""),
        ({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, ""),
        ({"type": "container_upload", "file_id": "f"}, ""),
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": "odd"},
            "/caller",
        ),
        ({"type": "hologram"}, ""),
    ],
)
def test_what_no_other_wire_knows_in_a_block_is_named(block: dict[str, Any], named: str) -> None:
    """The pointer is that of the field, or of the block where nothing of it is carried."""
    assert read(block).not_understood == (AT + named,)


def test_settings_are_read() -> None:
    """Every setting that another wire can be told, with the pointer that it came from."""
    found = read(
        tools=[
            {
                "name": "f",
                "description": "d",
                "strict": True,
                "input_schema": {"type": "object"},
            }
        ],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        metadata={"user_id": "u-1"},
        output_config={
            "effort": "low",
            "format": {"type": "json_schema", "schema": {"type": "object"}},
        },
        stream=True,
        service_tier="auto",
        speed=None,
    )

    assert found.tools == (
        Tool(name="f", description="d", strict=True, schema={"type": "object"}, pointer="/tools/0"),
    )
    assert found.tool_choice == ToolChoice(mode="named", name="f")
    assert found.parallel_tools is False
    assert (found.stop, found.temperature, found.top_p, found.top_k) == (("END",), 0.5, 0.9, 40)
    assert (found.user, found.effort, found.stream, found.output_cap) == ("u-1", "low", True, 9)
    assert found.answer_schema == {"type": "object"}
    assert found.not_understood == ()
    assert found.origin("stop") == "/stop_sequences"
    assert found.origin("answer_schema") == "/output_config/format"
    assert found.origin("user") == "/metadata/user_id"


@pytest.mark.parametrize(
    ("choice", "mode"), [("auto", "auto"), ("any", "required"), ("none", "none")]
)
def test_tool_choices(choice: str, mode: Any) -> None:
    """Each has its neutral word; parallel calls stay as the model likes."""
    found = read(tool_choice={"type": choice})

    assert found.tool_choice == ToolChoice(mode=mode)
    assert found.parallel_tools is None


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "/tools/0"),
        (
            {"tools": [{"name": "f", "input_schema": {}, "cache_control": {"ttl": "5m"}}]},
            "/tools/0/cache_control",
        ),
        ({"tool_choice": {"type": "later"}}, "/tool_choice"),
        ({"metadata": {"trace": "1"}}, "/metadata/trace"),
        ({"speed": "fast"}, "/speed"),
        ({"mcp_servers": [{"url": "https://x"}]}, "/mcp_servers"),
        ({"container": "c1"}, "/container"),
        ({"cache_control": {"type": "ephemeral", "ttl": []}}, "/cache_control"),
        ({"thinking": {"type": "between_tools"}}, "/thinking"),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, "/thinking/display"),
        ({"output_config": {"format": {"type": "regex"}}}, "/output_config/format"),
        ({"output_config": {"task_budget": 5}}, "/output_config/task_budget"),
        ({"output_format": {"type": "regex"}}, "/output_format"),
        ({"stop_sequences": ["a", 5]}, "/stop_sequences"),
        ({"max_tokens": 0}, "/max_tokens"),
        ({"odd/one": 1}, "/odd~1one"),
    ],
)
def test_settings_of_the_vendors_own_are_named(more: dict[str, Any], named: str) -> None:
    """What asks for something that is not carried is told by its pointer."""
    assert read(**more).not_understood == (named,)


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [
        ({"type": "enabled", "budget_tokens": 1024}, "low"),
        ({"type": "enabled", "budget_tokens": 16_000}, "medium"),
        ({"type": "enabled", "budget_tokens": 32_000}, "high"),
    ],
)
def test_a_thinking_budget_becomes_the_nearest_effort(
    thinking: dict[str, Any], effort: str
) -> None:
    """It is carried roughly, and named for that; an effort that was given wins."""
    roughly = read(thinking=thinking)
    given = read(thinking=thinking, output_config={"effort": "max"})

    assert (roughly.effort, roughly.origin("effort")) == (effort, "/thinking")
    assert (given.effort, given.origin("effort")) == ("max", "/output_config/effort")
    assert roughly.not_understood == given.not_understood == ("/thinking/budget_tokens",)


@pytest.mark.parametrize("kind", ["adaptive", "disabled"])
def test_thinking_as_the_model_likes_asks_for_nothing(kind: str) -> None:
    """Nothing is carried and nothing is lost."""
    found = read(thinking={"type": kind})

    assert (found.effort, found.not_understood) == ("", ())


def test_masked_strings_are_read_in_their_place() -> None:
    """What policy hides never reaches the conversation, wherever it stands."""
    asked = request(
        {"type": "tool_use", "id": "t", "name": "f", "input": {"who": "Ada"}}, system="For Ada."
    )
    hidden = (("/messages/0/content/0/input/who", "<P1>"), ("/system", "For <P1>."))
    found = FRONT.read(asked, hidden)

    assert found.messages[0].parts == (Text("For <P1>.", "/system"),)
    assert found.messages[1].parts[0] == ToolCall(
        id="t", name="f", arguments='{"who":"<P1>"}', pointer=AT
    )
    assert "Ada" not in repr(found)
    assert FRONT.read(asked, hidden) == found


def test_what_is_read_is_what_the_vendors_own_wire_would_write() -> None:
    """Read and written again in the same wire, the request means the same."""
    turns = [
        {"role": "user", "content": [
            {"type": "image", "source": PNG},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain",
                                            "data": "hello"}, "title": "T"},
            {"type": "text", "text": "and?"},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "c2VhbGVk"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"n": 12345678901234567890}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True},
        ]},
    ]  # fmt: skip
    more = {
        "system": "Be brief.",
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "description": "d"}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
        "output_config": {
            "effort": "max",
            "format": {"type": "json_schema", "schema": {"type": "object"}},
        },
        "stream": True,
    }
    written = AnthropicMessagesBack().write(read(messages=turns, **more), SENDING)

    assert json.loads(written.body) == {
        "model": "claude-x",
        "max_tokens": 9,
        "messages": turns,
        **more,
    }
    assert written.lossy == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "source", "content", "name", "input", "caller"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=14,
)
TYPES = st.sampled_from(
    ["text", "image", "document", "tool_use", "tool_result", "thinking", "search_result", "odd"]
)


@given(kind=TYPES, block=st.dictionaries(st.sampled_from(
    ["text", "source", "content", "id", "name", "input", "tool_use_id", "citations", "caller",
     "title", "thinking", "signature", "is_error"]), JSON, max_size=6))  # fmt: skip
def test_no_block_is_dropped_in_silence(kind: str, block: dict[str, Any]) -> None:
    """Property: a block is read or named, whatever its shape."""
    try:
        asked = request(block | {"type": kind})
    except InvalidRequest:
        return
    found = FRONT.read(asked, ())

    parts = [part.pointer for part in found.messages[0].parts]
    assert AT in parts or AT in found.not_understood


@given(
    st.dictionaries(
        st.sampled_from(
            ["tools", "tool_choice", "thinking", "metadata", "output_config", "stop_sequences",
             "output_format", "temperature", "top_k", "system", "container"]
        ),
        JSON,
        max_size=5,
    )
)  # fmt: skip
def test_any_setting_is_read_or_refused(more: dict[str, Any]) -> None:
    """Property: odd settings never break the reading of what was taken as a request."""
    try:
        asked = request(**more)
    except InvalidRequest:
        return

    assert FRONT.read(asked, ()) == FRONT.read(asked, ())
