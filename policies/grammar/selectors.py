"""Deployments by name or by what they are."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node, Sequence
from policies.grammar.sizes import SizeShape
from policies.grammar.words import LEVEL, NAME, NEED, WORD, ZONE
from policies.model.selectors import Selector
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG, Choice, Flag, ListOf

NAMES = ListOf(item=NAME, single=True, least=1)
_WORDS = ListOf(item=WORD, single=True, least=1)
_SELECTOR_KEYS: dict[str, tuple[str, Any, str]] = {
    "names": ("names", NAMES, "deployments by name"),
    "provider": ("providers", _WORDS, "one of these providers"),
    "adapter": ("adapters", _WORDS, "one of these adapters"),
    "model": ("models", _WORDS, "one of these models; a '*' at the end is allowed"),
    "self_hosted": ("self_hosted", Flag(), "whether it runs on the company's own machines"),
    "clearance": ("clearance", LEVEL, "at least this clearance"),
    "zone": ("zones", ListOf(item=ZONE, single=True, least=1), "in one of these zones"),
    "min_context": ("min_context", SizeShape(), "at least this context window, such as 32k"),
    "license": (
        "licence",
        Choice(options={one: one for one in ("commercial", "non_commercial")}, what="a licence"),
        "what the model's licence allows, by its profile; models that are a service are commercial",
    ),
    "best_at": (
        "best_at",
        Choice(options={one: one for one in ("code", "maths", "knowledge")}, what="a skill"),
        "the best of those that fit, by the benchmark scores in the models' profiles",
    ),
    "capabilities": (
        "capabilities",
        ListOf(item=NEED, single=True, least=1),
        "all of these capabilities",
    ),
}


class SelectorShape(msgspec.Struct, frozen=True):
    """Deployments: a name, a list of names, or a mapping of what they must be."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The selector."""
        if not isinstance(node, Mapping):
            names = NAMES.read(node, problems)
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
    names = NAMES.schema()
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
