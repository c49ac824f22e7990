"""The section `degradation`."""

from __future__ import annotations

from gateway.core.degradation import MOMENTS
from policies.model.degradation import DegradationStatement
from policies.shapes import Choice, Key, Record


def _answers(moment: str) -> Choice:
    return Choice(options={one: one for one in MOMENTS[moment]}, what="a way to go on")


DEGRADATION = Record(
    what="degradation",
    build=DegradationStatement,
    keys={
        "redis_down": Key(
            _answers("redis_down"),
            "while Redis is away: refuse, spend slices of budgets, or these at home only",
        ),
        "classifier_failed": Key(
            _answers("classifier_failed"),
            "requests that could not be judged whole; they count as restricted in any case",
        ),
        "price_unknown": Key(
            _answers("price_unknown"),
            "a deployment that nobody knows the price of: refuse the file, or leave it out",
        ),
        "no_candidate": Key(
            _answers("no_candidate"),
            "nothing of the route may serve: refuse, or whoever at home may",
        ),
        "budget_exhausted": Key(
            _answers("budget_exhausted"), "budgets that do not say it themselves"
        ),
        "provider_down": Key(
            _answers("provider_down"),
            "a deployment failed: the next of the route, only those at home, or none",
        ),
    },
)
