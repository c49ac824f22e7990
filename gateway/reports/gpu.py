"""Own machines: how busy they were, what a token really cost, and when an API would be cheaper.

Standard cost is what the ledger booked: tokens at the price of the stated utilisation. The bill is
by the hour. The row `idle and variance` is the difference, so that both rows are the bill.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gateway.core.deployment import Deployment
from gateway.core.money import MILLION, divide_half_even
from gateway.core.periods import period_end, period_start
from gateway.reports.asking import MONTH_HOURS, Ask, Background
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
    """Each own machine in each month: standard cost, idle and variance, and the bill they make.

    The bill is what `ask.bills` says, else the machine's price for every hour of the month, from
    the first line of the deployment that month if there is no earlier one, up to the end of the
    span or now. A bill that was given is for the whole span, spread over its months by hours.
    """
    total = choose(database, ask)
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    for name, deployment in known.deployments.items():
        if deployment.price.machine is None:
            continue
        rows += _machine_rows(database, ask, name, deployment)
        notes += break_even(database, name, deployment, known)
    missing = [name for name in ask.bills if name not in known.deployments]
    notes += [f"--bill names {name}, which is no deployment of the policy" for name in missing]
    rows.sort(key=lambda row: (str(row[0]), str(row[1])))
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


def _machine_rows(
    database: duckdb.DuckDBPyConnection, ask: Ask, name: str, deployment: Deployment
) -> list[tuple[Cell, ...]]:
    machine = deployment.price.machine
    if machine is None:
        return []
    first = ask.machines_since.get(name)
    if first is None:
        first = one_row(database, "SELECT min(dated) FROM lines WHERE deployment = ?", [name])[0]
    if first is None:
        return []
    until = ask.now if ask.end is None else min(ask.end, ask.now)
    since = max([float(first), *(at for at in (ask.start, ask.billed_from) if at is not None)])
    found = {
        month: (int(tokens), float(busy), int(cost))
        for month, tokens, busy, cost in database.execute(
            "SELECT strftime(billed, '%Y-%m') AS month, sum(input_tokens + output_tokens)"
            "::HUGEINT, sum(gpu_seconds), sum(cost_nanousd)::HUGEINT FROM chosen "
            "WHERE deployment = ? GROUP BY month",
            [name],
        ).fetchall()
    }
    spans = _months(since, until, ask.zone)
    all_hours = sum(spans.values(), Fraction())
    rows: list[tuple[Cell, ...]] = []
    for month in sorted({*spans, *found}):
        hours = spans.get(month, Fraction())
        tokens, busy, standard = found.get(month, (0, 0.0, 0))
        if name in ask.bills:
            part = hours / all_hours if all_hours else Fraction(1, max(1, len(found)))
            bill = round(ask.bills[name] * part)
        else:
            bill = round(machine.hour_nanousd * hours)
        used = busy / 3600 / float(hours) if hours else None
        per_token = divide_half_even(bill * MILLION, tokens) if tokens else None
        told = (float(round(hours, 3)), round(busy / 3600, 3), used, machine.utilisation)
        rows.append((month, name, "standard cost", *told, tokens, per_token, standard))
        idle = (None, None, None, None, 0, None, bill - standard)
        rows.append((month, name, "idle and variance", *idle))
    return rows


def _months(since: float, until: float, zone: str) -> dict[str, Fraction]:
    """The months of a span with the hours of it that lie in each."""
    hours: dict[str, Fraction] = {}
    at = since
    while at < until:
        ends = min(until, period_end("month", at, zone) or until)
        month = f"{period_start('month', at, zone):%Y-%m}"
        hours[month] = Fraction(round((ends - at) * 1000), 3_600_000)
        at = ends
    return hours


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
