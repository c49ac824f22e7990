"""Budgets: the plan, what was spent of it so far, and what the period will come to.

The actual amounts are summed from the ledger and not read from the counters, so that this report
also checks those.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.core.money import divide_half_even
from gateway.core.periods import period_end, period_of, period_start, rolling_seconds
from gateway.reports.asking import Ask, Background, Plan, ReportError
from gateway.reports.selection import choose, dimension_sql, one_row
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of

if TYPE_CHECKING:
    import duckdb

#: How what is left of a period is forecast, by name.
METHODS = {
    "run-rate": "what was spent, at the same pace to the end of the period",
    "last-7-days": "what was spent, and the average of the last 7 days for what is left",
}
_DAY = 86400.0
_KINDS = ("org", "team", "app", "key", "user", "provider", "deployment")
_COLUMNS = (
    Column("scope"),
    Column("per"),
    Column("period"),
    Column("zone", brief=False),
    Column("plan_nanousd", Kind.MONEY, "plan USD"),
    Column("actual_nanousd", Kind.MONEY, "actual USD"),
    Column("used", Kind.SHARE),
    Column("forecast_nanousd", Kind.MONEY, "forecast USD"),
    Column("variance_nanousd", Kind.MONEY, "plan less forecast USD", brief=False),
    Column("method", brief=False),
)


def budget_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Every budget of the policy and of keys, in the period that holds the moment of asking.

    That moment is the end of the span if one was given, so that past periods can be told. Budgets
    lie inside one another, so their rows do not add up; the total is the ledger's for the span.

    Raises:
        ReportError: a way to forecast that does not exist.
    """
    method = ask.method or "run-rate"
    if method not in METHODS:
        raise ReportError(f"'{method}' is no way to forecast; use: {', '.join(METHODS)}")
    total = choose(database, ask)
    now = ask.now if ask.end is None else min(ask.now, ask.end - 1e-3)
    rows = [
        _row(database, plan, scope, now, method)
        for plan in known.plans
        for scope in _scopes(database, plan, known.plans)
    ]
    return Report(
        name="budget",
        title="Budgets: plan, actual and forecast",
        columns=_COLUMNS,
        rows=tuple(rows),
        totals=totals_of(_COLUMNS, rows),
        total_nanousd=total,
        ledger_nanousd=total,
        notes=(
            f"Forecast: {method}: {METHODS[method]}.",
            "Budgets lie inside one another and are not added up.",
        ),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


def _scopes(
    database: duckdb.DuckDBPyConnection, plan: Plan, plans: tuple[Plan, ...]
) -> Iterator[str]:
    """The scopes that a plan means; those of a kind are the ones that the ledger knows."""
    if not plan.scope.endswith(("/*", "=*")):
        yield plan.scope
        return
    begins, value = plan.scope[:-1], _value_sql(plan.scope)
    named = {one.scope for one in plans if one.per == plan.per}
    found = database.execute(f"SELECT DISTINCT {value} AS v FROM lines ORDER BY v").fetchall()
    for (name,) in found:
        if name and begins + name not in named:
            yield begins + name


def _row(
    database: duckdb.DuckDBPyConnection, plan: Plan, scope: str, now: float, method: str
) -> tuple[Cell, ...]:
    start, end = _span(plan, now)
    given = [scope.partition("=" if scope.startswith("tag/") else "/")[2], start, now]
    spent = (
        f"SELECT coalesce(sum(cost_nanousd), 0)::HUGEINT FROM lines WHERE {_value_sql(scope)} = ?"
    )
    actual = int(one_row(database, f"{spent} AND dated >= ? AND dated <= ?", given)[0])
    if end is None:
        forecast, used_method = actual, "none: the budget has no end"
    elif method == "run-rate":
        forecast, used_method = _scaled(actual, end - start, now - start), method
    else:
        begin = max(now - 7 * _DAY, start)
        recent = int(
            one_row(database, f"{spent} AND dated >= ? AND dated <= ?", [given[0], begin, now])[0]
        )
        forecast, used_method = actual + _scaled(recent, end - now, now - begin), method
    period = "rolling" if rolling_seconds(plan.per) else period_of(plan.per, now, plan.zone)
    share = actual / plan.cap_nanousd if plan.cap_nanousd else None
    left = plan.cap_nanousd - forecast
    return (
        *(scope, plan.per, period, plan.zone, plan.cap_nanousd, actual),
        *(share, forecast, left, used_method),
    )


def _span(plan: Plan, now: float) -> tuple[float, float | None]:
    """When the period began and when it ends; a rolling window ends now."""
    rolling = rolling_seconds(plan.per)
    if rolling:
        return now - rolling, None
    if plan.per == "total":
        return 0.0, None
    return period_start(plan.per, now, plan.zone).timestamp(), period_end(plan.per, now, plan.zone)


def _scaled(amount: int, wanted: float, seen: float) -> int:
    """An amount of a span, at the same pace for another one; seconds are told apart to 1/1000."""
    milliseconds = round(seen * 1000)
    return divide_half_even(amount * round(wanted * 1000), milliseconds) if milliseconds > 0 else 0


def _value_sql(scope: str) -> str:
    """SQL of what a line has in the place of a scope's kind."""
    kind, _, name = scope.partition("/")
    if kind == "tag":
        return dimension_sql(f"tag:{name.partition('=')[0]}")
    if kind not in _KINDS:
        raise ReportError(f"'{scope}' is not a scope of the ledger")
    return dimension_sql(kind)
