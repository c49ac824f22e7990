"""The section `routes`."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node
from policies.grammar.conditions import ConditionShape
from policies.grammar.selectors import NAMES, SelectorShape
from policies.grammar.words import ID, PROSE
from policies.model.routes import RouteStatement, UseStatement
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG, Choice, Key, Record

STRATEGIES = ("ordered", "cheapest")


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
        names: list[Any] = NAMES.schema()["anyOf"]
        return {"anyOf": [*names, strategy]}


ROUTE = Record(
    what="a route",
    build=RouteStatement,
    keys={
        "id": Key(ID, "id: a short name that decisions and reports show", required=True),
        "because": Key(PROSE, "the reason, in words for people"),
        "when": Key(ConditionShape(), "when it is taken; without it, always"),
        "use": Key(UseShape(), "use: [deployments, best, first]", required=True),
    },
)
