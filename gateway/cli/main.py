"""`fairlead`: serve, keys, policies, classification, reports and the audit log."""

from __future__ import annotations

import sys
from importlib import import_module

import typer
from rich.console import Console

from gateway.core.errors import FairleadError

app = typer.Typer(
    name="fairlead",
    help="One endpoint for large language models: judged, routed, paid for and audited.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _register() -> None:
    for name in ("keys", "policy", "report", "audit"):
        app.add_typer(import_module(f"gateway.cli.{name}").app, name=name)
    app.command(name="serve")(import_module("gateway.cli.serve").serve)
    app.command(name="classify")(import_module("gateway.cli.classify").classify_command)
    app.command(name="doctor")(import_module("gateway.cli.doctor").doctor)


def main() -> None:
    """Run the command line; a known error is one sentence and an exit status, never a trace."""
    _register()
    try:
        app()
    except FairleadError as error:
        Console(stderr=True).print(f"[red]error:[/red] {error.public_message}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
