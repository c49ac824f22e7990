"""Facts that are numbers or levels: compared, within a range, or one of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from policies.document import Node, Scalar, Sequence, kind_of
from policies.grammar.members import words_schema
from policies.model.conditions import Among, Range
from policies.problems import Problems
from policies.shapes import WRONG

#: Reads one bound of a range; None when it cannot.
ReadBound = Callable[[str], Decimal | None]

_COMPARED = re.compile(r"(<=|>=|<|>|==|=)?\s*(\S.*)")
_AMOUNT = re.compile(r"\$?\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*(k|m|%|usd)?", re.IGNORECASE)


class ComparedShape(msgspec.Struct, frozen=True):
    """A number, a comparison, a range or a list; `read_bound` reads one end, `what` names it."""

    read_bound: ReadBound
    what: str
    hint: str

    def read(self, node: Node, problems: Problems) -> Any:
        """The range, or the numbers of which the fact must be one."""
        if isinstance(node, Sequence) and node.items:
            bounds = tuple(
                self.read_bound(item.text) if isinstance(item, Scalar) else None
                for item in node.items
            )
            known = tuple(bound for bound in bounds if bound is not None)
            if len(known) == len(bounds):
                return Among(known)
        elif isinstance(node, Scalar) and node.value is not None:
            found = _range(node.text, self.read_bound)
            if found is not None:
                return found
        message = f"{kind_of(node)} does not compare {self.what}"
        problems.add(node.at, message, hint=self.hint, path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """One plain value or a list of them; which texts fit is left to the reader."""
        return words_schema()


def amount(units: frozenset[str]) -> ReadBound:
    """A reader of amounts that may have one of these units: k, m, % or usd."""
    factors = {"": Decimal(1), "k": Decimal(1000), "m": Decimal(10**6), "%": Decimal("0.01")}
    factors["usd"] = Decimal(1)

    def read(text: str) -> Decimal | None:
        matched = _AMOUNT.fullmatch(text.strip())
        if matched is None:
            return None
        unit = (matched.group(2) or "").lower()
        if unit and unit not in units:
            return None
        return Decimal(matched.group(1)) * factors[unit]

    return read


def _range(text: str, read_bound: ReadBound) -> Range | None:
    if ".." in text:
        ends = [read_bound(end) for end in text.split("..", 1)]
        if ends[0] is None or ends[1] is None or ends[0] > ends[1]:
            return None
        return Range(ends[0], True, ends[1], True)
    matched = _COMPARED.fullmatch(text.strip())
    bound = read_bound(matched.group(2)) if matched else None
    if matched is None or bound is None:
        return None
    match matched.group(1):
        case "<":
            return Range(None, True, bound, False)
        case "<=":
            return Range(None, True, bound, True)
        case ">":
            return Range(bound, False, None, True)
        case ">=":
            return Range(bound, True, None, True)
        case _:
            return Range(bound, True, bound, True)
