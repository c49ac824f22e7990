"""Tags as a mapping of names to values."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node, kind_of
from policies.grammar.words import WORD
from policies.problems import Problems
from policies.shapes import WRONG


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
