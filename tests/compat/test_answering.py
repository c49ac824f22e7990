"""The answering upstream must really do what it is asked, or the runs of clients prove nothing."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import jsonschema
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat import chat_upstream, messages_upstream, responses_upstream
from tests.compat.answering import Asked, Refused, Tool, answer, pieces
from tests.compat.answering_upstream import play
from tests.compat.schema_values import value_for
from tests.e2e.backstage import upstream_thread

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("get_weather", "The weather of a city.", CITY)
MAGIC = Tool(
    "magic_function",
    "Applies magic.",
    {"type": "object", "properties": {"input": {"type": "integer"}}, "required": ["input"]},
)


def calls(asked: Asked) -> list[tuple[str, Any]]:
    return [(name, json.loads(arguments)) for _, name, arguments in answer(asked).calls]


@pytest.mark.parametrize(
    ("said", "choice", "expected"),
    [
        ("What is the weather in Paris?", "auto", [("get_weather", {"city": "Paris"})]),
        (
            "The weather in Paris and in San Francisco, CA?",
            "auto",
            [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "San Francisco, CA"})],
        ),
        ("What is magic_function(3)?", "auto", [("magic_function", {"input": 3})]),
        ("Hello", "auto", []),
        ("What is the weather in Paris?", "none", []),
        ("Hello, I have 7 cats", "magic_function", [("magic_function", {"input": 7})]),
    ],
    ids=["one", "parallel", "named", "none fits", "forbidden", "forced"],
)
def test_the_right_tool_is_called_with_what_was_said(
    said: str, choice: str, expected: list[tuple[str, Any]]
) -> None:
    """The prompt chooses the tool and gives its arguments; the choice of the request binds."""
    assert calls(Asked(said=said, choice=choice, tools=[WEATHER, MAGIC])) == expected


def test_parallel_calls_are_made_only_where_they_are_allowed() -> None:
    """One call where the request wants no more."""
    asked = Asked(said="The weather in Paris and in Rome?", tools=[WEATHER], parallel=False)

    assert calls(asked) == [("get_weather", {"city": "Paris"})]


def test_a_result_is_used_instead_of_calling_again() -> None:
    """After a tool's result the answer is text that holds it."""
    told = answer(
        Asked(said="The weather in Paris?", tools=[WEATHER], results=[("get_weather", "rain")])
    )

    assert told.calls == ()
    assert "rain" in told.text


def test_a_required_call_is_one_that_was_not_made_yet() -> None:
    """With a result there, the tool that ends the conversation is called."""
    final = Tool("final_result", "The final response.", CITY)
    asked = Asked(
        said="The weather in Paris?",
        tools=[WEATHER, final],
        choice="required",
        results=[("get_weather", "rain")],
    )

    assert [name for name, _ in calls(asked)] == ["final_result"]


@pytest.mark.parametrize(
    ("asked", "text", "finish"),
    [
        (Asked(said="one two three", cap=3), "Certainly. The last", "length"),
        (Asked(said="one two three", stop=["two"]), 'message was: "one ', "stop"),
    ],
    ids=["cap", "stop"],
)
def test_an_answer_ends_where_it_must(asked: Asked, text: str, finish: str) -> None:
    """Caps and stop strings hold."""
    told = answer(asked)

    assert told.text.endswith(text)
    assert told.finish == finish


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Return JSON with 'setup' and 'end' keys, as {\"type\": \"object\"}", {"setup", "end"}),
        (f"Answer in JSON that fits {json.dumps(CITY)}", {"city"}),
        ("Reply with JSON", {"answer"}),
    ],
    ids=["keys", "schema", "nothing named"],
)
def test_json_is_given_where_the_prompt_asks_for_it(said: str, expected: set[str]) -> None:
    """The keys are those of the schema in the prompt, or those that it names."""
    assert set(json.loads(answer(Asked(said=said)).text)) == expected


_LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 3, "maxLength": 9},
        {"type": "integer", "minimum": 5, "maximum": 9},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "null"},
        {"enum": ["red", "green"]},
        {"const": 4},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        {"$ref": "#/$defs/leaf"},
    ]
)
_SCHEMAS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items, "minItems": 2}, inner),
        st.builds(
            lambda parts: {"type": "object", "properties": parts, "required": list(parts)},
            st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        ),
    ),
    max_leaves=6,
)


@given(_SCHEMAS, st.text(max_size=60), st.booleans())
def test_a_value_fits_its_schema(schema: dict[str, Any], said: str, optional: bool) -> None:
    """Whatever was said."""
    rooted = {**schema, "$defs": {"leaf": {"type": "string", "enum": ["leaf"]}}}
    made = value_for(rooted, said, optional=optional)

    jsonschema.validate(made, rooted)


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    """Streams lose nothing, but for a text of nothing but spaces at its end."""
    assert "".join(pieces(text)) == text


TOOL_RESULT_OF_NOTHING: dict[str, Any] = {"role": "tool", "tool_call_id": "x", "content": "y"}


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (chat_upstream.read, {"messages": [TOOL_RESULT_OF_NOTHING]}),
        (chat_upstream.read, {"messages": [], "max_output_tokens": 5}),
        (messages_upstream.read, {"messages": [{"role": "system", "content": "x"}]}),
        (messages_upstream.read, {"messages": [{"role": "assistant", "content": "x"}]}),
        (
            messages_upstream.read,
            {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]},
        ),
        (
            responses_upstream.read,
            {"input": [{"type": "function_call_output", "call_id": "x", "output": "y"}]},
        ),
        (responses_upstream.read, {"input": "x", "messages": []}),
    ],
)
def test_what_the_vendor_refuses_is_refused(read: Any, body: dict[str, Any]) -> None:
    """A translation that a vendor would not take must not pass here either."""
    with pytest.raises(Refused):
        read(
            {"model": "m", "max_tokens": 5, **body}
            if read is messages_upstream.read
            else {"model": "m", **body}
        )


def test_the_official_clients_understand_every_wire() -> None:
    """Text and a tool call, whole and streamed, on all three wires."""
    tool: Any = {"name": "get_weather", "description": "The weather of a city."}
    asked: Any = [{"role": "user", "content": "What is the weather in Paris?"}]
    with upstream_thread(play) as upstream:
        chat = openai.OpenAI(base_url=f"{upstream.url}/v1", api_key="x", max_retries=0)
        claude = anthropic.Anthropic(base_url=upstream.url, api_key="x", max_retries=0)
        called = chat.chat.completions.create(
            model="m",
            messages=asked,
            tools=[{"type": "function", "function": {**tool, "parameters": CITY}}],
        )
        with claude.messages.stream(
            model="m", max_tokens=50, messages=asked, tools=[{**tool, "input_schema": CITY}]
        ) as streamed:
            used = streamed.get_final_message().content[-1]
        responded = chat.responses.create(
            model="m", input=asked, tools=[{"type": "function", **tool, "parameters": CITY}]
        )
        said = chat.responses.create(model="m", input="Hello there").output_text

    function: Any = called.choices[0].message.tool_calls
    assert json.loads(function[0].function.arguments) == {"city": "Paris"}
    assert used.type == "tool_use"
    assert used.input == {"city": "Paris"}
    assert responded.output[-1].type == "function_call"
    assert "Hello there" in said
