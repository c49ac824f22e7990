"""Requests are read into calls, or refused with the field that is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.ctransformers.chat_call import CallRefused, ChatCall, read_call
from adapters.ctransformers.settings import WorkerSettings

DEFAULTS = WorkerSettings(model_name="m", model_path="m.gguf", temperature=0.3, top_k=7)


def read(**fields: Any) -> ChatCall:
    """The call of a request with one user message and these fields."""
    body = {"messages": [{"role": "user", "content": "x"}], **fields}
    return read_call(json.dumps(body).encode(), DEFAULTS)


def test_what_the_caller_leaves_out_comes_from_the_deployment() -> None:
    """Sampling defaults are the deployment's; a null counts as left out."""
    call = read(top_p=0.5, temperature=None)

    assert (call.sampling.temperature, call.sampling.top_p, call.sampling.top_k) == (0.3, 0.5, 7)
    assert (call.choices, call.stream, call.output_cap, call.stop) == (1, False, None, ())


def test_the_lower_of_two_output_caps_counts() -> None:
    """`max_tokens` and `max_completion_tokens` both bound the answer."""
    assert read(max_tokens=9, max_completion_tokens=5).output_cap == 5
    assert read(max_tokens=3, max_completion_tokens=5).output_cap == 3


def test_text_parts_are_joined() -> None:
    """Content parts become one text, refusals of earlier answers included."""
    parts = [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]

    call = read(messages=[{"role": "assistant", "content": parts}, {"role": "user"}])

    assert [message["content"] for message in call.messages] == ["a\nb", ""]


def test_tools_are_shown_unless_the_caller_forbids_them() -> None:
    """tool_choice none hides the tools, auto shows them, a name forces one."""
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]

    assert read(tools=tools).forced == ()
    assert len(read(tools=tools).tools) == 2
    assert read(tools=tools, tool_choice="none").tools == ()
    assert [tool.name for tool in read(tools=tools, tool_choice="required").forced] == ["a", "b"]
    named = {"type": "function", "function": {"name": "b"}}
    assert [tool.name for tool in read(tools=tools, tool_choice=named).forced] == ["b"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000, b'{"a": "\xff"}', b"nul"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """Broken, deeply nested and ill-encoded bodies are 400."""
    with pytest.raises(CallRefused) as refused:
        read_call(body, DEFAULTS)

    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"role": "alien", "content": "x"}]}, "messages.0"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages.0.content.0"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "x"},
                            {"type": "image_url", "image_url": {"url": "data:,"}},
                        ],
                    }
                ]
            },
            "messages.0.content.1",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [5]}]},
            "messages.0.tool_calls",
        ),
        ({"n": 9}, "n"),
        ({"n": 1.5}, "n"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": 1.5}, "seed"),
        ({"stream": 1}, "stream"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": 5}, "stop"),
        ({"logit_bias": {"a": 1}}, "logit_bias"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"modalities": 5}, "modalities"),
        ({"response_format": {"type": "yaml"}}, "response_format"),
        ({"response_format": "json"}, "response_format"),
        ({"tools": [{"type": "function"}]}, "tools.0"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"function": {"name": "x"}}}, "tool_choice"),
        ({"tool_choice": 5}, "tool_choice"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    """Every refusal says which field is wrong, in words that quote no content."""
    with pytest.raises(CallRefused) as refused:
        read(**fields)

    assert refused.value.param == param
    assert json.loads(refused.value.body())["error"]["message"]
