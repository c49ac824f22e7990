"""What the difficulty model sees of tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.classify.difficulty_tools import (
    MOST_TOOLS,
    MOST_WRITTEN,
    TOOL_SCALARS,
    read_tools,
    tools_of,
)

ASK = "Book a table in Lyon for 4 people on 2026-03-01, and one at 19.5 degrees."
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "The city, for example Paris"},
        "people": {"type": "integer", "default": 2},
        "warmth": {"type": "number"},
        "dates": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["city", "people"],
}
BOOK = {"name": "book_table", "description": "Books a table for people.", "parameters": SCHEMA}
SAIL = {"name": "sail", "description": "Sails away.", "parameters": {"type": "object"}}
OTHER_DIALECT = {
    **SCHEMA,
    "properties": {
        "city": {"type": "String", "description": "The city, for example Paris"},
        "people": {"type": "int", "default": 2},
        "warmth": {"type": "float"},
        "dates": {"type": "ArrayList", "items": {"type": "str"}},
    },
}


def told(prompt: str, stated: Any = None) -> dict[str, float]:
    """What is counted, by name."""
    raw = b"" if stated is None else json.dumps(stated).encode()
    return dict(zip(TOOL_SCALARS, read_tools(prompt, raw).tolist(), strict=True))


def test_what_has_to_be_filled_in_is_counted() -> None:
    """Kinds of parameters, what their descriptions ask for, and the ask's numbers and dates."""
    seen = told(ASK, [BOOK])

    assert (seen["parameters"], seen["required"], seen["optional"]) == (4, 2, 2)
    assert [seen[kind] for kind in ("string", "integer", "number", "array")] == [1, 1, 1, 1]
    assert (seen["lists_of_string"], seen["defaults"], seen["examples"]) == (1, 1, 1)
    assert (seen["asked_dates"], seen["asked_fractions"], seen["asked_ands"]) == (1, 1, 1)


def test_every_api_says_the_same() -> None:
    """Chat completions, responses and messages bring the same tools in different forms."""
    chat = [{"type": "function", "function": BOOK}]
    responses = [{"type": "function", **BOOK}]
    messages = [{"name": BOOK["name"], "description": BOOK["description"], "input_schema": SCHEMA}]
    seen = [told(ASK, stated) for stated in (chat, responses, messages)]
    for one in seen:
        one.pop("length")
        one.pop("tools_length")

    assert seen[0] == seen[1] == seen[2]
    other = told(ASK, [{**BOOK, "parameters": OTHER_DIALECT}])
    assert {name: other[name] for name in ("string", "integer", "number", "array")} == {
        name: seen[0][name] for name in ("string", "integer", "number", "array")
    }


def test_the_tool_that_the_ask_is_about_is_looked_at() -> None:
    """Wherever it stands among the others."""
    for stated in ([BOOK, SAIL], [SAIL, BOOK]):
        assert told(ASK, stated)["parameters"] == 4
        assert told("Sail away with me", stated)["parameters"] == 0


def test_tools_written_out_after_the_ask_are_read() -> None:
    """As logs of requests have them; a single one need not stand in a list."""
    stated = told(ASK, BOOK)
    written = told(f"{ASK}\n\nTools: {json.dumps(BOOK)}")

    assert {**written, "length": 0, "tools_length": 0} == {**stated, "length": 0, "tools_length": 0}


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "{",
        "[1, null]",
        '[{"name": 3}]',
        '"book"',
        '[{"name": "x", "parameters": []}]',
        "\udc80",
    ],
)
def test_what_is_no_tool_counts_for_nothing(stated: str) -> None:
    """Neither in the field nor in the prompt."""
    raw = stated.encode("utf-8", "surrogatepass")

    assert not read_tools(ASK, raw).any()
    assert not read_tools(f"{ASK}\n\nTools: {stated}", b"").any()


def test_no_more_is_read_than_is_good() -> None:
    """Of many tools the first ones, of a long ask its beginning, and no endless list in a text."""
    assert len(tools_of(json.dumps([BOOK] * 100).encode())) == MOST_TOOLS
    assert told("and " * 100_000, [BOOK])["asked_ands"] < 2_000
    assert not read_tools(f"{ASK}\n\nTools: {json.dumps([BOOK])}{' ' * MOST_WRITTEN}", b"").any()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "function", "parameters", "input_schema", "properties", "required", "type",
                 "items", "description", "enum", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(JSON, st.text(max_size=60))
def test_any_json_is_read_without_an_error(stated: Any, prompt: str) -> None:
    """Whatever a client sends there are as many finite numbers."""
    seen = told(prompt, stated)

    assert len(seen) == len(TOOL_SCALARS)
    assert all(value == value and abs(value) < 1e12 for value in seen.values())
