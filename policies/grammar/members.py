"""Facts that are words, sets of words, tags or flags."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node, Scalar, Sequence, kind_of
from policies.model.conditions import Is, Members, Tagged, Words
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG, Flag

_MEMBER_KEYS = ("any", "all", "none")


class WordsShape(msgspec.Struct, frozen=True):
    """A word or a list of words of which the fact must be one; `known` restricts the words."""

    what: str
    known: frozenset[str] = frozenset()

    def read(self, node: Node, problems: Problems) -> Any:
        """The words."""
        words = _word_list(node, self.known, self.what, problems)
        return WRONG if words is WRONG else Words(words)

    def schema(self) -> dict[str, Any]:
        """A plain value or a list of them."""
        return known_words_schema(self.known) if self.known else words_schema()


class MembersShape(msgspec.Struct, frozen=True):
    """What a set must hold: a word, a list (any of them), or `{any, all, none}`."""

    known: frozenset[str]
    what: str

    def read(self, node: Node, problems: Problems) -> Any:
        """What the set must hold."""
        if not isinstance(node, Mapping):
            words = _word_list(node, self.known, self.what, problems)
            return WRONG if words is WRONG else Members(any=words)
        asked: dict[str, Any] = {}
        for entry in node.entries:
            if entry.key not in _MEMBER_KEYS:
                hint = did_you_mean(entry.key, _MEMBER_KEYS)
                problems.add(entry.at, f"'{entry.key}' is not any, all or none", hint=hint)
                return WRONG
            asked[entry.key] = _word_list(entry.node, self.known, self.what, problems)
        if WRONG in asked.values():
            return WRONG
        if not asked:
            problems.add(node.at, "nothing is asked here", hint="use any, all or none")
            return WRONG
        return Members(**asked)

    def schema(self) -> dict[str, Any]:
        """Known words, or an object of them."""
        some = known_words_schema(self.known)
        members = {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(_MEMBER_KEYS, some),
        }
        return {"anyOf": [*some["anyOf"], members]}


class TaggedShape(msgspec.Struct, frozen=True):
    """Tags that must be there, each with one of its values; `*` is any value."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The tags."""
        if not isinstance(node, Mapping) or not node.entries:
            message = f"tags are a mapping, not {kind_of(node)}"
            hint = "tags: {project: [apollo, gemini]}"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        tags: list[tuple[str, tuple[str, ...]]] = []
        for entry in node.entries:
            values = _word_list(entry.node, frozenset(), "a tag's value", problems)
            if values is WRONG:
                return WRONG
            tags.append((entry.key, () if "*" in values else values))
        return Tagged(tuple(tags))

    def schema(self) -> dict[str, Any]:
        """An object of plain values or lists of them."""
        return {"type": "object", "additionalProperties": words_schema()}


class IsShape(msgspec.Struct, frozen=True):
    """A flag's wanted value."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The flag."""
        wanted = Flag().read(node, problems)
        return WRONG if wanted is WRONG else Is(wanted)

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return Flag().schema()


def words_schema() -> dict[str, Any]:
    """A plain value or a list of them."""
    text = {"type": ["string", "number", "boolean"]}
    return {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}


def known_words_schema(known: frozenset[str]) -> dict[str, Any]:
    """One of these words or a list of them."""
    one = {"enum": sorted(known)}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _word(node: Node, known: frozenset[str], what: str, problems: Problems) -> str | None:
    text = node.text.strip() if isinstance(node, Scalar) and node.value is not None else ""
    if not text:
        problems.add(node.at, f"{what} was expected here, not {kind_of(node)}", path=node.path)
        return None
    if known and text not in known:
        hint = did_you_mean(text, known)
        problems.add(node.at, f"{kind_of(node)} is not {what}", hint=hint, path=node.path)
        return None
    if "*" in text[:-1]:
        message = f"{kind_of(node)}: a '*' may only stand at the end"
        problems.add(node.at, message, path=node.path)
        return None
    return text


def _word_list(node: Node, known: frozenset[str], what: str, problems: Problems) -> Any:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    if not nodes:
        problems.add(node.at, "the list is empty", hint="nothing can match it", path=node.path)
        return WRONG
    words = tuple(_word(item, known, what, problems) for item in nodes)
    return WRONG if None in words else words
