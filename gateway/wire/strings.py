"""Every string of a JSON document, with its place, in document order.

A privacy gateway must see each string that the backend will see, so keys count as well as values,
unknown fields as well as known ones, and a document whose strings could be read in two ways
(duplicate keys) is refused instead of guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.errors import InvalidRequest

#: Deeper documents are refused: no client needs them and parsers differ in where they give up.
MAX_DEPTH = 100

_STRING_LITERAL = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)

Place = tuple[str, ...]


def count_literals(raw: bytes) -> int:
    """How many string literals (keys and values) the JSON text holds, duplicates included."""
    if b"\\" not in raw:
        return raw.count(b'"') // 2
    return len(_STRING_LITERAL.findall(raw))


def walk(node: object, place: Place = ()) -> Iterator[tuple[Place, str, bool]]:
    """Yield `(place, text, is_key)` for every string below `node`, in document order.

    Raises:
        InvalidRequest: the document is nested deeper than `MAX_DEPTH`.
    """
    if isinstance(node, str):
        yield place, node, False
    elif isinstance(node, dict):
        _check_depth(place)
        for key, child in node.items():
            below = (*place, key)
            yield below, key, True
            if isinstance(child, str):
                yield below, child, False
            elif isinstance(child, dict | list):
                yield from walk(child, below)
    elif isinstance(node, list):
        _check_depth(place)
        for index, child in enumerate(node):
            if isinstance(child, str):
                yield (*place, str(index)), child, False
            elif isinstance(child, dict | list):
                yield from walk(child, (*place, str(index)))


def pointer(place: Place) -> str:
    """The JSON pointer (RFC 6901) of a place."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in place)


def _check_depth(place: Place) -> None:
    if len(place) >= MAX_DEPTH:
        raise InvalidRequest(
            f"The request is nested more than {MAX_DEPTH} levels deep "
            f"(at {pointer(place[:4])}/…). Flatten it.",
            code="too_deeply_nested",
        )
