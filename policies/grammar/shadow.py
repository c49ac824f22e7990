"""Who gets a copy of a route's requests, for comparison."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node
from policies.grammar.targets import ShareShape
from policies.grammar.words import NAME
from policies.model.routes import ShadowStatement
from policies.problems import Problems
from policies.shapes import WRONG, Key, Record

_SHADOW = Record(
    what="a shadow",
    build=ShadowStatement,
    keys={
        "deployment": Key(NAME, "deployment: who gets the copy", required=True),
        "share": Key(ShareShape(), "the share of the requests that are copied; without it, all"),
        "judge": Key(NAME, "who is asked which of the two answers is adequate"),
    },
)


class ShadowShape(msgspec.Struct, frozen=True):
    """A deployment's name, or a mapping that also says which share of the requests."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The statement."""
        if isinstance(node, Mapping):
            return _SHADOW.read(node, problems)
        name = NAME.read(node, problems)
        return WRONG if name is WRONG else ShadowStatement(at=node.at, deployment=name)

    def schema(self) -> dict[str, Any]:
        """The name or the mapping."""
        return {"anyOf": [NAME.schema(), _SHADOW.schema()]}
