"""What putting values back has alike in all APIs: documents, channels of a stream, and its bytes.

Rules of this file:
- answers are restored in the client's wire, after any translation, so that backends and what is
  logged of them know placeholders only;
- a value in a text that is itself JSON (arguments of tools) is escaped as JSON wants it;
- log probabilities are left out: pieces of a placeholder would stand there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from gateway.core.restoring import Restoration, Restoring

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
#: Fields whose text is JSON.
_JSON_FIELDS = frozenset({"arguments", "partial_json"})
#: Fields that hold the answer's words, which are JSON where JSON was asked for.
_WORDS = frozenset({"content", "text", "delta"})
#: Fields of tokens with their probabilities.
_TOKENS = frozenset({"logprobs", "top_logprobs"})

Block = dict[str, Any]
Escape = Callable[[str], str]


def in_json(value: str) -> str:
    """A value as it stands inside a string of a JSON text."""
    return msgspec.json.encode(value).decode()[1:-1]


class Masks:
    """What an answer is restored with; `is_json` says that its words are a JSON text."""

    def __init__(self, values: Mapping[str, str], *, is_json: bool) -> None:
        self.restoration = Restoration(values)
        self.words: Escape = in_json if is_json else str

    def channel(self, *, is_json: bool = False) -> Restoring:
        """One text of the answer that comes in pieces."""
        return Restoring(self.restoration, in_json if is_json else self.words)

    def document(self, node: Any, field: str = "") -> Any:
        """A decoded document with every string in it restored."""
        if isinstance(node, str):
            escape = in_json if field in _JSON_FIELDS else str
            return self.restoration.whole(node, self.words if field in _WORDS else escape)
        if isinstance(node, list):
            return [self.document(inner, field) for inner in node]
        if isinstance(node, dict):
            return {
                name: _without_tokens(inner) if name in _TOKENS else self.document(inner, name)
                for name, inner in node.items()
            }
        return node

    def body(self, body: bytes) -> bytes:
        """A whole answer; what is no JSON passes as it is."""
        document = decoded(body)
        return body if document is None else encoded(self.document(document))


class Events(Protocol):
    """Restores the events of one stream of an API."""

    def take(self, event: Block) -> Iterable[tuple[str, Block]]:
        """The events, with their names, that one event becomes."""
        ...

    def rest(self) -> Iterable[tuple[str, Block]]:
        """The events that tell what was still held back when the stream ends."""
        ...


def decoded(payload: bytes) -> Any:
    """A JSON document, numbers exact; None where it is none."""
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def encoded(document: object) -> bytes:
    """The document as bytes."""
    return _ENCODER.encode(document)


def _without_tokens(found: object) -> object:
    if isinstance(found, list):
        return []
    return found if isinstance(found, int) and not isinstance(found, bool) else None
