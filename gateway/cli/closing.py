"""`fairlead report close`: fix a month, write its files and sign them; or check a closed one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from gateway.cli.moments import month_span
from gateway.cli.pairs import bills_of
from gateway.cli.session import fail, store_session
from gateway.config.settings import load_settings
from gateway.core.money import nano_to_usd_text
from gateway.reports.period import NotClosable
from gateway.runtime.closing import Outcome, Period, close_period
from gateway.runtime.reporting import background_of, policy_for_reports
from gateway.stores.closes import DamagedClose
from gateway.stores.ledger_lines import known_orgs
from gateway.stores.segments import DamagedLedger
from gateway.stores.sweep import reap_everywhere
from policies.problems import PolicyError


def close(
    month: Annotated[
        str, typer.Argument(help="A month that is over: 2026-11.", show_default=False)
    ],
    zone: Annotated[str, typer.Option(help="Time zone of the month: Europe/Berlin.")] = "UTC",
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    bill: Annotated[str, typer.Option(help="Real bills of machines: house=1500.00.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fix a month: its lines, totals and files, with their hashes and a signature.

    For a month that is closed already, everything is made again and compared byte for byte. Exit
    status: 0 closed and the same, 1 something differs or it cannot be closed yet, 2 usage.
    """
    try:
        starts, ends = month_span(month, zone)
        period, bills = Period(name=month, zone=zone, starts=starts, ends=ends), bills_of(bill)
    except ValueError as mistake:
        fail(str(mistake), status=2)
    settings = load_settings(os.environ)
    path = settings.policy_file
    with store_session() as session:
        reap_everywhere(session.client)
        try:
            known = background_of(policy_for_reports(session.client, path))
            outcomes = [
                close_period(
                    session.client,
                    session.home,
                    session.pepper,
                    one,
                    period,
                    known,
                    bills=bills,
                    now=datetime.now(UTC).timestamp(),
                )
                for one in ((org,) if org else known_orgs(session.client, session.home))
            ]
        except (NotClosable, DamagedClose, DamagedLedger, PolicyError) as problem:
            fail(str(problem))
    if as_json:
        told = {"periods": [_document(outcome) for outcome in outcomes]}
        typer.echo(msgspec.json.encode(told).decode())
        return
    for outcome in outcomes:
        typer.echo(_sentence(outcome))


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        **msgspec.to_builtins(outcome.closed),
        "folder": str(outcome.folder),
        "is_new": outcome.is_new,
    }


def _sentence(outcome: Outcome) -> str:
    closed = outcome.closed
    what = "closed" if outcome.is_new else "is closed, and made again it is the same"
    late = (
        f", {closed.late_lines:,} of them late ({nano_to_usd_text(closed.late_nanousd)} USD)"
        if closed.late_lines
        else ""
    )
    return (
        f"{closed.org} {closed.period} {what}: {nano_to_usd_text(closed.total_nanousd)} USD in "
        f"{closed.lines:,} lines{late}\n  {outcome.folder}\n  signed by {closed.public_key}"
    )
