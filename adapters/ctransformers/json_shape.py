"""Compiles a JSON Schema into the shapes that generated JSON is held to.

The subset is what structured-output clients send: object, array, string, number, integer,
boolean, null, enum, const, anyOf (oneOf is read the same way), $ref with recursion, and bounds.
Annotations are ignored; a keyword that would be silently broken is refused. Shapes are at most
as wide as the schema: objects with declared properties get no others, and every list, string and
number is bounded so that generation ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec

#: Bounds where the schema sets none: characters, entries, nested levels of free JSON.
LONGEST_STRING = 8192
LONGEST_KEY = 64
MOST_ITEMS = 256
MOST_FREE_KEYS = 64
FREE_DEPTH = 8
#: Most places of a schema that are compiled; more is taken for a mistake or an attack.
MOST_SHAPES = 20_000
_DEEPEST = 64

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "description"}
    | {"default", "examples", "deprecated", "readOnly", "writeOnly", "format", "strict"}
    | {"contentEncoding", "contentMediaType", "discriminator", "nullable"}
)
_KEYWORDS: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
    "boolean": frozenset(),
    "null": frozenset(),
}


class UnsupportedSchema(ValueError):
    """The schema cannot be followed; `pointer` says where, the message why."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer or "/"


# Shapes are compared by identity: they are hashed for every byte, and may be large.


class Literals(msgspec.Struct, frozen=True, eq=False):
    """One of these exact JSON texts."""

    texts: tuple[bytes, ...]


class Text(msgspec.Struct, frozen=True, eq=False):
    """A string; lengths in characters."""

    shortest: int = 0
    longest: int = LONGEST_STRING


class Number(msgspec.Struct, frozen=True, eq=False):
    """A number between bounds (None for no bound); `open_` ends are not part of the range."""

    whole: bool = False
    least: Fraction | None = None
    most: Fraction | None = None
    open_least: bool = False
    open_most: bool = False


class Array(msgspec.Struct, frozen=True, eq=False):
    """A list of one kind of entry."""

    items: Shape
    fewest: int = 0
    most: int = MOST_ITEMS


class Object(msgspec.Struct, frozen=True, eq=False):
    """Declared properties in any order, or, when there are none, free keys of shape `extra`."""

    properties: tuple[tuple[str, Shape], ...] = ()
    required: frozenset[str] = frozenset()
    extra: Shape | None = None


class Either(msgspec.Struct, frozen=True, eq=False):
    """One of several shapes."""

    options: tuple[Shape, ...]


class Free(msgspec.Struct, frozen=True, eq=False):
    """Any JSON, nested at most `depth` levels deep."""

    depth: int = FREE_DEPTH


class Reference(msgspec.Struct, frozen=True, eq=False):
    """A shape by its place in the schema."""

    pointer: str


Shape = Literals | Text | Number | Array | Object | Either | Free | Reference


class Document(msgspec.Struct, frozen=True):
    """A compiled schema: the shape of the whole, and those that references lead to."""

    root: Shape
    places: Mapping[str, Shape]


def compile_schema(schema: Mapping[str, Any] | bool) -> Document:
    """Compile a JSON Schema.

    Raises:
        UnsupportedSchema: it is not valid, or asks for what cannot be guaranteed.
    """
    return _Compiler(schema).document()


class _Compiler:
    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._places: dict[str, Shape] = {}
        self._wanted: list[str] = []
        self._seen = 0

    def document(self) -> Document:
        root = self._shape(self._schema, "", 0)
        done = 0
        while done < len(self._wanted):
            pointer = self._wanted[done]
            done += 1
            self._places[pointer] = self._shape(self._target(pointer), pointer, 0)
        return Document(root, self._places)

    def _shape(self, schema: Any, at: str, depth: int) -> Shape:
        self._seen += 1
        if self._seen > MOST_SHAPES or depth > _DEEPEST:
            raise UnsupportedSchema("the schema is too large or too deep", at)
        if schema is True:
            return Free()
        if not isinstance(schema, dict):
            raise UnsupportedSchema("a schema must be an object", at)
        known = {key: inner for key, inner in schema.items() if key not in _ANNOTATIONS}
        if "$ref" in known:
            return self._reference(known, at)
        if "enum" in known or "const" in known:
            return _literals(known, at)
        for combined in ("anyOf", "oneOf", "allOf"):
            if combined in known:
                return self._combined(known, combined, at, depth)
        kinds = known.pop("type", None)
        if kinds is None:
            kinds = _implied(known)
        if kinds is None:
            _check(set(known), frozenset(), at)
            return Free()
        if isinstance(kinds, list):
            _check(set(known), frozenset().union(*(_keywords(kind, at) for kind in kinds)), at)
            options = [
                self._typed(
                    kind, {k: v for k, v in known.items() if k in _keywords(kind, at)}, at, depth
                )
                for kind in kinds
            ]
            return options[0] if len(options) == 1 else Either(tuple(options))
        return self._typed(kinds, known, at, depth)

    def _typed(self, kind: Any, known: Mapping[str, Any], at: str, depth: int) -> Shape:
        _check(set(known), _keywords(kind, at), at)
        match kind:
            case "object":
                return self._object(known, at, depth)
            case "array":
                fewest = _bound(known, "minItems", 0, at)
                most = _bound(known, "maxItems", max(MOST_ITEMS, fewest), at)
                if fewest > most:
                    raise UnsupportedSchema("minItems is above maxItems", at)
                items = self._shape(known.get("items", True), f"{at}/items", depth + 1)
                return Array(items, fewest, most)
            case "string":
                shortest = _bound(known, "minLength", 0, at)
                longest = _bound(known, "maxLength", max(LONGEST_STRING, shortest), at)
                if shortest > longest:
                    raise UnsupportedSchema("minLength is above maxLength", at)
                return Text(shortest, longest)
            case "boolean":
                return Literals((b"true", b"false"))
            case "null":
                return Literals((b"null",))
            case _:
                return _number(known, at, whole=kind == "integer")

    def _object(self, known: Mapping[str, Any], at: str, depth: int) -> Shape:
        declared = known.get("properties", {})
        required = known.get("required", [])
        if not isinstance(declared, dict) or not isinstance(required, list):
            raise UnsupportedSchema("'properties' and 'required' are of the wrong type", at)
        properties = {
            name: self._shape(inner, f"{at}/properties/{_escaped(name)}", depth + 1)
            for name, inner in declared.items()
        }
        extra = known.get("additionalProperties", True)
        free = (
            None if extra is False else self._shape(extra, f"{at}/additionalProperties", depth + 1)
        )
        for name in required:
            if name not in properties and free is None:
                raise UnsupportedSchema(f"required property {name!r} is not allowed", at)
            properties.setdefault(name, free or Free())
        return Object(tuple(properties.items()), frozenset(required), None if properties else free)

    def _combined(self, known: Mapping[str, Any], keyword: str, at: str, depth: int) -> Shape:
        beside = set(known) - {keyword}
        options = known[keyword]
        # Repeating the type beside the branches is common and says nothing new.
        if beside - {"type"} or not isinstance(options, list) or not options:
            raise UnsupportedSchema(f"'{keyword}' beside other keywords cannot be followed", at)
        if keyword == "allOf" and len(options) > 1:
            raise UnsupportedSchema("'allOf' of several schemas cannot be followed", at)
        shapes = tuple(
            self._shape(option, f"{at}/{keyword}/{index}", depth + 1)
            for index, option in enumerate(options)
        )
        return shapes[0] if len(shapes) == 1 else Either(shapes)

    def _reference(self, known: Mapping[str, Any], at: str) -> Shape:
        pointer = known["$ref"]
        if len(known) > 1 or not isinstance(pointer, str) or not pointer.startswith("#"):
            raise UnsupportedSchema("a $ref must stand alone and begin with '#'", at)
        if pointer not in self._wanted:
            self._target(pointer)
            self._wanted.append(pointer)
        return Reference(pointer)

    def _target(self, pointer: str) -> Any:
        found = self._schema
        for step in pointer.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict) and name in found:
                found = found[name]
            else:
                raise UnsupportedSchema(f"$ref '{pointer}' leads nowhere", pointer)
        return found


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _keywords(kind: Any, at: str) -> frozenset[str]:
    if not isinstance(kind, str) or kind not in _KEYWORDS:
        raise UnsupportedSchema(f"type {kind!r} does not exist", at)
    return _KEYWORDS[kind]


def _check(found: set[str], allowed: frozenset[str], at: str) -> None:
    unknown = sorted(found - allowed)
    if unknown:
        raise UnsupportedSchema(f"keyword '{unknown[0]}' cannot be followed here", at)


def _implied(known: Mapping[str, Any]) -> str | None:
    """The type that keywords without a `type` are meant for."""
    for kind, keywords in _KEYWORDS.items():
        if keywords & set(known):
            return kind
    return None


def _literals(known: Mapping[str, Any], at: str) -> Shape:
    choices = [known["const"]] if "const" in known else known["enum"]
    if not isinstance(choices, list) or not choices:
        raise UnsupportedSchema("'enum' must be a list of values", at)
    # The type and other keywords beside an enum only repeat what its values are.
    texts: dict[bytes, None] = {}
    for choice in choices:
        for ascii_only in (False, True):
            text = json.dumps(choice, ensure_ascii=ascii_only, separators=(",", ":"))
            texts[text.encode("utf-8", "replace")] = None
    return Literals(tuple(texts))


def _bound(known: Mapping[str, Any], keyword: str, default: int, at: str) -> int:
    bound = known.get(keyword, default)
    if not isinstance(bound, int) or isinstance(bound, bool) or not 0 <= bound <= 1 << 20:
        raise UnsupportedSchema(f"'{keyword}' must be a whole number that is not too large", at)
    return bound


def _number(known: Mapping[str, Any], at: str, *, whole: bool) -> Number:
    bounds: dict[str, Fraction] = {}
    for keyword, bound in known.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float) or abs(bound) > 1e15:
            raise UnsupportedSchema(f"'{keyword}' must be a number within 1e15", at)
        bounds[keyword] = Fraction(str(bound))
    least, open_least = _tighter(bounds, "minimum", "exclusiveMinimum", 1)
    most, open_most = _tighter(bounds, "maximum", "exclusiveMaximum", -1)
    if least is not None and most is not None and least > most:
        raise UnsupportedSchema("the number's bounds exclude each other", at)
    return Number(whole, least, most, open_least, open_most)


def _tighter(
    bounds: Mapping[str, Fraction], closed: str, opened: str, sign: int
) -> tuple[Fraction | None, bool]:
    ends = [(sign * bounds[key], key == opened) for key in (closed, opened) if key in bounds]
    if not ends:
        return None, False
    end, is_open = max(ends)
    return sign * end, is_open
