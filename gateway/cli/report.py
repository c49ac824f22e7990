"""`fairlead report`: what was spent, as a table, CSV or JSON."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import redis
import typer
from rich.table import Table

from gateway.cli.moments import past_moment
from gateway.cli.session import fail, store_session
from gateway.cli.tables import print_table
from gateway.core.money import nano_to_usd_text
from gateway.core.records import LedgerLine
from gateway.reports.cost import (
    DIMENSIONS,
    CostReport,
    CostRow,
    UnknownDimension,
    check_dimensions,
    cost_report,
)
from gateway.stores.ledger_lines import known_orgs, ledger_lines
from gateway.stores.sweep import reap_everywhere

app = typer.Typer(help="Report what was spent.", no_args_is_help=True)

_COUNTS = (
    "requests",
    "attempts",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "estimated",
    "in_doubt",
    "corrections",
)


class Form(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.callback()
def reports() -> None:
    """Report what was spent."""


@app.command()
def cost(
    by: Annotated[
        str, typer.Option(help="Dimensions, comma-separated: " + " ".join(DIMENSIONS))
    ] = "team,model",
    since: Annotated[str, typer.Option("--from", help="First moment: 2026-11-01, 7d.")] = "",
    until: Annotated[str, typer.Option("--to", help="First moment after: 2026-12-01.")] = "",
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    form: Annotated[Form, typer.Option("--format", help="table, csv or json.")] = Form.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Sum the ledger by any dimensions; the total is exact to the nano-dollar."""
    try:
        dimensions = check_dimensions(word.strip() for word in by.split(",") if word.strip())
        start, end = span(since, until)
    except (UnknownDimension, ValueError) as mistake:
        fail(str(mistake), status=2)
    with store_session() as session:
        reap_everywhere(session.client)
        lines = org_lines(session.client, session.home, org, start, end)
        report = cost_report(lines, dimensions, start, end)
    match Form.JSON if as_json else form:
        case Form.JSON:
            typer.echo(msgspec.json.encode(as_document(report)).decode())
        case Form.CSV:
            _print_csv(report)
        case Form.TABLE:
            _print_table(report)


def span(since: str, until: str) -> tuple[float | None, float | None]:
    """The two ends that a user gave, as epoch seconds.

    Raises:
        ValueError: not a date, or the end is not after the start.
    """
    now = datetime.now(UTC)
    start = past_moment(since, now).timestamp() if since else None
    end = past_moment(until, now).timestamp() if until else None
    if start is not None and end is not None and end <= start:
        raise ValueError(f"--to {until} is not after --from {since}; --to itself is not included")
    return start, end


def as_document(report: CostReport) -> dict[str, object]:
    """The report as JSON has it."""
    return {
        "rows": [_as_fields(report, row) for row in report.rows],
        "total_nanousd": report.total_nanousd,
        "total": _as_fields(report, report.total),
    }


def _as_fields(report: CostReport, row: CostRow) -> dict[str, object]:
    return {
        **dict(zip(report.by, row.dimensions, strict=False)),
        **{count: getattr(row, count) for count in _COUNTS},
        "cost_nanousd": row.cost_nanousd,
        "cost_usd": nano_to_usd_text(row.cost_nanousd),
    }


def org_lines(
    client: redis.Redis, home: Path, org: str, start: float | None, end: float | None
) -> Iterator[LedgerLine]:
    """Every line of an org, or of all orgs, within these ends (epoch seconds)."""
    for name in (org,) if org else known_orgs(client, home):
        yield from ledger_lines(client, home, name, start, end)


def _print_csv(report: CostReport) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*report.by, *_COUNTS, "cost_nanousd", "cost_usd"])
    for row in report.rows:
        writer.writerow(
            [
                *row.dimensions,
                *(getattr(row, count) for count in _COUNTS),
                row.cost_nanousd,
                nano_to_usd_text(row.cost_nanousd),
            ]
        )


def _print_table(report: CostReport) -> None:
    table = Table(box=None, pad_edge=False, show_footer=True)
    for number, name in enumerate(report.by):
        table.add_column(name, footer="total" if number == 0 else "", overflow="fold")
    total = report.total
    for heading, footer in (
        ("requests", f"{total.requests:,}"),
        ("tokens in", f"{total.input_tokens:,}"),
        ("tokens out", f"{total.output_tokens:,}"),
        ("cost USD", nano_to_usd_text(total.cost_nanousd)),
    ):
        table.add_column(heading, footer=footer, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            *(value or "-" for value in row.dimensions),
            f"{row.requests:,}",
            f"{row.input_tokens:,}",
            f"{row.output_tokens:,}",
            nano_to_usd_text(row.cost_nanousd),
        )
    print_table(table)
    doubtful = total.in_doubt - total.corrections
    if total.estimated:
        typer.echo(f"Attempts whose tokens we had to estimate: {total.estimated:,}")
    if doubtful:
        typer.echo(f"Attempts in doubt, counted at the amount held for them: {doubtful:,}")
