"""`fairlead report reconcile`: explain what a provider's invoice and the ledger say differently."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.pairs import pairs_of
from gateway.cli.printing import Form, deliver, form_of
from gateway.cli.session import fail, store_session
from gateway.reports.invoices.reading import read_invoices
from gateway.reports.reconciliation import reconciliation
from gateway.stores.ledger_lines import open_lines
from gateway.stores.sweep import reap_everywhere


def reconcile(
    exports: Annotated[
        list[Path], typer.Argument(help="Exports of OpenAI or Anthropic: JSON or CSV.")
    ],
    models: Annotated[
        str, typer.Option(help="Models by the invoice's name: their-name=our-name.")
    ] = "",
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    form: Annotated[Form, typer.Option("--format", help=", ".join(Form))] = Form.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Compare costs and usage that a provider exported with the ledger, by day, model and cause.

    Understood are OpenAI's costs (by line item) and usage (by model) and Anthropic's cost report
    (by description) and usage report (by model), as their APIs or consoles give them; all pages of
    an answer belong together. Give costs and usage of the same days to tell quantities from prices.
    """
    chosen = form_of(form, as_json, output)
    try:
        names = dict(pairs_of(models, "--models"))
        lines = read_invoices((path.name, path.read_bytes()) for path in exports)
        with store_session() as session:
            reap_everywhere(session.client)
            orgs = (org,) if org else None
            with open_lines(session.client, session.home, orgs) as database:
                report = reconciliation(database, lines, datetime.now(UTC).timestamp(), names)
        deliver(report, chosen, output)
    except OSError as problem:
        fail(f"{problem.filename} cannot be read: {problem.strerror}", status=2)
    except ValueError as mistake:
        fail(str(mistake), status=2)
