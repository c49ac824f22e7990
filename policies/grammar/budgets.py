"""The section `budgets`."""

from __future__ import annotations

from decimal import Decimal

from gateway.core.ledger import PERIODS
from policies.model.budgets import BudgetStatement
from policies.shapes import Amount, Choice, Key, Record, Text

ON_EXHAUSTED = ("refuse", "self_hosted_only")

BUDGET = Record(
    what="a budget",
    build=BudgetStatement,
    keys={
        "scope": Key(
            Text(what="a scope"), "scope: team/support, or team/* for each team", required=True
        ),
        "usd": Key(Amount(most=Decimal(9_000_000)), "usd: dollars for one period", required=True),
        "per": Key(Choice(options={name: name for name in PERIODS}, what="a period"), "the period"),
        "on_exhausted": Key(
            Choice(options={name: name for name in ON_EXHAUSTED}, what="a way to go on"),
            "what happens when it is used up",
        ),
    },
)
