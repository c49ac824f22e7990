"""What a value in a policy file may look like: each shape reads a node and describes itself.

Rules of this file:
- `read` gives the value or `WRONG` after noting every problem; it never raises;
- `schema` gives the same shape as JSON Schema, so that editors and the reader cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from policies.document import Mapping, Node, Scalar, Sequence, kind_of
from policies.problems import Problems, did_you_mean


class Wrong:
    """The type of `WRONG`: a value that could not be read, whose problem has been noted."""

    def __repr__(self) -> str:
        return "WRONG"


WRONG: Final = Wrong()


class Shape(Protocol):
    """One kind of value."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The value, or `WRONG` after its problems were noted."""
        ...

    def schema(self) -> dict[str, Any]:
        """The shape as JSON Schema."""
        ...


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Words; `pattern` must match the whole of them, and `what` names them in messages."""

    what: str = "text"
    pattern: str = ""
    longest: int = 2000
    numbers: bool = False

    def read(self, node: Node, problems: Problems) -> Any:
        """The text; numbers are taken as they are written when the shape allows them."""
        plain = isinstance(node, Scalar) and (
            isinstance(node.value, str)
            or (self.numbers and node.value is not None and not isinstance(node.value, bool))
        )
        if not plain or not isinstance(node, Scalar) or not node.text.strip():
            return _wrong(node, problems, f"{self.what} was expected here, not {kind_of(node)}")
        if len(node.text) > self.longest:
            return _wrong(node, problems, f"longer than {self.longest} characters")
        if self.pattern and not re.fullmatch(self.pattern, node.text):
            return _wrong(node, problems, f"{kind_of(node)} is not {self.what}")
        return node.text

    def schema(self) -> dict[str, Any]:
        """A string, with the pattern."""
        drawn: dict[str, Any] = {"type": ["string", "number"] if self.numbers else "string"}
        if self.pattern:
            drawn["pattern"] = f"^(?:{self.pattern})$"
        return drawn


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A whole number within bounds."""

    least: int = 0
    most: int = 2**53 - 1

    def read(self, node: Node, problems: Problems) -> Any:
        """The number."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int):
            return _wrong(node, problems, f"a whole number was expected here, not {kind_of(node)}")
        if not self.least <= value <= self.most:
            return _wrong(node, problems, f"{value} is not within {self.least}..{self.most}")
        return value

    def schema(self) -> dict[str, Any]:
        """An integer with its bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """A number within bounds, kept exactly as written."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal(10) ** 12
    positive: bool = False

    def read(self, node: Node, problems: Problems) -> Any:
        """The number as a decimal."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return _wrong(node, problems, f"a number was expected here, not {kind_of(node)}")
        amount = Decimal(value)
        if not self.least <= amount <= self.most or (self.positive and amount <= 0):
            bounds = f"above 0 and at most {self.most}" if self.positive else ""
            words = bounds or f"within {self.least}..{self.most}"
            text = node.text if isinstance(node, Scalar) else ""
            return _wrong(node, problems, f"{text} is not {words}")
        return amount

    def schema(self) -> dict[str, Any]:
        """A number with its bounds."""
        lowest = "exclusiveMinimum" if self.positive else "minimum"
        return {"type": "number", lowest: _json(self.least), "maximum": _json(self.most)}


class Flag(msgspec.Struct, frozen=True):
    """true or false."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The flag."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        return _wrong(node, problems, f"true or false was expected here, not {kind_of(node)}")

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of a few words, each with what it stands for."""

    options: MappingOf[str, Any]
    what: str

    def read(self, node: Node, problems: Problems) -> Any:
        """What the word stands for."""
        text = node.text if isinstance(node, Scalar) else ""
        if text in self.options:
            return self.options[text]
        hint = did_you_mean(text, self.options)
        return _wrong(node, problems, f"{kind_of(node)} is not {self.what}", hint)

    def schema(self) -> dict[str, Any]:
        """An enumeration of the words."""
        return {"enum": list(self.options)}


class ListOf(msgspec.Struct, frozen=True, kw_only=True):
    """A list of one shape; `single` allows one value without the brackets."""

    item: Any
    single: bool = False
    least: int = 0

    def read(self, node: Node, problems: Problems) -> Any:
        """The values as a tuple."""
        if self.single and not isinstance(node, Sequence):
            value = self.item.read(node, problems)
            return WRONG if value is WRONG else (value,)
        if not isinstance(node, Sequence):
            return _wrong(node, problems, f"a list was expected here, not {kind_of(node)}")
        if len(node.items) < self.least:
            return _wrong(node, problems, f"the list needs at least {self.least} entries")
        values = tuple(self.item.read(item, problems) for item in node.items)
        return WRONG if WRONG in values else values

    def schema(self) -> dict[str, Any]:
        """An array, or the single value where that is allowed."""
        drawn = {"type": "array", "items": self.item.schema()}
        if self.least:
            drawn["minItems"] = self.least
        return {"anyOf": [self.item.schema(), drawn]} if self.single else drawn


class PairsOf(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping from free names to one shape, read as pairs in the order of the file.

    `known` restricts the names.
    """

    item: Any
    what: str
    pattern: str = r"\S(.{0,198}\S)?"
    known: frozenset[str] = frozenset()

    def read(self, node: Node, problems: Problems) -> Any:
        """The pairs as a tuple."""
        if not isinstance(node, Mapping):
            if isinstance(node, Scalar) and node.value is None:
                return ()
            words = f"{self.what} by name were expected here, not {kind_of(node)}"
            return _wrong(node, problems, words)
        pairs = []
        for entry in node.entries:
            if self.known and entry.key not in self.known:
                hint = did_you_mean(entry.key, self.known)
                problems.add(entry.at, f"'{entry.key}' is not one of {self.what}", hint=hint)
            elif not re.fullmatch(self.pattern, entry.key):
                problems.add(entry.at, f"'{entry.key}' is not a usable name for {self.what}")
            value = self.item.read(entry.node, problems)
            if value is not WRONG:
                pairs.append((entry.key, value))
        return tuple(pairs)

    def schema(self) -> dict[str, Any]:
        """An object whose values have the shape."""
        drawn: dict[str, Any] = {"type": "object", "additionalProperties": self.item.schema()}
        if self.known:
            drawn["propertyNames"] = {"enum": sorted(self.known)}
        return drawn


class Key(msgspec.Struct, frozen=True):
    """One key of a record: its shape and what it means."""

    shape: Any
    about: str
    required: bool = False


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping with fixed keys that becomes a value by `build(at=…, **values)`."""

    what: str
    keys: MappingOf[str, Key]
    build: Callable[..., Any]

    def read(self, node: Node, problems: Problems) -> Any:
        """The built value; `WRONG` when a key is wrong, unknown or missing."""
        return self.read_named(node, problems, {})

    def read_named(self, node: Node, problems: Problems, given: MappingOf[str, Any]) -> Any:
        """The built value with fields that stand outside of it, such as a deployment's name."""
        if not isinstance(node, Mapping):
            return _wrong(node, problems, f"{self.what} is a mapping, not {kind_of(node)}")
        values: dict[str, Any] = {"at": node.at, **given}
        fine = True
        for entry in node.entries:
            key = self.keys.get(entry.key)
            if key is None:
                fine = False
                message = f"{self.what} has no key '{entry.key}'"
                hint = did_you_mean(entry.key, self.keys)
                problems.add(entry.at, message, hint=hint, path=entry.node.path)
                continue
            value = key.shape.read(entry.node, problems)
            fine = fine and value is not WRONG
            values[entry.key] = value
        present = {entry.key for entry in node.entries}
        for name, key in self.keys.items():
            if key.required and name not in present:
                fine = False
                problems.add(
                    values["at"],
                    f"{self.what} needs the key '{name}'",
                    hint=key.about,
                    path=node.path,
                )
        return self.build(**values) if fine else WRONG

    def schema(self) -> dict[str, Any]:
        """An object with these keys and no others."""
        drawn: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: {"description": key.about, **key.shape.schema()}
                for name, key in self.keys.items()
            },
        }
        required = [name for name, key in self.keys.items() if key.required]
        if required:
            drawn["required"] = required
        return drawn


class NamedRecords(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping from names to records, read as a tuple of values that know their names."""

    record: Record
    pattern: str
    may_be_empty: bool = False

    def read(self, node: Node, problems: Problems) -> Any:
        """The built values in the order of the file."""
        if not isinstance(node, Mapping):
            words = f"{self.record.what} entries by name were expected here, not {kind_of(node)}"
            return _wrong(node, problems, words)
        values = []
        for entry in node.entries:
            if not re.fullmatch(self.pattern, entry.key):
                hint = "letters, digits and . _ : / @ - only"
                problems.add(entry.at, f"'{entry.key}' is not a usable name", hint=hint)
            body = entry.node
            if self.may_be_empty and isinstance(body, Scalar) and body.value is None:
                body = Mapping((), entry.at, body.path)
            values.append(
                self.record.read_named(body, problems, {"name": entry.key, "at": entry.at})
            )
        return WRONG if WRONG in values else tuple(values)

    def schema(self) -> dict[str, Any]:
        """An object whose values are the record."""
        item = self.record.schema()
        if self.may_be_empty:
            item = {"anyOf": [item, {"type": "null"}]}
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^(?:{self.pattern})$"},
            "additionalProperties": item,
        }


def _wrong(node: Node, problems: Problems, message: str, hint: str = "") -> Wrong:
    problems.add(node.at, message, hint=hint, path=node.path)
    return WRONG


def _json(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)
