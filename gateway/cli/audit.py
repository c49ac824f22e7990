"""`fairlead audit`: what was decided, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
import redis
import typer
from rich.table import Table

from gateway.cli.report import span
from gateway.cli.session import fail, store_session
from gateway.cli.tables import print_table
from gateway.core.money import nano_to_usd_text
from gateway.core.records import AuditRecord
from gateway.stores.book import last_audit, read_audit, read_orgs
from gateway.stores.seal import Verification, verify_audit
from gateway.stores.sweep import reap_everywhere

app = typer.Typer(help="Show, export and verify what was decided.", invoke_without_command=True)


class Form(StrEnum):
    """How decisions are exported."""

    JSONL = "jsonl"


@app.callback()
def latest(
    context: typer.Context,
    count: Annotated[int, typer.Option("--last", min=1, help="How many decisions.")] = 20,
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the last decisions."""
    if context.invoked_subcommand is not None:
        return
    with store_session() as session:
        reap_everywhere(session.client)
        names = (org,) if org else read_orgs(session.client)
        found = [record for name in names for record in last_audit(session.client, name, count)]
    records = sorted(found, key=lambda record: record.at)[-count:]
    if as_json:
        typer.echo(msgspec.json.encode(records).decode())
        return
    _print_table(records)


@app.command()
def export(
    since: Annotated[str, typer.Option("--from", help="First moment: 2026-11-01, 7d.")] = "",
    until: Annotated[str, typer.Option("--to", help="First moment after: 2026-12-01.")] = "",
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    form: Annotated[Form, typer.Option("--format", help="jsonl: a decision a line.")] = Form.JSONL,
) -> None:
    """Print every decision, one JSON object a line."""
    del form
    try:
        start, end = span(since, until)
    except ValueError as mistake:
        fail(str(mistake), status=2)
    encode = msgspec.json.Encoder().encode
    with store_session() as session:
        reap_everywhere(session.client)
        for record in _records(session.client, org, start, end):
            typer.echo(encode(record))


@app.command()
def verify(
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute the hash chain again; status 1 when an entry was changed, removed or added."""
    with store_session() as session:
        names = (org,) if org else read_orgs(session.client)
        found = [verify_audit(session.client, name, session.pepper) for name in names]
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        for verification in found:
            _print_verification(verification)
        if not found:
            typer.echo("Nothing was decided yet.")
    if any(verification.problems for verification in found):
        raise typer.Exit(1)


def _records(
    client: redis.Redis, org: str, start: float | None, end: float | None
) -> Iterator[AuditRecord]:
    for name in (org,) if org else read_orgs(client):
        yield from read_audit(client, name, start, end)


def _print_table(records: list[AuditRecord]) -> None:
    if not records:
        typer.echo("Nothing was decided yet.")
        return
    days = {datetime.fromtimestamp(record.at, UTC).date() for record in records}
    one_day = len(days) == 1
    shape = "%H:%M:%S" if one_day else "%m-%d %H:%M"
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{days.pop():%m-%d} UTC" if one_day else "time UTC", no_wrap=True)
    table.add_column("sensitivity", no_wrap=True)
    table.add_column("difficulty", justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for column in ("deployment", "route"):
        table.add_column(column, overflow="ellipsis")
    table.add_column("cost USD", justify="right", no_wrap=True)
    for record in records:
        moment = datetime.fromtimestamp(record.at, UTC)
        table.add_row(
            moment.strftime(shape),
            record.sensitivity,
            f"{record.difficulty:.2f}",
            record.outcome,
            record.deployment or "-",
            record.route or "-",
            nano_to_usd_text(record.cost_nanousd),
        )
    print_table(table)


def _print_verification(found: Verification) -> None:
    state = "damaged" if found.problems else "intact" if found.checkpoints else "not sealed"
    typer.echo(
        f"{found.org}: {state}; {found.sealed:,} entries under {found.checkpoints:,} checkpoints, "
        f"{found.unsealed:,} not sealed yet"
    )
    if found.head:
        typer.echo(f"  head {found.head}")
    for problem in found.problems:
        typer.echo(f"  {problem}")
