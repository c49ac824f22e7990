"""What a route uses: deployments in order, or a strategy with what belongs to it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from policies.document import Mapping, Node, Scalar, kind_of
from policies.grammar.checks import ChecksShape
from policies.grammar.selectors import NAMES, SelectorShape
from policies.grammar.targets import ShareShape, TargetShape
from policies.grammar.words import NAME_PATTERN
from policies.model.routes import Share, UseStatement, WeightsStatement
from policies.problems import Problems
from policies.shapes import WRONG, Choice, Key, Record

STRATEGIES = ("ordered", "cheapest", "fastest", "balanced", "split", "cascade")
#: More than so much is an experiment: that is what `split` is for.
EXPLORED_AT_MOST = Decimal("0.2")
_UP_TO_A_FIFTH = r"1?[0-9](\.[0-9]{1,6})?|20(\.0{1,6})?"
STICKY = ("session", "user", "app", "team", "key")

_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%?")


class PartShape(msgspec.Struct, frozen=True):
    """A part of a whole: a number, with or without a percent sign; only proportions count."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The number."""
        matched = _PART.fullmatch(node.text.strip()) if isinstance(node, Scalar) else None
        if matched is not None:
            return Decimal(matched.group(1))
        message = f"a part such as 90 or 90% was expected here, not {kind_of(node)}"
        problems.add(node.at, message, path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """A number, or text with a percent sign."""
        text = {"type": "string", "pattern": "^[0-9]{1,9}(\\.[0-9]{1,9})? *%?$"}
        return {"anyOf": [{"type": "number", "minimum": 0}, text]}


class SharesShape(msgspec.Struct, frozen=True):
    """Deployments by name with their parts."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The shares in the order of the file."""
        if not isinstance(node, Mapping) or not node.entries:
            message = f"shares are deployments with their parts, not {kind_of(node)}"
            hint = "shares: {house: 90, frontier: 10}"
            problems.add(node.at, message, hint=hint, path=node.path)
            return WRONG
        parts = [(entry, PartShape().read(entry.node, problems)) for entry in node.entries]
        if any(part is WRONG for _, part in parts):
            return WRONG
        if not any(part for _, part in parts):
            problems.add(node.at, "every share is 0", hint="give one a part", path=node.path)
            return WRONG
        return tuple(Share(entry.key, part, entry.at) for entry, part in parts)

    def schema(self) -> dict[str, Any]:
        """An object of parts."""
        return {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^(?:{NAME_PATTERN})$"},
            "additionalProperties": PartShape().schema(),
        }


_WEIGHTS = Record(
    what="weights",
    build=WeightsStatement,
    keys={
        "cost": Key(PartShape(), "how much the expected cost of the request counts"),
        "latency": Key(PartShape(), "how much the expected time to the whole answer counts"),
        "quality": Key(PartShape(), "how much the predicted quality of the answer counts"),
    },
)
_USE = Record(
    what="use",
    build=UseStatement,
    keys={
        "strategy": Key(
            Choice(options={name: name for name in STRATEGIES}, what="a strategy"),
            "how the deployments are ordered",
        ),
        "among": Key(SelectorShape(), "the deployments; without it, all"),
        "weights": Key(_WEIGHTS, "of balanced: what counts how much"),
        "shares": Key(SharesShape(), "of split: which deployment gets which part of the requests"),
        "sticky": Key(
            Choice(options={name: name for name in STICKY}, what="something to stick to"),
            "what stays with the deployment that served it",
        ),
        "cascade": Key(SelectorShape(), "the deployments from the lowest rung up; a cascade"),
        "checks": Key(ChecksShape(), "of cascade: what an answer must pass, but the last one's"),
        "least_quality": Key(
            ShareShape(), "of cascade: it begins with the first one that is predicted this quality"
        ),
        "explore": Key(
            ShareShape(most=EXPLORED_AT_MOST, percents=_UP_TO_A_FIFTH),
            "the share of the requests for which another candidate comes first, to learn from",
        ),
        "target": Key(
            TargetShape(), "what the route aims at, with the last deployment as the strong one"
        ),
    },
)


class UseShape(msgspec.Struct, frozen=True):
    """A list of deployments in order, or `{strategy, among, …}`."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The statement; without a strategy the order of the names counts."""
        if not isinstance(node, Mapping):
            chosen = SelectorShape().read(node, problems)
            return WRONG if chosen is WRONG else UseStatement(at=node.at, among=chosen)
        if not node.entries:
            hint = "use: [house, frontier]"
            problems.add(node.at, "'use' names no deployment", hint=hint, path=node.path)
            return WRONG
        use = _USE.read(node, problems)
        if use is WRONG or not isinstance(use, UseStatement):
            return WRONG
        wrong, hint = _mismatch(use)
        if wrong:
            problems.add(use.at, wrong, hint=hint, path=node.path)
            return WRONG
        if use.target is not None:
            return msgspec.structs.replace(use, strategy="target")
        if use.cascade is None:
            return use
        return msgspec.structs.replace(use, strategy="cascade", among=use.cascade, cascade=None)

    def schema(self) -> dict[str, Any]:
        """Names, or a strategy among a selection."""
        names: list[Any] = NAMES.schema()["anyOf"]
        return {"anyOf": [*names, {"minProperties": 1, **_USE.schema()}]}


def _mismatch(use: UseStatement) -> tuple[str, str]:
    """What does not belong together, with a hint; empty when all does."""
    weights = use.weights
    if use.explore and use.strategy == "split":
        return "'split' draws already; it does not 'explore'", "remove 'explore'"
    if use.target is not None and (
        use.among is None or use.strategy != "ordered" or use.cascade is not None
    ):
        hint = "among: [house, frontier], target: {frontier_share: 20%}"
        return "'target' is the strategy and needs 'among', the strong deployment last", hint
    if use.cascade is not None and (use.among is not None or use.strategy != "ordered"):
        return "'cascade' is the strategy and names the deployments", "cascade: [house, frontier]"
    if use.least_quality and use.cascade is None and use.strategy != "cascade":
        return "'least_quality' belongs to the strategy 'cascade'", "cascade: [house, frontier]"
    if use.checks is not None and use.cascade is None and use.strategy != "cascade":
        return "'checks' belong to the strategy 'cascade'", "cascade: [house, frontier]"
    if use.cascade is not None and (weights is not None or use.shares):
        return "'cascade' has neither weights nor shares", "cascade: [house, frontier]"
    if use.strategy == "balanced" and weights is None:
        hint = "weights: {cost: 40%, latency: 20%, quality: 40%}"
        return "'balanced' needs the key 'weights'", hint
    if use.strategy != "balanced" and weights is not None:
        return "'weights' belong to the strategy 'balanced'", "strategy: balanced"
    if weights is not None and not (weights.cost or weights.latency or weights.quality):
        return "every weight is 0", "give one a part"
    if use.strategy == "split" and not use.shares:
        return "'split' needs the key 'shares'", "shares: {house: 90, frontier: 10}"
    if use.strategy != "split" and use.shares:
        return "'shares' belong to the strategy 'split'", "strategy: split"
    if use.shares and use.among is not None:
        return "'split' takes its deployments from 'shares'", "remove 'among'"
    return "", ""
