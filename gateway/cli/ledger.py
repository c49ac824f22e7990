"""`fairlead ledger`: seal finished hours to files, and verify that everything ties out."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from gateway.cli.session import fail, store_session
from gateway.cli.tables import print_table
from gateway.core.money import nano_to_usd_text
from gateway.stores.ledger_check import OrgCheck, check_ledger
from gateway.stores.ledger_lines import known_orgs
from gateway.stores.ledger_seal import OtherHome, seal_ledger
from gateway.stores.segments import DamagedLedger

app = typer.Typer(help="Seal and verify the ledger.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Seal and verify the ledger."""


@app.command()
def seal(
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Move the finished hours from Redis to Parquet files under FAIRLEAD_HOME/ledger.

    A running gateway does this by itself.
    """
    with store_session() as session:
        orgs = (org,) if org else known_orgs(session.client, session.home)
        try:
            done = [seal_ledger(session.client, session.home, one) for one in orgs]
        except (OtherHome, DamagedLedger) as problem:
            fail(str(problem))
    if as_json:
        typer.echo(msgspec.json.encode({"orgs": done}).decode())
        return
    for one in done:
        typer.echo(f"{one.org}: {one.lines:,} lines sealed into {one.segments} files")


@app.command()
def verify(
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check files, arithmetic and rollups to the nano-dollar; exit 1 when something differs."""
    with store_session() as session:
        orgs = (org,) if org else known_orgs(session.client, session.home)
        checks = [check_ledger(session.client, session.home, one) for one in orgs]
    problems = sum(len(one.problems) for one in checks)
    if as_json:
        typer.echo(msgspec.json.encode({"orgs": checks, "ok": not problems}).decode())
    else:
        _print(checks)
    if problems:
        raise typer.Exit(1)


def _print(checks: list[OrgCheck]) -> None:
    table = Table(title="Ledger")
    for name in ("org", "lines", "sealed", "cost", "rollups", "problems"):
        table.add_column(name, justify="left" if name == "org" else "right")
    for one in checks:
        table.add_row(
            one.org,
            f"{one.lines:,}",
            f"{one.sealed:,}",
            "$" + nano_to_usd_text(one.cost_nanousd),
            f"{one.hours} hours",
            str(len(one.problems)),
        )
    print_table(table)
    for one in checks:
        for problem in one.problems:
            typer.echo(f"{one.org}: {problem}")
