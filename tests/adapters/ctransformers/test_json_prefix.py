"""The JSON follower accepts every valid beginning and leads every walk to a valid document."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ctransformers.json_prefix import Grammar, Prefix
from adapters.ctransformers.json_shape import UnsupportedSchema, compile_schema

Pair = tuple[dict[str, Any], Any]
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
KEYS = st.text(st.characters(codec="utf-8"), max_size=6)


def grammar(schema: Any) -> Grammar:
    """The grammar of a schema."""
    return Grammar(compile_schema(schema))


@st.composite
def numbers(draw: st.DrawFn) -> Pair:
    """A bounded number's schema and a number within."""
    if draw(st.booleans()):
        low, number, high = sorted(draw(st.tuples(*[st.integers(-(10**6), 10**6)] * 3)))
        return {"type": "integer", "minimum": low, "maximum": high}, number
    hundredths = sorted(draw(st.tuples(*[st.integers(-(10**6), 10**6)] * 3)))
    low_f, number_f, high_f = (part / 100 for part in hundredths)
    return {"type": "number", "minimum": low_f, "maximum": high_f}, number_f


@st.composite
def strings(draw: st.DrawFn) -> Pair:
    """A bounded string's schema and a string within."""
    text = draw(TEXT)
    longest = len(text) + draw(st.integers(0, 3))
    return {"type": "string", "minLength": max(0, len(text) - 2), "maxLength": longest}, text


@st.composite
def choices(draw: st.DrawFn) -> Pair:
    """An enum and one of its values."""
    values = draw(st.lists(TEXT | st.integers(-99, 99) | st.none(), min_size=1, max_size=4))
    return {"enum": values}, draw(st.sampled_from(values))


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    """A bounded array's schema and a list within."""
    schema, entry = draw(inner)
    count = draw(st.integers(0, 3))
    bounds = {"minItems": max(0, count - 1), "maxItems": count + draw(st.integers(0, 2))}
    return {"type": "array", "items": schema, **bounds}, [entry] * count


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    """An object's schema and an object within."""
    pairs = draw(st.dictionaries(KEYS, inner, max_size=3))
    present = {name: entry for name, (_, entry) in pairs.items() if draw(st.booleans())}
    required = [name for name in present if draw(st.booleans())]
    properties = {name: schema for name, (schema, _) in pairs.items()}
    schema = {"type": "object", "properties": properties, "required": required}
    return {**schema, "additionalProperties": False}, present


@st.composite
def unions(draw: st.DrawFn, inner: st.SearchStrategy[Pair]) -> Pair:
    """An anyOf and a document of one branch."""
    pairs = draw(st.lists(inner, min_size=1, max_size=3))
    return {"anyOf": [schema for schema, _ in pairs]}, draw(st.sampled_from(pairs))[1]


SCALARS = (
    numbers()
    | strings()
    | choices()
    | st.booleans().map(lambda found: ({"type": "boolean"}, found))
    | st.just(({"type": ["string", "null"]}, None))
)
PAIRS = st.recursive(
    SCALARS, lambda inner: arrays(inner) | objects(inner) | unions(inner), max_leaves=6
)
FREE = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def walk(start: Prefix, steps: int, chance: random.Random) -> bytes:
    """A random document: so many free steps, then the shortest way out."""
    prefix, written = start, b""
    for _ in range(steps):
        possible = sorted(prefix.next_bytes())
        if not possible:
            break
        byte = bytes((chance.choice(possible),))
        following = prefix.feed(byte)
        assert following is not None
        prefix, written = following, written + byte
    return written + (b"" if prefix.complete else prefix.closing())


@given(pair=PAIRS, ascii_only=st.booleans(), spaced=st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_beginning_of_a_valid_document_is_accepted(
    pair: Pair, ascii_only: bool, spaced: bool
) -> None:
    """Byte by byte, in any common spelling, and the end is recognised as one."""
    schema, document = pair
    separators = (", ", ": ") if spaced else (",", ":")
    text = json.dumps(document, ensure_ascii=ascii_only, separators=separators).encode()

    prefix: Prefix | None = grammar(schema).start()
    for at in range(len(text)):
        prefix = prefix.feed(text[at : at + 1]) if prefix else None
        assert prefix is not None, text[: at + 1]

    assert prefix is not None
    assert prefix.complete


@given(document=FREE, ascii_only=st.booleans())
@settings(max_examples=80, deadline=None)
def test_free_json_is_accepted(document: Any, ascii_only: bool) -> None:
    """Without a schema any JSON object may come."""
    text = json.dumps({"a": document}, ensure_ascii=ascii_only).encode()

    prefix = grammar({"type": "object"}).start().feed(text)

    assert prefix is not None
    assert prefix.complete


@given(pair=PAIRS, steps=st.integers(0, 120), seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_every_walk_ends_in_a_valid_document(pair: Pair, steps: int, seed: int) -> None:
    """Any allowed bytes, completed by `closing`, satisfy the schema as jsonschema reads it."""
    schema, _ = pair

    text = walk(grammar(schema).start(), steps, random.Random(seed))

    jsonschema.validate(json.loads(text.decode()), schema)


@given(pair=PAIRS, cut=st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_closing_completes_every_beginning(pair: Pair, cut: float) -> None:
    """`closing` makes a valid document of any beginning of one."""
    schema, document = pair
    text = json.dumps(document).encode()
    begun = text[: int(len(text) * cut)]
    prefix = grammar(schema).start().feed(begun)
    assert prefix is not None

    whole = begun if prefix.complete else begun + prefix.closing()

    jsonschema.validate(json.loads(whole), schema)


RECURSIVE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 5},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "more": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2},
            },
            "required": ["name", "next"],
            "additionalProperties": False,
        }
    },
}


@given(steps=st.integers(0, 300), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_recursive_schemas_end(steps: int, seed: int) -> None:
    """A schema that refers to itself is followed and closed at any depth."""
    text = walk(grammar(RECURSIVE).start(), steps, random.Random(seed))

    jsonschema.validate(json.loads(text), RECURSIVE)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, b'{"b'),
        ({"type": "object", "properties": {"a": True}, "required": ["a"]}, b"{}"),
        ({"type": "object", "properties": {"a": True, "b": True}}, b'{"a":1,"a'),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 1}, b"[1,"),
        ({"type": "array", "minItems": 1}, b"[]"),
        ({"type": "integer"}, b"1."),
        ({"type": "integer", "minimum": 10, "maximum": 20}, b"3"),
        ({"type": "integer", "maximum": 20}, b"99999999999999999"),
        ({"type": "number", "exclusiveMaximum": 1, "minimum": 0}, b"1"),
        ({"type": "number"}, b"01"),
        ({"type": "string", "maxLength": 1}, b'"ab'),
        ({"type": "string", "minLength": 2}, b'"a"'),
        ({"type": "string"}, b'"\n'),
        ({"type": "string"}, b'"\xff'),
        ({"type": "string"}, b'"\xc0\x80'),
        ({"type": "string"}, b'"\xed\xa0\x80'),
        ({"type": "string"}, b'"\\ud800"'),
        ({"type": "string"}, b'"\\udc00'),
        ({"type": "string"}, b'"\\x'),
        ({"enum": ["red", "green"]}, b'"b'),
        ({"type": "boolean"}, b"null"),
        ({"type": "object"}, b"{" + b" " * 3),
        ({"type": "object"}, b"{}{"),
    ],
)
def test_what_no_document_begins_with_is_refused(schema: Any, text: bytes) -> None:
    """A byte that leads nowhere is not taken."""
    assert grammar(schema).start().feed(text) is None


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "string", "pattern": "a+"}, "/"),
        ({"type": "object", "properties": {"a/b": {"not": {}}}}, "/properties/a~1b"),
        ({"type": "array", "uniqueItems": True}, "/"),
        ({"type": "colour"}, "/"),
        ({"$ref": "#/$defs/none"}, "#/$defs/none"),
        ({"$ref": "http://elsewhere/schema"}, "/"),
        ({"$ref": "#"}, "#"),
        ({"type": "integer", "minimum": 3, "maximum": 1}, "/"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "/"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "/"),
        (7, "/"),
    ],
)
def test_schemas_that_cannot_be_kept_are_refused_with_their_place(
    schema: Any, pointer: str
) -> None:
    """A keyword that we would break silently, or a schema without documents, is an error."""
    with pytest.raises(UnsupportedSchema) as refused:
        grammar(schema)

    assert refused.value.pointer == pointer
