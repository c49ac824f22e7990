"""`fairlead`: serve, keys, policies, classification, reports, the ledger and the audit log."""

from __future__ import annotations

import os
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


#: Sub-command to the attribute of its module: an application of its own, or one function.
_COMMANDS = {
    "serve": "serve",
    "keys": "app",
    "policy": "app",
    "classify": "classify_command",
    "privacy": "app",
    "fingerprint": "app",
    "routing": "app",
    "report": "app",
    "ledger": "app",
    "audit": "app",
    "doctor": "doctor",
}


def _register(asked: str) -> None:
    """Add the sub-command that is asked for, or all of them; the others need not be loaded."""
    for name, attribute in _COMMANDS.items():
        if asked in _COMMANDS and asked != name:
            continue
        found = getattr(import_module(f"gateway.cli.{name}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name=name)(found)


@app.callback()
def _root() -> None:
    """One endpoint for large language models: judged, routed, paid for and audited."""


def main() -> None:
    """Run the command line; a known error is one sentence and an exit status, never a trace."""
    # NumPy's products here are small, and other cores serve other workers: read at its import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _register(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        app()
    except FairleadError as error:
        Console(stderr=True).print(f"[red]error:[/red] {error.public_message}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
