"""What a route aims at: a share for the frontier, a quality, or money for a period."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.money import usd_to_nano
from gateway.core.targets import Target
from policies.document import Mapping, Node, Scalar, kind_of
from policies.problems import Place, Problems
from policies.shapes import WRONG, Amount, Choice, Key, Record

#: The periods that money can be spent in.
PERIODS = ("hour", "day", "week", "month", "quarter")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%|(0?\.[0-9]{1,8}|[01](?:\.0{1,8})?)")
_HINT = "target: {frontier_share: 20%}, {quality: 95%} or {spend: 500 USD/month}"


class ShareShape(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the whole, `20%` or `0.2`, up to `most`; `percents` is what editors let pass."""

    most: Decimal = Decimal(1)
    percents: str = r"[0-9]{1,2}(\.[0-9]{1,6})?|100(\.0{1,6})?"

    def read(self, node: Node, problems: Problems) -> Any:
        """The part, 0..1."""
        text = node.text.strip() if isinstance(node, Scalar) else ""
        matched = _SHARE.fullmatch(text)
        share = Decimal(-1)
        if matched is not None:
            share = Decimal(matched[1]) / 100 if matched[1] else Decimal(matched[2])
        if not 0 <= share <= self.most:
            bound = f"of at most {self.most * 100:f}%" if self.most < 1 else "such as 20%"
            message = f"a share {bound} was expected here, not {kind_of(node)}"
            problems.add(node.at, message, path=node.path)
            return WRONG
        return float(share)

    def schema(self) -> dict[str, Any]:
        """Text with a percent sign, or a number from 0 to 1."""
        text = {"type": "string", "pattern": f"^({self.percents}) *%$"}
        return {"anyOf": [text, {"type": "number", "minimum": 0, "maximum": float(self.most)}]}


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """Money for a period, as the file has it."""

    at: Place
    usd: Decimal
    per: str


_SPEND = Record(
    what="spend",
    build=Spend,
    keys={
        "usd": Key(Amount(positive=True), "how much in a period, in USD", required=True),
        "per": Key(
            Choice(options={name: name for name in PERIODS}, what="a period"),
            "the period of the calendar, in UTC",
            required=True,
        ),
    },
)
_WRITTEN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*USD\s*/\s*(" + "|".join(PERIODS) + ")")


class SpendShape(msgspec.Struct, frozen=True):
    """`{usd: 500, per: month}`, or `500 USD/month`."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The money and its period."""
        if not isinstance(node, Scalar):
            return _SPEND.read(node, problems)
        matched = _WRITTEN.fullmatch(node.text.strip())
        if matched is None or not Decimal(matched[1]):
            message = f"money for a period was expected here, not {kind_of(node)}"
            hint = "spend: 500 USD/month, or {usd: 500, per: month}"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        return Spend(at=node.at, usd=Decimal(matched[1]), per=matched[2])

    def schema(self) -> dict[str, Any]:
        """An object, or text."""
        periods = "|".join(PERIODS)
        amount = "(?!0+(\\.0+)? )[0-9]{1,9}(\\.[0-9]{1,9})?"
        text = {"type": "string", "pattern": f"^{amount} *USD */ *({periods})$"}
        return {"anyOf": [_SPEND.schema(), text]}


_KINDS: dict[str, tuple[Any, str]] = {
    "frontier_share": (ShareShape(), "the share of the requests that the last deployment gets"),
    "quality": (ShareShape(), "the mean predicted quality, with as few of them as will do"),
    "spend": (SpendShape(), "what the route may cost in a period, spent where it helps most"),
}


class TargetShape(msgspec.Struct, frozen=True):
    """A mapping with one of the three."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The target."""
        entries = node.entries if isinstance(node, Mapping) else ()
        if len(entries) != 1 or entries[0].key not in _KINDS:
            message = f"a target is one of {', '.join(_KINDS)}"
            problems.add(node.at, message, hint=_HINT, path=node.path)
            return WRONG
        kind = entries[0].key
        found = _KINDS[kind][0].read(entries[0].node, problems)
        if found is WRONG:
            return WRONG
        if isinstance(found, Spend):
            return Target(kind=kind, goal=float(usd_to_nano(found.usd)), per=found.per)
        return Target(kind=kind, goal=found)

    def schema(self) -> dict[str, Any]:
        """An object with one of the three."""
        properties = {
            name: {"description": about, **shape.schema()}
            for name, (shape, about) in _KINDS.items()
        }
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": properties,
        }
