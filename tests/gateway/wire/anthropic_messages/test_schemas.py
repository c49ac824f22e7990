"""Which schemas are sent to the Messages API as they are."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.wire.anthropic_messages.schemas import (
    can_hold,
    can_hold_arguments,
    without_idle_limits,
)

CLOSED: dict[str, Any] = {"type": "object", "additionalProperties": False}
SAFE = {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991}


def closed(**properties: Any) -> dict[str, Any]:
    return {**CLOSED, "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    ("schema", "held"),
    [
        (CLOSED, True),
        ({"type": "object"}, False),
        ({"properties": {"a": {"type": "string"}}}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, True),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, False),
        (closed(age={"type": "integer", "minimum": 0}), False),
        (closed(age=SAFE), True),
        (closed(name={"type": "string", "maxLength": 5}), False),
        (closed(name={"type": "string", "pattern": "^a"}), True),
        (closed(minimum={"type": "string"}, oneOf={"type": "string"}), True),
        (closed(a={"enum": [{"minimum": 1}]}, b={"const": {"not": 1}}), True),
        (closed(a={"anyOf": [{"type": "null"}, {"type": "number", "multipleOf": 2}]}), False),
        ({**closed(a={"$ref": "#/$defs/b"}), "$defs": {"b": {"type": "object"}}}, False),
    ],
)
def test_schemas_that_can_be_held(schema: dict[str, Any], held: bool) -> None:
    """Closed objects without limits of size; names of properties are no keywords."""
    assert can_hold(schema) is held


def test_a_schema_that_never_ends_is_not_held() -> None:
    """Depth is bounded."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}

    assert not can_hold(deep)


def test_arguments_need_not_be_closed() -> None:
    """A tool's open object is no reason against strictness, a limit is."""
    assert can_hold_arguments({"type": "object"})
    assert not can_hold_arguments({"properties": {"a": {"type": "integer", "minimum": 1}}})


def test_limits_that_limit_nothing_are_left_out() -> None:
    """Where they are keywords, at any depth; the schema that was given stays as it was."""
    given = closed(age=SAFE, ages={"type": "array", "items": SAFE}, minimum={"default": SAFE})
    kept: Any = without_idle_limits(given)

    assert kept["properties"]["age"] == {"type": "integer"}
    assert kept["properties"]["ages"] == {"type": "array", "items": {"type": "integer"}}
    assert kept["properties"]["minimum"] == {"default": SAFE}
    assert given["properties"]["age"] == SAFE


def test_real_limits_are_kept() -> None:
    """A limit of its own meaning is never taken away."""
    schema = closed(age={"type": "integer", "minimum": 0, "maximum": 9007199254740991})

    assert without_idle_limits(schema) == closed(age={"type": "integer", "minimum": 0})
