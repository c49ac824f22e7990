"""What wires ask of a JSON schema that an answer must obey."""

from __future__ import annotations

from collections.abc import Mapping

_DEEPEST_SCHEMA = 64


def is_closed(schema: object, depth: int = 0) -> bool:
    """Whether every object of a schema names and requires all that it may hold.

    OpenAI's APIs enforce such a schema strictly and refuse to be strict about any other.
    """
    if depth > _DEEPEST_SCHEMA:
        return False
    if isinstance(schema, list | tuple):
        return all(is_closed(inner, depth + 1) for inner in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties, required = schema.get("properties"), schema.get("required")
        names = set(properties) if isinstance(properties, Mapping) else set()
        demanded = set(required) if isinstance(required, list | tuple) else set()
        if schema.get("additionalProperties") is not False or names != demanded:
            return False
    return all(is_closed(inner, depth + 1) for inner in schema.values())
