"""A `when`: facts with what is asked of them, and the groups `any`, `all` and `not`."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Entry, Mapping, Node, Scalar, Sequence, kind_of, shortened
from policies.grammar.facts import FACTS
from policies.model.conditions import Group, Term
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG

GROUPS = ("any", "all", "not")


class ConditionShape(msgspec.Struct, frozen=True):
    """The value of `when`."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The condition: a group over everything that stands in it."""
        return read_condition(node, problems)

    def schema(self) -> dict[str, Any]:
        """A reference to the recursive definition."""
        return {"$ref": "#/$defs/condition"}


def read_condition(node: Node, problems: Problems) -> Any:
    """Read a mapping of facts as a condition, or note what is wrong and give `WRONG`."""
    if not isinstance(node, Mapping):
        message = f"a condition is a mapping of facts, not {kind_of(node)}"
        problems.add(node.at, message, hint=f"facts: {', '.join(FACTS)}", path=node.path)
        return WRONG
    parts = [_read_entry(entry, problems) for entry in node.entries]
    if WRONG in parts:
        return WRONG
    return parts[0] if len(parts) == 1 else Group("all", tuple(parts), node.at)


def condition_schema() -> dict[str, Any]:
    """The definition that `ConditionShape` refers to."""
    condition = {"$ref": "#/$defs/condition"}
    several = {"type": "array", "items": condition, "minItems": 1}
    facts = {name: shape.schema() for name, shape in FACTS.items()}
    groups = {"any": several, "all": several, "not": {"anyOf": [condition, several]}}
    return {"type": "object", "additionalProperties": False, "properties": {**facts, **groups}}


def _read_entry(entry: Entry, problems: Problems) -> Any:
    if entry.key in GROUPS:
        return _read_group(entry, problems)
    shape = FACTS.get(entry.key)
    if shape is None:
        hint = did_you_mean(entry.key, (*FACTS, *GROUPS))
        message = f"there is no fact '{entry.key}'"
        problems.add(entry.at, message, hint=hint, path=entry.node.path)
        return WRONG
    test = shape.read(entry.node, problems)
    if test is WRONG:
        return WRONG
    return Term(entry.key, test, f"{entry.key}: {written(entry.node)}", entry.at)


def _read_group(entry: Entry, problems: Problems) -> Any:
    node = entry.node
    if entry.key == "not" and isinstance(node, Mapping):
        nodes: tuple[Node, ...] = (node,)
    elif isinstance(node, Sequence) and node.items:
        nodes = node.items
    else:
        message = f"'{entry.key}' takes a list of conditions, not {kind_of(node)}"
        if isinstance(node, Sequence):
            message = f"'{entry.key}' needs at least one condition"
        hint = f"{entry.key}: [{{team: support}}, {{app: helpdesk}}]"
        problems.add(node.at, message, hint=hint, path=node.path)
        return WRONG
    parts = tuple(read_condition(part, problems) for part in nodes)
    return WRONG if WRONG in parts else Group(entry.key, parts, entry.at)


def written(node: Node) -> str:
    """A node as one line of text, for explaining."""
    if isinstance(node, Scalar):
        return shortened(node.text, 80)
    if isinstance(node, Sequence):
        return shortened(f"[{', '.join(written(item) for item in node.items[:12])}]", 200)
    pairs = (f"{entry.key}: {written(entry.node)}" for entry in node.entries[:12])
    return shortened(f"{{{', '.join(pairs)}}}", 200)
