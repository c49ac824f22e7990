"""Levels of sensitivity, alone or with the reason for them."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node
from policies.grammar.words import LEVEL, PROSE
from policies.model.levels import StatedLevel
from policies.problems import Problems
from policies.shapes import WRONG, Key, Record

_REASONED = Record(
    what="a level with its reason",
    build=lambda *, at, level, because: StatedLevel(level, because),
    keys={
        "level": Key(LEVEL, "level: public, internal, confidential or restricted", required=True),
        "because": Key(PROSE, "because: why it may be so, in words for people", required=True),
    },
)


class StatedLevelShape(msgspec.Struct, frozen=True):
    """A level, or `{level, because}` where a proof should not object to it."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The level with its reason, which is empty for the short form."""
        if isinstance(node, Mapping):
            return _REASONED.read(node, problems)
        level = LEVEL.read(node, problems)
        return WRONG if level is WRONG else StatedLevel(level)

    def schema(self) -> dict[str, Any]:
        """One of the levels, or an object with one."""
        return {"anyOf": [LEVEL.schema(), _REASONED.schema()]}


STATED_LEVEL = StatedLevelShape()
