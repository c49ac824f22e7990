"""The section `constraints`."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.document import Mapping, Node, Scalar, kind_of
from policies.grammar.conditions import ConditionShape
from policies.grammar.selectors import SelectorShape
from policies.grammar.words import FINDING, ID, PROSE, TOKENS
from policies.model.constraints import ConstraintStatement, MaskStatement
from policies.problems import Place, Problems
from policies.shapes import WRONG, Choice, Key, ListOf, Record


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


_MASKED = ListOf(item=FINDING, single=True, least=1)


def _mask(*, at: Place, types: tuple[str, ...], style: bool = False) -> MaskStatement:
    return MaskStatement(at=at, types=types, realistic=style)


_STYLED = Record(
    what="a mask",
    build=_mask,
    keys={
        "types": Key(_MASKED, "finding types to hide before sending", required=True),
        "style": Key(
            Choice(options={"placeholder": False, "realistic": True}, what="a style of masks"),
            "what stands in place of a value: a placeholder, or a fake that looks real",
        ),
    },
)


class MaskShape(msgspec.Struct, frozen=True):
    """Finding types, or a mapping that also says what stands in their place."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The mask."""
        if isinstance(node, Mapping):
            return _STYLED.read(node, problems)
        types = _MASKED.read(node, problems)
        return WRONG if types is WRONG else MaskStatement(at=node.at, types=types)

    def schema(self) -> dict[str, Any]:
        """The list, its single value, or the mapping."""
        return {"anyOf": [*_MASKED.schema()["anyOf"], _STYLED.schema()]}


CONSTRAINT = Record(
    what="a constraint",
    build=ConstraintStatement,
    keys={
        "id": Key(ID, "id: a short name that decisions and reports show", required=True),
        "because": Key(PROSE, "the reason, in words for people"),
        "when": Key(ConditionShape(), "when it applies; without it, always"),
        "only": Key(SelectorShape(), "only these deployments may serve"),
        "forbid": Key(SelectorShape(), "these deployments may not serve"),
        "require": Key(
            ListOf(
                item=Choice(options={"self_hosted": "self_hosted"}, what="a requirement"),
                single=True,
                least=1,
            ),
            "what the deployment must be",
        ),
        "cap_output_tokens": Key(TOKENS, "the longest answer"),
        "mask": Key(MaskShape(), "finding types to hide before sending"),
        "block": Key(BlockShape(), "refuse: true, or the message for the caller"),
    },
)
