"""Marks for a prompt cache: what is read, and what Anthropic's limits leave of them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.conversation import CacheMark, Conversation, Message, Text, ToolResult
from gateway.wire.cache_marks import AnthropicMarks, openai_mark, read_mark, unsaid_caching

SHORT, LASTING = CacheMark(False, "/short"), CacheMark(True, "/lasting")


def mark(pointer: str, *, lasting: bool = False) -> CacheMark:
    """A mark that was read at `pointer`."""
    return CacheMark(lasting, pointer)


@pytest.mark.parametrize(
    ("block", "lasting"),
    [
        ({"cache_control": {"type": "ephemeral"}}, False),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, False),
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, True),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, False),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}, False),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}, True),
    ],
)
def test_both_vendors_marks_are_read(block: dict[str, Any], lasting: bool) -> None:
    found = read_mark(block, "/at")
    assert found == CacheMark(lasting, f"/at/{next(iter(block))}")


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"cache_control": None},
        {"cache_control": {"type": "forever"}},
        {"cache_control": {"type": "ephemeral", "ttl": "2h"}},
        {"prompt_cache_breakpoint": {"mode": "implicit"}},
        {"prompt_cache_breakpoint": "explicit"},
    ],
)
def test_what_is_no_mark_is_not_read(block: dict[str, Any]) -> None:
    assert read_mark(block, "/at") is None


def test_openai_is_told_of_the_longer_life_only() -> None:
    assert openai_mark(None) == {}
    assert openai_mark(SHORT) == {"prompt_cache_breakpoint": {"mode": "explicit"}}
    assert openai_mark(LASTING) == {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}


def test_of_more_than_four_marks_the_latest_are_kept() -> None:
    marks, blocks = AnthropicMarks(), [{"n": index} for index in range(5)]
    for index, block in enumerate(blocks):
        marks.set("messages", block, mark(f"/{index}"))
    assert marks.write(None) == ({}, ["/0"])
    assert ["cache_control" in block for block in blocks] == [False, True, True, True, True]


def test_a_mark_for_the_whole_takes_one_of_the_four() -> None:
    marks, blocks = AnthropicMarks(), [{"n": index} for index in range(4)]
    for index, block in enumerate(blocks):
        marks.set("messages", block, mark(f"/{index}"))
    assert marks.write(SHORT) == ({"cache_control": {"type": "ephemeral"}}, ["/0"])


def test_tools_stand_before_instructions_and_those_before_turns() -> None:
    marks = AnthropicMarks()
    turn, tool, system = ({"is": name} for name in ("turn", "tool", "system"))
    marks.set("messages", turn, mark("/turn", lasting=True))
    marks.set("system", system, mark("/system"))
    marks.set("tools", tool, mark("/tool", lasting=True))
    # No mark may outlive one before it: the turn's is shortened, and named.
    assert marks.write(None) == ({}, ["/turn"])
    assert tool["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert system["cache_control"] == turn["cache_control"] == {"type": "ephemeral"}


def test_twelve_hours_become_one_and_are_named() -> None:
    marks, block = AnthropicMarks(), dict[str, Any]()
    marks.set("messages", block, mark("/at/prompt_cache_breakpoint", lasting=True))
    assert marks.write(None) == ({}, ["/at/prompt_cache_breakpoint"])
    assert block["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


def test_a_wire_without_marks_names_each() -> None:
    result = ToolResult(call_id="c", parts=(Text("a", "/a", mark("/a/m")),), cache=mark("/r/m"))
    conversation = Conversation(
        messages=(Message(role="user", parts=(result,)),), cache_key="k", cache=mark("/whole")
    )
    assert set(unsaid_caching(conversation)) == {"/cache_key", "/whole", "/a/m", "/r/m"}
