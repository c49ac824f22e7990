"""Numbers of tokens as people write them: 8192, 32k, 1m."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from policies.document import Node, Scalar, kind_of
from policies.problems import Problems
from policies.shapes import WRONG

_SIZE = re.compile(r"([0-9]{1,9})([kKmM]?)")
#: 1k is 1000, so that "at least 32k" also fits a window of 32,768.
_UNITS = {"": 1, "k": 1000, "m": 1_000_000}


def tokens_of(text: str) -> int | None:
    """The number of tokens that a text like 8192, 32k or 1m means; None for another text."""
    matched = _SIZE.fullmatch(text.strip())
    return int(matched[1]) * _UNITS[matched[2].lower()] if matched is not None else None


class SizeShape(msgspec.Struct, frozen=True):
    """A number of tokens, with or without a unit."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The number."""
        tokens = tokens_of(node.text) if isinstance(node, Scalar) else None
        if tokens is None:
            message = f"a number of tokens was expected here, not {kind_of(node)}"
            problems.add(node.at, message, hint="such as 8192, 32k or 1m", path=node.path)
            return WRONG
        return tokens

    def schema(self) -> dict[str, Any]:
        """An integer, or text with a unit."""
        text = {"type": "string", "pattern": "^[0-9]{1,9}[kKmM]?$"}
        return {"anyOf": [{"type": "integer", "minimum": 0}, text]}
