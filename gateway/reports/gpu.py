"""Own machines: how busy they were, what a token really cost, and when an API would be cheaper.

The row `standard cost` is what the ledger booked, the row `idle and variance` what the bill has
beside it, so that both rows are the bill.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gateway.core.deployment import Deployment
from gateway.core.money import MILLION, divide_half_even
from gateway.reports.asking import MONTH_HOURS, Ask, Background
from gateway.reports.machines import MachineMonth, machine_months, unknown_bills
from gateway.reports.selection import choose, one_row
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    Column("month"),
    Column("deployment"),
    Column("row"),
    Column("hours", Kind.NUMBER, adds=False, brief=False),
    Column("busy_hours", Kind.NUMBER, brief=False),
    Column("utilisation", Kind.SHARE),
    Column("stated_utilisation", Kind.SHARE, brief=False),
    Column("tokens", Kind.COUNT, adds=True),
    Column("per_mtok_nanousd", Kind.MONEY, "USD per 1M tokens", brief=False),
    Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True),
)


def gpu_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Each own machine in each month: standard cost, idle and variance, and the bill they make;
    see `gateway.reports.machines.machine_months` for what the bill is."""
    total = choose(database, ask)
    rows = [row for one in machine_months(database, ask, known) for row in _rows_of(one)]
    notes: list[str] = []
    for name, deployment in known.deployments.items():
        notes += break_even(database, name, deployment, known)
    notes += unknown_bills(ask, known)
    totals = totals_of(_COLUMNS, rows)
    return Report(
        name="gpu",
        title="Own machines: standard cost, idle time and the bill",
        columns=_COLUMNS,
        rows=tuple(rows),
        totals=totals,
        total_nanousd=whole(totals[-1]),
        ledger_nanousd=total,
        notes=tuple(notes),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
        grouped=2,
    )


def _rows_of(one: MachineMonth) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    machine, hours, busy = one.deployment.price.machine, one.hours, one.busy_seconds / 3600
    used = busy / float(hours) if hours else None
    stated = None if machine is None else machine.utilisation
    per_token = divide_half_even(one.bill_nanousd * MILLION, one.tokens) if one.tokens else None
    named = (one.month, one.deployment.name)
    told = (float(round(hours, 3)), round(busy, 3), used, stated, one.tokens, per_token)
    idle = (None, None, None, None, 0, None, one.idle_nanousd)
    return (
        (*named, "standard cost", *told, one.standard_nanousd),
        (*named, "idle and variance", *idle),
    )


def break_even(
    database: duckdb.DuckDBPyConnection, name: str, deployment: Deployment, known: Background
) -> list[str]:
    """How many tokens a month make a machine as cheap as each API, with the mix of the span."""
    machine = deployment.price.machine
    mix = one_row(
        database,
        "SELECT coalesce(sum(input_tokens), 0)::HUGEINT, coalesce(sum(output_tokens), 0)::HUGEINT "
        "FROM chosen WHERE deployment = ?",
        [name],
    )
    read, written = int(mix[0]), int(mix[1])
    if machine is None or not read + written:
        return []
    monthly = machine.hour_nanousd * Fraction(MONTH_HOURS)
    seconds = read / machine.input_tokens_per_second + written / machine.output_tokens_per_second
    most = (read + written) / seconds * 3600 * MONTH_HOURS
    told = []
    for other in known.deployments.values():
        if other.self_hosted or other.price.machine is not None:
            continue
        priced = read * other.price.input + written * other.price.output
        per_million = Fraction(priced, read + written)
        if not per_million:
            continue
        tokens = int(monthly * MILLION / per_million)
        reach = "" if tokens <= most else f", more than its {most:,.0f} at full load"
        told.append(
            f"{name} is cheaper than {other.name} from {tokens:,} tokens a month{reach} "
            f"({read / (read + written):.0%} of them input, as in this span)"
        )
    return told
