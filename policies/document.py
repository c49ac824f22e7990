"""YAML 1.2 text as plain nodes that know where they stand.

Rules of this file:
- the stream of YAML events is read without recursion, so depth cannot exhaust the stack;
- an alias shares its node, and the size of the whole after expansion is bounded;
- plain scalars follow the YAML 1.2 core schema whatever `%YAML` says: `yes` and `no` are text;
- tags and merge keys are refused, and so are duplicate keys.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from policies.problems import Place, PolicyError, Problem, Problems

#: Bounds on one file: characters, levels, and values after every alias was followed.
MOST_CHARACTERS = 1_000_000
DEEPEST = 40
MOST_VALUES = 200_000

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_WHOLE = re.compile(r"[-+]?[0-9]{1,40}")
_AMOUNT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,2})?")

Plain = str | int | Decimal | bool | None


class Scalar(msgspec.Struct, frozen=True):
    """One value; `text` is how it was written."""

    value: Plain
    text: str
    at: Place
    path: str = ""
    size: int = 1


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Scalar | Sequence | Mapping, ...]
    at: Place
    path: str = ""
    size: int = 1


class Entry(msgspec.Struct, frozen=True):
    """One key of a mapping with its value."""

    key: str
    at: Place
    node: Scalar | Sequence | Mapping


class Mapping(msgspec.Struct, frozen=True):
    """Keys and values in the order of the file; each key stands once."""

    entries: tuple[Entry, ...]
    at: Place
    path: str = ""
    size: int = 1


Node = Scalar | Sequence | Mapping


def kind_of(node: Node) -> str:
    """What a node is, in the words of an error message."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"{node.text}"
    if isinstance(node.value, int | Decimal):
        return f"the number {node.text}"
    return f"'{shortened(node.text)}'"


def shortened(text: str, limit: int = 40) -> str:
    """Text for a message: one line, cut when it is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def decode(raw: bytes, source: str) -> str:
    """The text of a file's bytes.

    Raises:
        PolicyError: the bytes are not UTF-8; the place is that of the first wrong byte.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        at = _place_after(before)
        raise _refusal(at, "the file is not UTF-8 text here", source, "save it as UTF-8") from None


def read_document(text: str, source: str) -> Node:
    """The one document of a YAML text.

    Raises:
        PolicyError: broken YAML, more than one document, or a file past the bounds above.
    """
    if len(text) > MOST_CHARACTERS:
        message = f"the file has {len(text)} characters; at most {MOST_CHARACTERS} are read"
        raise _refusal(Place(), message, source)
    problems = Problems()
    builder = _Builder(problems)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
            if builder.too_deep:
                break
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Place(mark.line + 1, mark.column + 1) if mark is not None else Place()
        message = f"broken YAML: {_yaml_words(error)}"
        problems.add(at, message, hint=_yaml_hint(message))
    except YAMLError as error:
        at = _place_after(text[: getattr(error, "position", 0) or 0])
        problems.add(at, "the file holds a character that YAML does not allow")
    except ValueError as error:
        problems.add(Place(), f"broken YAML: {shortened(str(error), 120)}")
    problems.raise_if_any(source)
    if builder.root is None:
        hint = "a policy starts with 'fairlead: 1'"
        raise _refusal(Place(), "the file is empty", source, hint)
    if builder.root.size > MOST_VALUES:
        message = f"aliases make the file more than {MOST_VALUES} values large"
        raise _refusal(builder.root.at, message, source, "write the values out, or use fewer")
    return builder.root


class _Open:
    """A list or mapping whose end has not come yet."""

    def __init__(self, mapping: bool, at: Place, path: str, anchor: str | None) -> None:
        self.mapping = mapping
        self.at = at
        self.path = path
        self.anchor = anchor
        self.items: list[Node] = []
        self.entries: list[Entry] = []
        self.keys: set[str] = set()
        self.key: Scalar | None = None
        self.skip = False

    def child_path(self) -> str:
        """The path of the node that comes next."""
        if not self.mapping:
            return f"{self.path}[{len(self.items)}]"
        name = self.key.text if self.key is not None else ""
        return f"{self.path}.{name}" if self.path else name

    def closed(self) -> Node:
        """The finished node."""
        if self.mapping:
            size = 1 + sum(entry.node.size for entry in self.entries)
            return Mapping(tuple(self.entries), self.at, self.path, size)
        size = 1 + sum(item.size for item in self.items)
        return Sequence(tuple(self.items), self.at, self.path, size)


class _Builder:
    """Turns YAML events into nodes with a stack of its own."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._documents = 0
        self.too_deep = False

    def take(self, event: Any) -> None:
        """Take the next event of the parser."""
        match type(event).__name__:
            case "DocumentStartEvent":
                self._documents += 1
                if self._documents == 2:
                    self._problems.add(
                        _place_of(event), "a policy file holds one document, not several"
                    )
            case "ScalarEvent":
                self._add(self._scalar(event), event.anchor)
            case "AliasEvent":
                self._alias(event)
            case "MappingStartEvent" | "SequenceStartEvent":
                self._start(event)
            case "MappingEndEvent" | "SequenceEndEvent":
                closed = self._stack.pop()
                self._add(closed.closed(), closed.anchor)

    def _start(self, event: Any) -> None:
        at = _place_of(event)
        self._refuse_tag(event, at)
        path = self._stack[-1].child_path() if self._stack else ""
        if len(self._stack) >= DEEPEST:
            self.too_deep = True
            self._problems.add(at, f"nested more than {DEEPEST} levels deep", path="")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(
            _Open(type(event).__name__ == "MappingStartEvent", at, path[:200], event.anchor)
        )

    def _scalar(self, event: Any) -> Scalar:
        at = _place_of(event)
        self._refuse_tag(event, at)
        path = self._stack[-1].child_path() if self._stack else ""
        plain = event.implicit[0] and not event.style
        value = _plain_value(event.value) if plain else event.value
        return Scalar(value, event.value, at, path)

    def _refuse_tag(self, event: Any, at: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag and str(tag) != "!":
            self._problems.add(at, "YAML tags have no meaning in a policy", hint="remove the tag")

    def _alias(self, event: Any) -> None:
        at = _place_of(event)
        if event.anchor not in self._anchors:
            self._problems.add(at, f"the alias '*{event.anchor}' has no anchor before it")
        target = self._anchors.get(event.anchor)
        if target is None and event.anchor in self._anchors:
            self._problems.add(at, f"the alias '*{event.anchor}' contains itself")
        self._add(target if target is not None else Scalar(None, "", at), None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            if self.root is None:
                self.root = node
            return
        top = self._stack[-1]
        if not top.mapping:
            top.items.append(node)
        elif top.key is None:
            self._take_key(top, node)
        else:
            key, top.key = top.key, None
            if not top.skip:
                top.entries.append(Entry(key.text, key.at, node))

    def _take_key(self, top: _Open, node: Node) -> None:
        top.skip = False
        if not isinstance(node, Scalar):
            self._problems.add(node.at, f"a key must be a word, not {kind_of(node)}")
            top.key, top.skip = Scalar("", "", node.at), True
            return
        top.key = node
        if node.text in top.keys:
            top.skip = True
            path = f"{top.path}.{node.text}" if top.path else node.text
            message = f"the key '{shortened(node.text)}' stands here twice"
            self._problems.add(node.at, message, hint="keep one of them", path=path)
        elif node.text == "<<":
            top.skip = True
            message = "merge keys ('<<') are not part of YAML 1.2"
            self._problems.add(node.at, message, hint="write the keys out")
        top.keys.add(node.text)


def _plain_value(text: str) -> Plain:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _WHOLE.fullmatch(text):
        return int(text)
    if _AMOUNT.fullmatch(text):
        return Decimal(text)
    return text


def _place_of(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _place_after(before: str) -> Place:
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _yaml_words(error: MarkedYAMLError) -> str:
    words = [part for part in (error.context, error.problem) if part]
    return shortened(", ".join(words) or "it cannot be read", 160)


def _yaml_hint(message: str) -> str:
    if "\\t" in message or "'\t'" in message:
        return "indent with spaces, never with tabs"
    if "mapping values are not allowed" in message:
        return "put quotes around a value that contains ': '"
    return ""


def _refusal(at: Place, message: str, source: str, hint: str = "") -> PolicyError:
    problem = Problem(line=at.line, column=at.column, message=message, hint=hint)
    return PolicyError((problem,), source)
