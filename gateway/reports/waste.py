"""Money that bought no answer: failed attempts, those before a retry or fallback, callers gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.reports.asking import Ask, Background
from gateway.reports.selection import check_dimensions, choose, dimension_sql, numbers, one_row
from gateway.reports.shape import Column, Kind, Report, totals_of

if TYPE_CHECKING:
    import duckdb

#: Attempts that bought nothing. A cascade marks what it found of an answer that came (`because`):
#: one that failed its check was paid for, and another one was served instead.
_USELESS = (
    "(outcome != 'ok' OR (because LIKE 'check: %' "
    "AND because NOT IN ('check: passed', 'check: sample')))"
)
_USUAL = ("team", "deployment")
#: Why an attempt was of no use, as SQL over a line and the attempt that came after it.
_CAUSE = (
    "CASE WHEN outcome = 'ok' THEN 'answer failed a check' "
    "WHEN outcome = 'shadow' THEN 'copy for comparison' "
    "WHEN outcome = 'judge' THEN 'judge of a comparison' "
    "WHEN outcome = 'second_stage' THEN 'second stage of privacy' "
    "WHEN outcome = 'cancelled' AND stream THEN 'aborted stream' "
    "WHEN outcome = 'cancelled' THEN 'caller left' "
    "WHEN outcome = 'in_doubt' THEN 'gateway died' "
    "WHEN next_deployment IS NULL THEN 'failed for good' "
    "WHEN next_deployment = deployment THEN 'retried' ELSE 'fell back' END"
)


def waste_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Attempts that ended in no answer, by cause, outcome and dimensions; what they cost.

    Corrections belong to the attempt that they correct. Many cost nothing and are counted all
    the same: they cost time. A line counts under one cause only.

    Raises:
        UnknownDimension: a dimension that does not exist.
    """
    by = check_dimensions(ask.by or _USUAL)
    total = choose(database, ask)
    places = "".join(
        f", any_value({dimension_sql(name)}) AS d{place}" for place, name in enumerate(by)
    )
    groups = "".join(f", d{place}" for place in range(len(by)))
    # A settlement after the lease ran out says how the attempt really ended.
    found = database.execute(
        f"SELECT {_CAUSE} AS cause, outcome{groups}, count(*), sum(tokens)::HUGEINT, "
        "sum(spent)::HUGEINT AS spent FROM ("
        "SELECT *, lead(deployment) OVER (PARTITION BY request_id ORDER BY attempt) "
        "AS next_deployment FROM (SELECT request_id, attempt, "
        "arg_max(outcome, CASE WHEN kind = 'correction' THEN 1 ELSE 0 END) AS outcome, "
        "any_value(because) AS because, any_value(deployment) AS deployment, "
        "bool_or(stream) AS stream"
        f"{places}, sum(input_tokens + output_tokens) AS tokens, sum(cost_nanousd) AS spent "
        "FROM chosen WHERE request_id IN "
        f"(SELECT request_id FROM chosen WHERE {_USELESS}) "
        f"GROUP BY request_id, attempt, hold_id)) WHERE {_USELESS} "
        f"GROUP BY cause, outcome{groups} ORDER BY spent DESC, cause, outcome{groups}"
    ).fetchall()
    columns = (
        Column("cause"),
        Column("outcome"),
        *(Column(name) for name in by),
        Column("attempts", Kind.COUNT, adds=True),
        Column("tokens", Kind.COUNT, adds=True, brief=False),
        Column("cost_nanousd", Kind.MONEY, "cost USD", adds=True),
    )
    rows = tuple(numbers(one) for one in found)
    totals = totals_of(columns, rows)
    spent = sum(int(one[-1]) for one in found)
    attempts = int(one_row(database, "SELECT count(*) FROM chosen WHERE kind != 'correction'")[0])
    return Report(
        name="waste",
        title="Waste: attempts that bought no answer",
        columns=columns,
        rows=rows,
        totals=totals,
        total_nanousd=spent,
        ledger_nanousd=total,
        notes=(f"{sum(int(one[-3]) for one in found):,} of {attempts:,} attempts",),
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
        chart="cost_nanousd",
    )
