"""`fairlead policy`: one module for each group of commands, put together here."""

from __future__ import annotations

import typer

from gateway.cli.policy.checking import check, run_file_tests, schema
from gateway.cli.policy.explaining import explain_request
from gateway.cli.policy.proving import prove_file

app = typer.Typer(help="Check, test, explain and prove policy files.", no_args_is_help=True)
app.command()(check)
app.command("test")(run_file_tests)
app.command("explain")(explain_request)
app.command("prove")(prove_file)
app.command()(schema)
