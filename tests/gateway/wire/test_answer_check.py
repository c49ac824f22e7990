"""JSON is found in a model's words and checked, at a bounded cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.answer_check import LONGEST_PROBLEM, json_inside, problem_with

AGE: dict[str, Any] = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"age": 1}', '{"age": 1}'),
        ('  {"age": 1}\n', '{"age": 1}'),
        ('```json\n{"age": 1}\n```', '{"age": 1}'),
        ("```\n[1]\n```", "[1]"),
        ('Here you are: {"age": 1}. Anything else?', '{"age": 1}'),
        ("7", "7"),
        ("no", None),
        ("", None),
        ('{"age": ', None),
        ("[" * 100_000, None),
    ],
)
def test_the_json_in_a_models_words(text: str, found: str | None) -> None:
    """Fences and talk around a document are left out; its own spelling is kept."""
    assert json_inside(text) == found


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No text makes the search fail."""
    found = json_inside(text)

    assert found is None or found in text


@pytest.mark.parametrize(
    ("document", "schema", "problem"),
    [
        ('{"age": 1}', AGE, ""),
        ("{}", AGE, "'age' is a required property"),
        ('{"age": "x"}', AGE, "at /age: 'x' is not of type 'integer'"),
        ('{"age": 1, "b": 2}', AGE, "the property 'b' is not allowed"),
        ('{"a1": 1}', {"patternProperties": {"^a": {"type": "string"}}}, "is not of type 'string'"),
        (
            '{"b1": 1}',
            {"patternProperties": {"^a": {}}, "additionalProperties": {"type": "string"}},
            "is not of type 'string'",
        ),
        ('"b"', {"pattern": "^a"}, "does not match"),
        ('"b"', {"pattern": "(?=b)b"}, ""),
        ("1", {"type": 5}, "not a valid JSON schema"),
        ("1", {"$ref": "#/$defs/n", "$defs": {"n": {"type": "string"}}}, "not of type 'string'"),
        ("1", {"$ref": "http://127.0.0.1:1/s.json"}, "outside itself"),
        ("1", {"$ref": "#"}, "too much work"),
    ],
)
def test_what_is_wrong_with_a_document(document: str, schema: dict[str, Any], problem: str) -> None:
    """The mistake is told with its place; what cannot be checked is not accepted."""
    told = problem_with(document, schema)

    assert problem in told
    assert bool(told) is bool(problem)
    assert len(told) <= LONGEST_PROBLEM


def test_a_pattern_that_backtracks_costs_nothing() -> None:
    """A pattern that takes exponential time elsewhere is matched in linear time."""
    schema = {"pattern": "^(a+)+$", "patternProperties": {"^(a+)+$": {}}}

    assert "does not match" in problem_with('"' + "a" * 200 + '!"', schema)


def test_a_schema_that_doubles_at_each_step_is_given_up() -> None:
    """Thirty references, each twice, would be a thousand million checks."""
    steps = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(30)}
    schema = {"$ref": "#/$defs/s0", "$defs": {**steps, "s30": {}}}

    assert "too much work" in problem_with("1", schema)
