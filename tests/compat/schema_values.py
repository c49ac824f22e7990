"""JSON that fits a schema, made of the words and numbers of what was said."""

from __future__ import annotations

import re
from typing import Any

_PROPER = r"[A-Z][\w'’-]*(?:(?:,\s|\s)[A-Z][\w'’-]*)*"
_PLACE = re.compile(rf"\b(?:in|of|for|at|to|and|named|called)\s+({_PROPER})")
_CAPITALISED = re.compile(rf"\b{_PROPER}")
_QUOTED = re.compile(r"""(?<!\w)['"‘“`]([^'"’”`\n]{1,80})['"’”`]""")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_OPENERS = frozenset(
    "a an the what whats who where when which why how tell use using give make create call extract "
    "return please hello hi i is are was you and or write look find get answer only it then do "
    "describe now reply say json compute".split()
)
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 12


def places(said: str) -> list[str]:
    """Proper names that stand behind a preposition or an `and`, in order."""
    found = [match.strip(" ,.") for match in _PLACE.findall(said)]
    return [name for name in dict.fromkeys(found) if name.lower() not in _OPENERS]


def _names(said: str) -> list[str]:
    quoted = _QUOTED.findall(said)
    capitalised = [
        name for name in _CAPITALISED.findall(said) if name.split()[0].lower() not in _OPENERS
    ]
    return list(dict.fromkeys([*quoted, *places(said), *capitalised]))


def _numbers(said: str) -> list[float]:
    return [float(found) for found in _NUMBER.findall(said)]


def value_for(schema: dict[str, Any], said: str, *, optional: bool = False) -> Any:
    """A value that fits the schema.

    Args:
        schema: a JSON schema; `$ref` into its own `$defs` or `definitions` is followed.
        said: the text whose names and numbers are used, each once and in order.
        optional: whether properties that are not required are filled too.
    """
    return _Filling(schema, said, optional).fill(schema, 0, "value")


class _Filling:
    """One document being filled: what was said is used up as it goes."""

    def __init__(self, root: dict[str, Any], said: str, optional: bool) -> None:
        self._root = root
        self._said = said
        self._optional = optional
        self._names = _names(said)
        self._numbers = _numbers(said)

    def fill(self, schema: dict[str, Any], depth: int, name: str) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._member(schema["enum"])
        kind = schema.get("type") or ("object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth, name)
            case "integer":
                return int(self._number(schema))
            case "number":
                return self._number(schema)
            case "boolean":
                return True
            case "null":
                return None
        return self._text(schema, name)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                target: Any = self._root
                for step in schema["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
                schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((one for one in options if one.get("type") != "null"), options[0])
            elif parts := schema.get("allOf"):
                schema = {key: part[key] for part in parts for key in part}
            else:
                break
        return schema

    def _member(self, members: list[Any]) -> Any:
        said = self._said.lower()
        return next((one for one in members if str(one).lower() in said), members[0])

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = set(schema.get("required") or ())
        filled = {}
        for name, part in (schema.get("properties") or {}).items():
            wanted = name in required or (self._optional and depth < _DEEPEST)
            if wanted:
                filled[name] = self.fill(part, depth + 1, name)
        return filled

    def _array(self, schema: dict[str, Any], depth: int, name: str) -> list[Any]:
        items = schema.get("items") or {}
        least = schema.get("minItems") or 0
        if depth >= _DEEPEST:
            return []
        count = max(least, 1)
        numeric = [
            part
            for part in (self._resolved(items).get("properties") or {}).values()
            if part.get("type") in ("integer", "number")
        ]
        if numeric:
            count = max(count, len(self._numbers) // len(numeric))
        elif self._resolved(items).get("type") == "string":
            count = max(count, len(self._names))
        count = min(count, schema.get("maxItems") or count)
        return [self.fill(items, depth + 1, name) for _ in range(count)]

    def _number(self, schema: dict[str, Any]) -> float:
        found = self._numbers.pop(0) if self._numbers else 1.0
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is not None and found < low:
            found = low + ("exclusiveMinimum" in schema)
        if high is not None and found > high:
            found = high - ("exclusiveMaximum" in schema)
        return found

    def _text(self, schema: dict[str, Any], name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._names.pop(0) if self._names else f"{name.replace('_', ' ')} of the answer"
        return text.ljust(schema.get("minLength") or 0, ".")[: schema.get("maxLength")]
