"""Tool calls: what gateways lost, joined or invented between two wires."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.regressions.wires import (
    CHAT,
    DONE,
    END,
    MESSAGES,
    anthropic_stream,
    blocks,
    bridge,
    calls,
    chunk,
    deltas,
    encoded,
    event,
    request,
    streamed,
)

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def call(
    index: int | None, call_id: str = "", name: str = "", arguments: str = ""
) -> dict[str, Any]:
    function = {key: text for key, text in (("name", name), ("arguments", arguments)) if text}
    made: dict[str, Any] = {"function": function}
    if call_id:
        made |= {"id": call_id, "type": "function"}
    if index is not None:
        made["index"] = index
    return made


def tool_block(index: int, call_id: str, pieces: list[str]) -> list[bytes]:
    block = {"type": "tool_use", "id": call_id, "name": "f", "input": {}}
    return [
        event("content_block_start", index=index, content_block=block),
        *(
            event(
                "content_block_delta",
                index=index,
                delta={"type": "input_json_delta", "partial_json": piece},
            )
            for piece in pieces
        ),
        event("content_block_stop", index=index),
    ]


def asked_before(*tool_calls: dict[str, Any], results: int = 1) -> list[dict[str, Any]]:
    told = [
        {"role": "tool", "tool_call_id": one["id"], "content": "42"} for one in tool_calls[:results]
    ]
    return [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": list(tool_calls)},
        *told,
        {"role": "user", "content": "and now?"},
    ]


def past_call(call_id: str, arguments: str = "{}", name: str = "f") -> dict[str, Any]:
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def test_indexes_count_tool_calls_and_not_content_blocks() -> None:
    """Text in block 0 does not make the first call number 1."""
    text = [
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Let me see."}),
        event("content_block_stop", index=0),
    ]
    inner = [*text, *tool_block(1, "a", ['{"x"', ": 1}"]), *tool_block(2, "b", ['{"x": 2}'])]
    passed, _ = streamed(anthropic_stream(*inner, stop="tool_use"), "anthropic_messages")

    found = calls(passed)
    assert sorted(found) == [0, 1]
    assert [json.loads(found[n]["arguments"]) for n in (0, 1)] == [{"x": 1}, {"x": 2}]
    assert [found[n]["id"] for n in (0, 1)] == ["a", "b"]


def test_a_missing_index_does_not_merge_two_calls() -> None:
    """Servers that leave the index out tell calls apart by their ids."""
    stream = [
        chunk({"tool_calls": [call(None, "a", "f", '{"x":1}')]}),
        chunk({"tool_calls": [call(None, "b", "f", '{"x":2}')]}),
        chunk({}, "tool_calls"),
        DONE,
    ]
    passed, _ = streamed(stream, "openai_chat", MESSAGES)

    assert [(b["id"], json.loads(b["json"])) for b in blocks(passed)] == [
        ("a", {"x": 1}),
        ("b", {"x": 2}),
    ]


def test_arguments_cut_inside_an_escape_are_joined_unharmed() -> None:
    """Pieces are text of a JSON document, not documents."""
    arguments = json.dumps({"text": 'quote " and \\ and \u00e9 and \U0001f600'})
    for cut in range(1, len(arguments)):
        stream = [
            chunk({"tool_calls": [call(0, "a", "f")]}),
            chunk({"tool_calls": [call(0, arguments=arguments[:cut])]}),
            chunk({"tool_calls": [call(0, arguments=arguments[cut:])]}),
            chunk({}, "tool_calls"),
            DONE,
        ]
        passed, _ = streamed(stream, "openai_chat", MESSAGES)

        assert blocks(passed)[0]["json"] == arguments


@pytest.mark.parametrize("arguments", ["", "{}"])
def test_a_call_without_arguments_is_a_call_with_an_empty_object(arguments: str) -> None:
    """An empty text is no JSON: a client that parses it must not crash."""
    stream = [chunk({"tool_calls": [call(0, "a", "f", arguments)]}), chunk({}, "tool_calls"), DONE]
    passed, _ = streamed(stream, "openai_chat", MESSAGES)

    (block,) = blocks(passed)
    assert json.loads(block["json"] or "{}") == {}
    assert block["input"] == {}


def test_a_call_without_arguments_in_an_anthropic_stream_is_parsable() -> None:
    """No input delta at all becomes an empty object for OpenAI's clients."""
    passed, _ = streamed(
        anthropic_stream(*tool_block(0, "a", []), stop="tool_use"), "anthropic_messages"
    )

    assert json.loads(calls(passed)[0]["arguments"] or "{}") == {}


def test_empty_arguments_in_the_history_become_an_object() -> None:
    """Anthropic refuses an input that is no object."""
    asked = request(tools=[TOOL], messages=asked_before(past_call("a", "")))
    body, _ = encoded(asked, "anthropic_messages")

    assert body["messages"][1]["content"][0]["input"] == {}


def test_two_calls_in_one_delta_are_two_calls() -> None:
    """Whole calls side by side in a single chunk."""
    both = [call(0, "a", "f", '{"x":1}'), call(1, "b", "f", '{"x":2}')]
    stream = [chunk({"tool_calls": both}), chunk({}, "tool_calls"), DONE]
    passed, _ = streamed(stream, "openai_chat", MESSAGES)

    assert [(b["id"], json.loads(b["json"])) for b in blocks(passed)] == [
        ("a", {"x": 1}),
        ("b", {"x": 2}),
    ]


def test_interleaved_argument_pieces_find_their_calls() -> None:
    """Parallel calls whose pieces alternate are not glued together."""
    stream = [
        chunk({"tool_calls": [call(0, "a", "f"), call(1, "b", "f")]}),
        chunk({"tool_calls": [call(0, arguments='{"x"')]}),
        chunk({"tool_calls": [call(1, arguments='{"y"')]}),
        chunk({"tool_calls": [call(0, arguments=":1}"), call(1, arguments=":2}")]}),
        chunk({}, "tool_calls"),
        DONE,
    ]
    passed, _ = streamed(stream, "openai_chat", MESSAGES)

    assert [json.loads(b["json"]) for b in blocks(passed)] == [{"x": 1}, {"y": 2}]


def test_content_null_beside_tool_calls_is_no_empty_text() -> None:
    """Anthropic refuses empty text blocks; null is not the word "None"."""
    asked = request(tools=[TOOL], messages=asked_before(past_call("a")))
    body, sent = encoded(asked, "anthropic_messages")

    assert [b["type"] for b in body["messages"][1]["content"]] == ["tool_use"]
    assert "None" not in json.dumps(body)
    assert sent.lossy == ()


def test_content_null_in_an_answer_stays_null() -> None:
    """A whole answer that is only tool calls has no text for OpenAI's clients."""
    answer = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    reply = bridge("anthropic_messages").reply(request(), json.dumps(answer).encode())

    (choice,) = json.loads(reply.body)["choices"]
    assert choice["message"]["content"] is None
    assert choice["finish_reason"] == "tool_calls"


def test_a_result_without_its_call_is_sent_and_not_dropped() -> None:
    """The backend says what it thinks of it; the gateway neither crashes nor hides it."""
    messages = [
        {"role": "user", "content": "go"},
        {"role": "tool", "tool_call_id": "lost", "content": "42"},
    ]
    body, _ = encoded(request(messages=messages), "anthropic_messages")

    results = [
        b for turn in body["messages"] for b in turn["content"] if b["type"] == "tool_result"
    ]
    assert [one["tool_use_id"] for one in results] == ["lost"]


def test_a_call_without_its_result_is_sent_too() -> None:
    """A history that was cut is the client's business."""
    asked = request(tools=[TOOL], messages=asked_before(past_call("a"), past_call("b"), results=1))
    body, _ = encoded(asked, "anthropic_messages")

    assert [b["id"] for b in body["messages"][1]["content"]] == ["a", "b"]


def test_duplicate_call_ids_keep_both_calls() -> None:
    """Servers that number calls anew in each turn repeat ids."""
    asked = request(
        tools=[TOOL],
        messages=[
            *asked_before(past_call("call_0", '{"x":1}')),
            *asked_before(past_call("call_0")),
        ],
    )
    body, _ = encoded(asked, "anthropic_messages")

    uses = [b for t in body["messages"] for b in t["content"] if b["type"] == "tool_use"]
    assert [one["input"] for one in uses] == [{"x": 1}, {}]


def test_very_long_tool_names_are_not_cut_in_silence() -> None:
    """A name that is shortened no longer finds its function."""
    name = "mcp__" + "very_long_server_name__" * 5
    tool = {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    body, _ = encoded(request(tools=[tool]), "anthropic_messages")

    assert body["tools"][0]["name"] == name


def test_ids_that_anthropic_refuses_still_match_their_results() -> None:
    """Whatever becomes of an odd id, call and result agree on it."""
    asked = request(tools=[TOOL], messages=asked_before(past_call("call:1/odd id")))
    body, _ = encoded(asked, "anthropic_messages")

    use = body["messages"][1]["content"][0]
    result = body["messages"][2]["content"][0]
    assert use["id"] == result["tool_use_id"]


def test_a_finish_reason_of_stop_after_tool_calls_is_passed_as_it_came() -> None:
    """Same wire: nothing is corrected on the way."""
    stream = [chunk({"tool_calls": [call(0, "a", "f", "{}")]}), *END]
    passed, _ = streamed(stream, "openai_chat", CHAT)

    assert passed == b"".join(stream)
    assert deltas(passed)[0]["tool_calls"][0]["id"] == "a"
