"""`fairlead routing cascade`: what cascades sent on, for which check, and what it cost."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from gateway.cli.report import org_lines, span
from gateway.cli.session import fail, store_session
from gateway.cli.tables import print_table
from gateway.core.money import nano_to_usd_text
from gateway.reports.cascade import CascadeRow, cascade_report
from gateway.stores.sweep import reap_everywhere


def cascade(
    since: Annotated[str, typer.Option("--from", help="First moment: 2026-11-01, 7d.")] = "",
    until: Annotated[str, typer.Option("--to", help="First moment after: 2026-12-01.")] = "",
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Report, by deployment, the share of checked answers that were sent on, and the cost."""
    try:
        start, end = span(since, until)
    except ValueError as mistake:
        fail(str(mistake), status=2)
    with store_session() as session:
        reap_everywhere(session.client)
        rows = cascade_report(org_lines(session.client, session.home, org, start, end))
    if as_json:
        typer.echo(msgspec.json.encode({"rows": [_as_fields(row) for row in rows]}).decode())
    elif not rows:
        typer.echo("No cascade has checked an answer.")
    else:
        _print(rows)


def _as_fields(row: CascadeRow) -> dict[str, object]:
    return {**msgspec.structs.asdict(row), "share": round(row.share, 4)}


def _print(rows: tuple[CascadeRow, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("deployment", overflow="fold")
    for heading in ("checked", "sent on", "cost USD", "unused USD", "above USD"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("by check", overflow="fold")
    for row in rows:
        by_check = ", ".join(
            f"{check} {count / row.checked:.1%}"
            for check, count in sorted(row.escalated.items(), key=lambda one: -one[1])
        )
        table.add_row(
            row.deployment,
            f"{row.checked:,}",
            f"{row.share:.1%}",
            nano_to_usd_text(row.cost_nanousd),
            nano_to_usd_text(row.unused_nanousd),
            nano_to_usd_text(row.above_nanousd),
            by_check or "-",
        )
    print_table(table)
