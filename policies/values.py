"""Shapes of single values that a policy file has: secrets, headers, selectors, `use`, `block`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.core.sensitivity import Sensitivity
from policies.conditions import CAPABILITIES
from policies.document import Mapping, Node, Scalar, Sequence, kind_of
from policies.model import SecretReference, Selector, UseStatement
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG, Choice, Flag, ListOf, Text

LEVELS = {level.label: level for level in Sensitivity}
LEVEL = Choice(options=LEVELS, what="a level of sensitivity")
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}"
NAME = Text(what="a name", pattern=NAME_PATTERN, numbers=True)
WORD = Text(what="a word", longest=200, numbers=True)
STRATEGIES = ("ordered", "cheapest")

_REFERENCE = re.compile(r"(env):([A-Za-z_][A-Za-z0-9_]*)|(file):(\S.*)")
#: What keys of well-known vendors look like, and long runs without spaces.
_LOOKS_SECRET = re.compile(
    r"(sk|pk|rk|fl|hf|gsk|xai|ghp|AKIA|AIza)[-_A-Za-z0-9]{12,}|[A-Za-z0-9+/_=.-]{24,}"
)
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
_REFERENCE_HINT = "write env:NAME for a variable of the environment, or file:PATH"


class SecretShape(msgspec.Struct, frozen=True):
    """`env:NAME` or `file:PATH`; the value itself never stands in the file."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The reference; the text of a literal secret is never repeated in the problem."""
        text = node.text.strip() if isinstance(node, Scalar) else ""
        matched = _REFERENCE.fullmatch(text)
        if matched:
            kind = matched.group(1) or matched.group(3)
            return SecretReference(kind, matched.group(2) or matched.group(4), node.at)
        if not text:
            message = f"a secret is env:NAME or file:PATH, not {kind_of(node)}"
        elif text.startswith("env:"):
            message = "the name after 'env:' must be letters, digits and '_'"
        else:
            message = "a secret must not stand in the policy file"
        problems.add(node.at, message, hint=_REFERENCE_HINT, path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """A string with the prefix."""
        return {"type": "string", "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:\\S.*)$"}


class HeadersShape(msgspec.Struct, frozen=True):
    """Header names with values; a value that is a secret must be a reference."""

    def read(self, node: Node, problems: Problems) -> Any:
        """Pairs of name and plain text or reference."""
        if not isinstance(node, Mapping):
            problems.add(node.at, f"headers are a mapping, not {kind_of(node)}", path=node.path)
            return WRONG
        headers: list[tuple[str, str | SecretReference]] = []
        for entry in node.entries:
            text = entry.node.text if isinstance(entry.node, Scalar) else ""
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", entry.key):
                problems.add(entry.at, f"'{entry.key}' is not a header name")
            if not text or not text.isprintable():
                message = f"a header's value is text on one line, not {kind_of(entry.node)}"
                problems.add(entry.node.at, message, path=entry.node.path)
            elif _REFERENCE.fullmatch(text):
                headers.append((entry.key, SecretShape().read(entry.node, problems)))
            elif _SECRET_HEADER.search(entry.key) or _LOOKS_SECRET.search(text):
                message = f"the header '{entry.key}' looks like a secret, which must not stand here"
                problems.add(entry.node.at, message, hint=_REFERENCE_HINT, path=entry.node.path)
            else:
                headers.append((entry.key, text))
        return tuple(headers)

    def schema(self) -> dict[str, Any]:
        """An object of strings."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


class UrlShape(msgspec.Struct, frozen=True):
    """An http or https address without credentials, query or fragment."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The address without a slash at its end."""
        text = node.text if isinstance(node, Scalar) else ""
        try:
            parts = urlsplit(text)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname)
            fine = fine and parts.port != 0 and not re.search(r"\s", text)
        except ValueError:
            fine = False
        if not fine:
            message = f"{kind_of(node)} is not an http or https address"
            hint = "for example http://127.0.0.1:8000/v1"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        if parts.username or parts.password or parts.query or parts.fragment:
            message = "an address holds no user, password, query or fragment"
            hint = "use api_key or headers with env:NAME"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        return text.rstrip("/")

    def schema(self) -> dict[str, Any]:
        """A string that starts as an address."""
        return {"type": "string", "pattern": "^https?://"}


class OptionShape(msgspec.Struct, frozen=True):
    """A driver's own setting: text, a number or a flag."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The setting; numbers become int or float."""
        if not isinstance(node, Scalar) or node.value is None:
            message = f"an option is text, a number or a flag, not {kind_of(node)}"
            problems.add(node.at, message, path=node.path)
            return WRONG
        return node.value if isinstance(node.value, str | bool | int) else float(node.value)

    def schema(self) -> dict[str, Any]:
        """Any plain value."""
        return {"type": ["string", "number", "boolean"]}


_WORDS = ListOf(item=WORD, single=True, least=1)
_CAPABILITY = Choice(options={name: name for name in sorted(CAPABILITIES)}, what="a capability")
_SELECTOR_KEYS: dict[str, tuple[str, Any, str]] = {
    "names": ("names", ListOf(item=NAME, single=True, least=1), "deployments by name"),
    "provider": ("providers", _WORDS, "one of these providers"),
    "adapter": ("adapters", _WORDS, "one of these adapters"),
    "model": ("models", _WORDS, "one of these models; a '*' at the end is allowed"),
    "self_hosted": ("self_hosted", Flag(), "whether it runs on the company's own machines"),
    "clearance": ("clearance", LEVEL, "at least this clearance"),
    "capabilities": (
        "capabilities",
        ListOf(item=_CAPABILITY, single=True, least=1),
        "all of these capabilities",
    ),
}


class SelectorShape(msgspec.Struct, frozen=True):
    """Deployments: a name, a list of names, or a mapping of what they must be."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The selector."""
        if not isinstance(node, Mapping):
            names = _SELECTOR_KEYS["names"][1].read(node, problems)
            return WRONG if names is WRONG else Selector(at=node.at, names=_placed(names, node))
        asked: dict[str, Any] = {}
        for entry in node.entries:
            known = _SELECTOR_KEYS.get(entry.key)
            if known is None:
                hint = did_you_mean(entry.key, _SELECTOR_KEYS)
                message = f"deployments cannot be chosen by '{entry.key}'"
                problems.add(entry.at, message, hint=hint, path=entry.node.path)
                return WRONG
            value = known[1].read(entry.node, problems)
            if value is WRONG:
                return WRONG
            asked[known[0]] = _placed(value, entry.node) if entry.key == "names" else value
        if not asked:
            message = "nothing is chosen here"
            problems.add(node.at, message, hint=did_you_mean("", _SELECTOR_KEYS), path=node.path)
            return WRONG
        return Selector(at=node.at, **asked)

    def schema(self) -> dict[str, Any]:
        """A reference to the shared definition."""
        return {"$ref": "#/$defs/selector"}


def selector_schema() -> dict[str, Any]:
    """The definition that `SelectorShape` refers to."""
    names = _SELECTOR_KEYS["names"][1].schema()
    properties = {
        key: {"description": about, **shape.schema()}
        for key, (_, shape, about) in _SELECTOR_KEYS.items()
    }
    chosen = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": properties,
    }
    return {"anyOf": [*names["anyOf"], chosen]}


def _placed(names: tuple[str, ...], node: Node) -> Any:
    items = node.items if isinstance(node, Sequence) else (node,) * len(names)
    return tuple((name, item.at) for name, item in zip(names, items, strict=True))


class UseShape(msgspec.Struct, frozen=True):
    """A list of deployments in order, or `{strategy, among}`."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The statement; without a strategy the order of the names counts."""
        if not isinstance(node, Mapping):
            chosen = SelectorShape().read(node, problems)
            return WRONG if chosen is WRONG else UseStatement(at=node.at, among=chosen)
        given: dict[str, Any] = {}
        strategy = Choice(options={name: name for name in STRATEGIES}, what="a strategy")
        shapes: dict[str, Any] = {"strategy": strategy, "among": SelectorShape()}
        for entry in node.entries:
            if entry.key not in shapes:
                hint = did_you_mean(entry.key, shapes)
                problems.add(entry.at, f"'use' has no key '{entry.key}'", hint=hint)
                return WRONG
            given[entry.key] = shapes[entry.key].read(entry.node, problems)
        if WRONG in given.values():
            return WRONG
        if not given:
            hint = "use: [house, frontier]"
            problems.add(node.at, "'use' names no deployment", hint=hint, path=node.path)
            return WRONG
        return UseStatement(at=node.at, **given)

    def schema(self) -> dict[str, Any]:
        """Names, or a strategy among a selection."""
        strategy = {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                "strategy": {"enum": list(STRATEGIES)},
                "among": SelectorShape().schema(),
            },
        }
        names: list[Any] = _SELECTOR_KEYS["names"][1].schema()["anyOf"]
        return {"anyOf": [*names, strategy]}


class BlockShape(msgspec.Struct, frozen=True):
    """`true`, or the words that the caller is told."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The message; empty for `true`."""
        if isinstance(node, Scalar) and node.value is True:
            return ""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip():
            return node.value
        message = f"'block' is true or a message for the caller, not {kind_of(node)}"
        hint = "remove the line if nothing shall be blocked"
        problems.add(node.at, message, hint=hint, path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """The constant true, or text."""
        return {"anyOf": [{"const": True}, {"type": "string", "minLength": 1}]}


class TagsShape(msgspec.Struct, frozen=True):
    """Tags as names with values."""

    def read(self, node: Node, problems: Problems) -> Any:
        """Pairs of name and value."""
        if not isinstance(node, Mapping):
            problems.add(node.at, f"tags are a mapping, not {kind_of(node)}", path=node.path)
            return WRONG
        pairs = tuple((entry.key, WORD.read(entry.node, problems)) for entry in node.entries)
        return WRONG if any(value is WRONG for _, value in pairs) else pairs

    def schema(self) -> dict[str, Any]:
        """An object of plain values."""
        return {"type": "object", "additionalProperties": WORD.schema()}
