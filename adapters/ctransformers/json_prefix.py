"""Follows JSON byte by byte and knows at every point what may come next.

A `Prefix` is a value: feeding it bytes gives a new one, or None when no document of the shape
begins that way; so a caller can try a token and drop it again. Where a shape leaves several
readings open (anyOf, property names with a common beginning) all of them are kept.

Rules: at most `WHITESPACE` spaces or line breaks in a row between tokens; numbers and strings are
bounded as their shapes say; `closing` completes any prefix with few bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapters.ctransformers import json_number
from adapters.ctransformers.json_frames import (
    AfterEntry,
    AfterItem,
    Colon,
    EntryOrEnd,
    Frame,
    InNumber,
    InText,
    ItemOrEnd,
    KeyStart,
    Rest,
    ValueStart,
    blank,
    string_byte,
    string_end,
)
from adapters.ctransformers.json_shape import (
    FREE_DEPTH,
    LONGEST_KEY,
    MOST_FREE_KEYS,
    Array,
    Document,
    Either,
    Free,
    Literals,
    Number,
    Object,
    Reference,
    Shape,
    Text,
    UnsupportedSchema,
)

#: Most whitespace bytes in a row; unbounded, a weak model could fill its budget with them.
WHITESPACE = 1
#: Most readings that are followed at once.
MOST_READINGS = 512
_BLANK = frozenset(b" \t\n\r")
_KEY = Text(0, LONGEST_KEY)
_CLOSE, _COMMA, _QUOTE = ord("}"), ord(","), ord('"')

#: Frames from the innermost outwards; None when the document is complete.
Stack = tuple[Frame, "Stack"] | None


class Grammar:
    """A compiled document with the shortest text of every place that is referred to."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._shortest: dict[str, bytes] = {}
        self._known: dict[Shape, bytes | None] = {}
        self._settle()

    def start(self) -> Prefix:
        """The empty prefix."""
        return Prefix(self, ((ValueStart(self.document.root), None),))

    def _settle(self) -> None:
        # Each round finds shortest texts that stand on those of the round before.
        for _ in range(len(self.document.places) + 1):
            found = {
                pointer: text
                for pointer, shape in self.document.places.items()
                if (text := self.shortest(shape)) is not None
            }
            if found == self._shortest:
                break
            self._shortest = found
            self._known.clear()
        for pointer in self.document.places:
            if pointer not in self._shortest:
                raise UnsupportedSchema("no finite document satisfies this place", pointer)

    def shortest(self, shape: Shape) -> bytes | None:
        """A shortest document of the shape; None when there is no finite one."""
        if shape not in self._known:
            self._known[shape] = self._shortest_of(shape)
        return self._known[shape]

    def _shortest_of(self, shape: Shape) -> bytes | None:
        match shape:
            case Literals(texts):
                return min(texts, key=len)
            case Text(shortest, _):
                return b'"' + b"a" * shortest + b'"'
            case Number():
                return json_number.shortest_end(shape, b"")
            case Free():
                return b"0"
            case Reference(pointer):
                return self._shortest.get(pointer)
            case Either(options):
                found = [self.shortest(option) for option in options]
                return min((text for text in found if text is not None), key=len, default=None)
            case Array(items, fewest, _):
                inside = self.shortest(items) if fewest else b""
                return None if inside is None else b"[" + b",".join([inside] * fewest) + b"]"
            case Object():
                inside = self.entries(shape, frozenset())
                return None if inside is None else b"{" + inside + b"}"

    def entries(self, shape: Object, used: frozenset[str]) -> bytes | None:
        """The required entries that are not there yet, joined by commas."""
        written: list[bytes] = []
        for name, inner in shape.properties:
            if name in shape.required and name not in used:
                text = self.shortest(inner)
                if text is None:
                    return None
                written.append(_quoted(name) + b":" + text)
        return b",".join(written)

    def step(self, stack: Stack, byte: int) -> Iterator[Stack]:
        """Every reading of one more byte."""
        if stack is None:
            return
        frame, rest = stack
        if byte in _BLANK and not isinstance(frame, Rest | InText | InNumber):
            if frame.blanks < WHITESPACE:
                yield blank(frame), rest
            return
        match frame:
            case Rest(text):
                if text[0] == byte:
                    yield (Rest(text[1:]), rest) if len(text) > 1 else rest
            case InText():
                if byte == _QUOTE and frame.may_end:
                    yield rest
                elif (longer := string_byte(frame, byte)) is not None:
                    yield longer, rest
            case InNumber(number, text):
                longer_text = text + bytes((byte,))
                if json_number.may_begin(number, longer_text):
                    yield InNumber(number, longer_text), rest
                if json_number.is_complete(number, text):
                    yield from self.step(rest, byte)
            case Colon():
                if byte == ord(":"):
                    yield rest
            case ValueStart(shape):
                yield from self._begin(shape, byte, rest)
            case _:
                yield from self._inside(frame, byte, rest)

    def _inside(self, frame: Frame, byte: int, rest: Stack) -> Iterator[Stack]:
        """One byte between the entries of an object or the items of an array."""
        match frame:
            case EntryOrEnd(shape, used):
                if byte == _CLOSE and shape.required <= used:
                    yield rest
                elif byte == _QUOTE:
                    yield from _keys(shape, used, frame.count, rest)
            case KeyStart(shape, used):
                if byte == _QUOTE:
                    yield from _keys(shape, used, frame.count, rest)
            case AfterEntry(shape, used):
                if byte == _CLOSE and shape.required <= used:
                    yield rest
                elif byte == _COMMA and _more_keys(shape, used, frame.count):
                    yield KeyStart(shape, used, frame.count), rest
            case ItemOrEnd(shape):
                if byte == ord("]") and not shape.fewest:
                    yield rest
                elif shape.most:
                    yield from self._begin(shape.items, byte, (AfterItem(shape, 1), rest))
            case AfterItem(shape, count):
                if byte == ord("]") and count >= shape.fewest:
                    yield rest
                elif byte == _COMMA and count < shape.most:
                    yield ValueStart(shape.items), (AfterItem(shape, count + 1), rest)

    def _begin(self, shape: Shape, byte: int, rest: Stack) -> Iterator[Stack]:
        """The first byte of a value."""
        match shape:
            case Literals(texts):
                for text in texts:
                    if text[0] == byte:
                        yield (Rest(text[1:]), rest) if len(text) > 1 else rest
            case Text():
                if byte == _QUOTE:
                    yield InText(shape), rest
            case Number():
                text = bytes((byte,))
                if json_number.may_begin(shape, text):
                    yield InNumber(shape, text), rest
            case Array():
                if byte == ord("["):
                    yield ItemOrEnd(shape), rest
            case Object():
                if byte == ord("{"):
                    yield EntryOrEnd(shape), rest
            case Either(options):
                for option in options:
                    yield from self._begin(option, byte, rest)
            case Reference(pointer):
                yield from self._begin(self.document.places[pointer], byte, rest)
            case Free(depth):
                for option in _FREE[depth]:
                    yield from self._begin(option, byte, rest)

    def close(self, stack: Stack) -> bytes:
        """Few bytes that complete the document."""
        written = b""
        while stack is not None:
            frame, stack = stack
            written += self._close_frame(frame)
        return written

    def _close_frame(self, frame: Frame) -> bytes:
        match frame:
            case Rest(text):
                return text
            case InText():
                return string_end(frame)
            case InNumber(number, text):
                return json_number.shortest_end(number, text)
            case Colon():
                return b":"
            case ValueStart(shape):
                return self.shortest(shape) or b""
            case EntryOrEnd(shape, used):
                return (self.entries(shape, used) or b"") + b"}"
            case AfterEntry(shape, used):
                missing = self.entries(shape, used) or b""
                return (b"," if missing else b"") + missing + b"}"
            case KeyStart(shape, used):
                return self._one_entry(shape, used) + b"}"
            case ItemOrEnd(shape):
                return (self.shortest(shape) or b"[]")[1:]
            case AfterItem(shape, count):
                missing_items = max(0, shape.fewest - count)
                return (b"," + (self.shortest(shape.items) or b"")) * missing_items + b"]"

    def _one_entry(self, shape: Object, used: frozenset[str]) -> bytes:
        """What is missing, and at least one entry: a comma has been written."""
        missing = self.entries(shape, used)
        if missing:
            return missing
        if not shape.properties:
            return b'"":' + (self.shortest(shape.extra or Free()) or b"0")
        unused = [
            (name, self.shortest(inner)) for name, inner in shape.properties if name not in used
        ]
        texts = [_quoted(name) + b":" + text for name, text in unused if text is not None]
        return min(texts, key=len)


class Prefix:
    """The beginning of a document; `complete` when it may end here."""

    __slots__ = ("_grammar", "_stacks")

    def __init__(self, grammar: Grammar, stacks: tuple[Stack, ...]) -> None:
        self._grammar = grammar
        self._stacks = stacks

    def feed(self, text: bytes) -> Prefix | None:
        """The prefix with these bytes added, or None when no document begins so."""
        stacks = self._stacks
        for byte in text:
            stepped: dict[Stack, None] = {}
            for stack in stacks:
                stepped.update(dict.fromkeys(self._grammar.step(stack, byte)))
            if not stepped or len(stepped) > MOST_READINGS:
                return None
            stacks = tuple(stepped)
        return Prefix(self._grammar, stacks)

    @property
    def complete(self) -> bool:
        """Whether the bytes so far are a whole document."""
        return any(_is_complete(stack) for stack in self._stacks)

    def next_bytes(self) -> frozenset[int]:
        """The bytes that may come next; empty at the end of a document."""
        return frozenset(byte for byte in range(256) if self.feed(bytes((byte,))) is not None)

    def closing(self) -> bytes:
        """Few bytes that make a whole document of the prefix."""
        return min((self._grammar.close(stack) for stack in self._stacks), key=len)


def _is_complete(stack: Stack) -> bool:
    if stack is None:
        return True
    frame, rest = stack
    return (
        rest is None
        and isinstance(frame, InNumber)
        and json_number.is_complete(frame.number, frame.text)
    )


def _quoted(name: str) -> bytes:
    return _names(name)[0]


def _names(name: str) -> tuple[bytes, ...]:
    """A property's name as JSON, with its characters as they are and all in ASCII."""
    plain = json.dumps(name, ensure_ascii=False).encode("utf-8", "replace")
    ascii_only = json.dumps(name).encode()
    return (plain,) if plain == ascii_only else (plain, ascii_only)


def _keys(shape: Object, used: frozenset[str], count: int, rest: Stack) -> Iterator[Stack]:
    """Every key that may follow an opening quote."""
    if not shape.properties:
        if shape.extra is not None and count < MOST_FREE_KEYS:
            after: Stack = (AfterEntry(shape, used, count + 1), rest)
            yield InText(_KEY), (Colon(), (ValueStart(shape.extra), after))
        return
    for name, inner in shape.properties:
        if name not in used:
            after = (AfterEntry(shape, used | {name}, count + 1), rest)
            for text in _names(name):
                yield Rest(text[1:]), (Colon(), (ValueStart(inner), after))


def _more_keys(shape: Object, used: frozenset[str], count: int) -> bool:
    if shape.properties:
        return len(used) < len(shape.properties)
    return shape.extra is not None and count < MOST_FREE_KEYS


def _free_shapes() -> tuple[tuple[Shape, ...], ...]:
    """What free JSON may be, by how many levels are left."""
    scalars: tuple[Shape, ...] = (Literals((b"true", b"false", b"null")), Number(), Text())
    levels: list[tuple[Shape, ...]] = [scalars]
    for depth in range(FREE_DEPTH):
        levels.append((*scalars, Object(extra=Free(depth)), Array(Free(depth))))
    return tuple(levels)


_FREE = _free_shapes()
