"""The section `budgets`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.periods import PERIODS, is_period, zone_of
from policies.document import Node, Scalar, kind_of
from policies.grammar.endpoints import SecretShape, UrlShape
from policies.model.budgets import BudgetStatement, WebhookStatement
from policies.problems import Problems, did_you_mean
from policies.shapes import WRONG, Amount, Choice, Key, ListOf, Record, Text, Whole

ON_EXHAUSTED = ("refuse", "self_hosted_only", "downgrade", "notify")


class PeriodShape(msgspec.Struct, frozen=True):
    """A period of the calendar, a rolling window such as `24h`, or total."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The period as it is written."""
        text = node.text.strip() if isinstance(node, Scalar) else ""
        if is_period(text):
            return text
        hint = did_you_mean(text, PERIODS) or f"{', '.join(PERIODS)}, or a window such as 24h, 30d"
        problems.add(node.at, f"{kind_of(node)} is not a period", hint=hint, path=node.path)
        return WRONG

    def schema(self) -> dict[str, Any]:
        """A known period or a number with a unit."""
        return {"anyOf": [{"enum": list(PERIODS)}, {"pattern": "^[1-9][0-9]{0,4}[mhd]$"}]}


class ZoneNameShape(msgspec.Struct, frozen=True):
    """A named time zone."""

    def read(self, node: Node, problems: Problems) -> Any:
        """The name."""
        text = node.text.strip() if isinstance(node, Scalar) else ""
        try:
            zone_of(text)
        except ValueError as error:
            problems.add(node.at, str(error), path=node.path)
            return WRONG
        return text

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string"}


WEBHOOK = Record(
    what="a webhook",
    build=WebhookStatement,
    keys={
        "url": Key(
            UrlShape(), "the address that is told; redirects are not followed", required=True
        ),
        "secret": Key(
            SecretShape(), "what messages are signed with, as env:NAME or file:PATH", required=True
        ),
    },
)
BUDGET = Record(
    what="a budget",
    build=BudgetStatement,
    keys={
        "scope": Key(
            Text(what="a scope"),
            "scope: team/support, team/* for each team, provider/NAME, deployment/NAME or "
            "tag/project=apollo",
            required=True,
        ),
        "usd": Key(Amount(most=Decimal(9_000_000)), "usd: dollars for one period", required=True),
        "per": Key(PeriodShape(), "the period, or a rolling window such as 24h"),
        "zone": Key(ZoneNameShape(), "the time zone in which the period begins: Europe/Berlin"),
        "on_exhausted": Key(
            Choice(options={name: name for name in ON_EXHAUSTED}, what="a way to go on"),
            "what happens when it is used up",
        ),
        "shrink_to": Key(
            Whole(least=1, most=10_000_000),
            "the smallest output cap that a request may be cut down to before it is refused",
        ),
        "warn_at": Key(
            ListOf(item=Amount(positive=True, most=Decimal(10)), single=True, least=1),
            "shares of the budget at which somebody is told: [0.5, 0.8, 1]",
        ),
        "webhook": Key(WEBHOOK, "who is told at each of these shares, besides the client"),
    },
)
