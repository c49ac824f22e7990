"""`fairlead policy`: one module for each group of commands, put together here."""

from __future__ import annotations

import typer

from gateway.cli.policy import dryrunning
from gateway.cli.policy.advising import advise_model
from gateway.cli.policy.checking import check, run_file_tests, schema
from gateway.cli.policy.diffing import diff_files
from gateway.cli.policy.explaining import explain_request
from gateway.cli.policy.history import apply, list_versions, rollback, show_status
from gateway.cli.policy.proving import prove_file
from gateway.cli.policy.replaying import replay_file

app = typer.Typer(help="Check, test, explain and prove policy files.", no_args_is_help=True)
app.command()(check)
app.command("test")(run_file_tests)
app.command("explain")(explain_request)
app.command("prove")(prove_file)
app.command("diff")(diff_files)
app.command("advise")(advise_model)
app.command()(schema)
app.command("status")(show_status)
app.command("versions")(list_versions)
app.command()(apply)
app.command()(rollback)
app.command("replay")(replay_file)
app.add_typer(dryrunning.app, name="dryrun")
