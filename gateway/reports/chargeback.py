"""A statement for each team: what it used, what that cost, and why it was routed so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.reports.asking import Ask, Background
from gateway.reports.machines import choose_with_idle
from gateway.reports.selection import (
    exchange_note,
    exchanged,
    exchanged_column,
    exchanged_sql,
    numbers,
)
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    Column("team"),
    Column("app", brief=False),
    Column("provider", brief=False),
    Column("model"),
    Column("place", heading="runs at", brief=False),
    Column("route", heading="policy reason"),
    Column("because", brief=False),
    Column("requests", Kind.COUNT),
    Column("input_tokens", Kind.COUNT, "tokens in", adds=True, brief=False),
    Column("output_tokens", Kind.COUNT, "tokens out", adds=True, brief=False),
    Column("list_nanousd", Kind.MONEY, "list USD", adds=True, brief=False),
    Column("discount_nanousd", Kind.MONEY, "discount USD", adds=True, brief=False),
    Column("correction_nanousd", Kind.MONEY, "of it corrections USD", adds=True, brief=False),
    Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True),
)


def chargeback_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Every team's lines by app, model and policy reason; the subtotals are what a team owes.

    `list_nanousd` is what the public list would have charged, `discount_nanousd` the difference;
    corrections are part of the cost and shown beside it. Idle time of own machines is no team's.
    """
    booked = choose_with_idle(database, ask, known)
    columns = (*_COLUMNS, *exchanged_column(known.rates))
    found = database.execute(
        "SELECT team, app, provider, model, "
        "CASE WHEN self_hosted THEN 'self-hosted' ELSE 'api' END AS place, route, "
        "count(DISTINCT request_id), sum(input_tokens)::HUGEINT, sum(output_tokens)::HUGEINT, "
        "sum(list_nanousd)::HUGEINT, sum(list_nanousd - cost_nanousd)::HUGEINT, "
        "coalesce(sum(cost_nanousd) FILTER (kind = 'correction'), 0)::HUGEINT, "
        f"sum(cost_nanousd)::HUGEINT AS cost{exchanged_sql(known.rates)} FROM chosen "
        "GROUP BY team, app, provider, model, place, route "
        "ORDER BY team, cost DESC, app, provider, model, place, route"
    ).fetchall()
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        money = numbers(one[6:13])
        other = () if known.rates is None else (exchanged(one[13]),)
        rows.append((*one[:6], known.because.get(one[5], ""), *money, *other))
    totals = totals_of(columns, rows)
    return Report(
        name="chargeback",
        title="Chargeback by team",
        columns=columns,
        rows=tuple(rows),
        totals=totals,
        total_nanousd=sum(int(one[12]) for one in found),
        ledger_nanousd=booked.ledger_nanousd,
        notes=(*booked.notes, *exchange_note(known.rates)),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
        grouped=1,
        chart="cost_nanousd",
    )
