"""Which JSON schemas the Messages API can be held to; it answers 400 to any other.

It enforces the shape and refuses limits of size and range ("For 'integer' type, property 'minimum'
is not supported"), as its official SDKs know, which take such keywords out of a schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_DEEPEST = 64
#: Keywords that are refused.
_REFUSED = frozenset(
    "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems "
    "uniqueItems contains prefixItems minProperties maxProperties patternProperties propertyNames "
    "dependentRequired dependentSchemas unevaluatedProperties oneOf not if then else".split()
)
#: Keywords whose values are schemas by name, and those whose values are no schemas at all.
_NAMED = frozenset({"properties", "$defs", "definitions"})
_LITERAL = frozenset({"enum", "const", "default", "examples", "required", "description", "title"})
#: Limits that JavaScript's schema libraries write for every integer, and that limit nothing.
_IDLE_LIMITS: Mapping[str, int] = {"minimum": -(2**53 - 1), "maximum": 2**53 - 1}


def can_hold(schema: Mapping[str, object]) -> bool:
    """Whether the API enforces a schema for answers, idle limits taken out."""
    return not any(_refusals(schema, 0))


def can_hold_arguments(schema: Mapping[str, object]) -> bool:
    """The same for the arguments of a tool, whose objects need not be closed here."""
    return not any(found != "additionalProperties" for found in _refusals(schema, 0))


def without_idle_limits(schema: object, depth: int = 0) -> object:
    """The schema without limits that no JSON number of a client crosses; the given one stays."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return schema
    kept: dict[str, object] = {}
    for key, inner in schema.items():
        if _is_idle(key, inner):
            continue
        if key in _NAMED and isinstance(inner, Mapping):
            kept[key] = {name: without_idle_limits(one, depth + 1) for name, one in inner.items()}
        elif key in _LITERAL:
            kept[key] = inner
        elif isinstance(inner, list | tuple):
            kept[key] = [without_idle_limits(one, depth + 1) for one in inner]
        else:
            kept[key] = without_idle_limits(inner, depth + 1)
    return kept


def _refusals(schema: object, depth: int) -> Iterator[str]:
    """Keywords for which the API would refuse the schema."""
    if not isinstance(schema, Mapping):
        return
    if depth > _DEEPEST:
        yield "depth"
        return
    is_object = schema.get("type") == "object" or "properties" in schema
    if is_object and schema.get("additionalProperties") is not False:
        yield "additionalProperties"
    for key, inner in schema.items():
        least = inner if key == "minItems" and isinstance(inner, int) else 0
        if (key in _REFUSED and not _is_idle(key, inner)) or least > 1:
            yield key
        elif key in _NAMED and isinstance(inner, Mapping):
            for one in inner.values():
                yield from _refusals(one, depth + 1)
        elif key not in _LITERAL:
            for one in inner if isinstance(inner, list | tuple) else (inner,):
                yield from _refusals(one, depth + 1)


def _is_idle(key: str, limit: object) -> bool:
    return key in _IDLE_LIMITS and limit == _IDLE_LIMITS[key] and not isinstance(limit, bool)
