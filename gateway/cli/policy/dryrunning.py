"""`fairlead policy dryrun`: a candidate beside the policy in force, on real traffic."""

from __future__ import annotations

import getpass
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import redis
import typer

from gateway.cli.policy.files import PolicyPath, must_exist
from gateway.cli.policy.replaying import Form, outcome_told
from gateway.cli.policy.telling import AsJson, complain, print_json, stop, tell
from gateway.cli.session import store_session
from gateway.core.dryruns import DryRun
from gateway.reports.replay import Heading, as_document
from gateway.runtime.live.dryrun import new_dry_run
from gateway.runtime.live.policy_file import read_text
from gateway.runtime.replaying import compiled_for_replay
from gateway.stores import dryruns, versions
from gateway.stores.versions import ask_now
from policies.problems import PolicyError

app = typer.Typer(
    help="Let a candidate decide beside the policy in force; it serves nobody.",
    no_args_is_help=True,
)


@app.command()
def start(
    file: PolicyPath,
    note: Annotated[str, typer.Option(help="Why, in words.")] = "",
    as_json: AsJson = False,
) -> None:
    """Begin a dry run of a file on all gateways, in place of any other.

    Exit status: 0 it has begun, 1 the file is wrong, 2 it cannot be read.
    """
    must_exist(file)
    try:
        text = read_text(file)
        revision = compiled_for_replay(text, str(file)).revision
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror}")
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return
    with store_session() as session:
        head = ask_now(session.client, versions.head())
        who = f"{getpass.getuser()} on {socket.gethostname()}"
        dry_run = new_dry_run(revision, head.revision, who, note)
        for question in dryruns.keep(dry_run, text):
            ask_now(session.client, question)
    if as_json:
        print_json(dry_run)
    else:
        typer.echo(f"{_sentence(dry_run)}; see: fairlead policy dryrun status")


@app.command()
def status(
    form: Annotated[Form, typer.Option("--format", help="table, csv, json or html.")] = Form.TABLE,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Show what would have been otherwise, in the dry run that goes on or was the last."""
    with store_session() as session:
        dry_run = _latest(session.client)
        tally = ask_now(session.client, dryruns.counted(dry_run.id))
    heading = Heading(file="the candidate", revision=dry_run.revision)
    if as_json or form is Form.JSON:
        print_json({"dry_run": dry_run, **as_document(heading, tally)})
        return
    told = outcome_told(heading, tally, form)
    if output is not None:
        output.write_text(told, encoding="utf-8")
        complain(f"{output} was written")
        return
    if form is Form.TABLE:
        typer.echo(_sentence(dry_run))
    typer.echo(told, nl=False)


@app.command("stop")
def end(as_json: AsJson = False) -> None:
    """End the dry run; what it counted stays."""
    with store_session() as session:
        dry_run = _latest(session.client)
        if dry_run.ended is None:
            dry_run = msgspec.structs.replace(dry_run, ended=time.time())
            for question in dryruns.end(dry_run):
                ask_now(session.client, question)
    if as_json:
        print_json(dry_run)
    else:
        typer.echo(_sentence(dry_run))


def _latest(client: redis.Redis) -> DryRun:
    found = ask_now(client, dryruns.latest())
    if found is None:
        stop("there was no dry run yet; begin one with: fairlead policy dryrun start FILE")
    return found[0]


def _sentence(dry_run: DryRun) -> str:
    began = f"{datetime.fromtimestamp(dry_run.at, UTC):%Y-%m-%d %H:%M} UTC"
    ended = ""
    if dry_run.ended is not None:
        ended = f", ended {datetime.fromtimestamp(dry_run.ended, UTC):%Y-%m-%d %H:%M} UTC"
    note = f" ({dry_run.note})" if dry_run.note else ""
    return f"dry run of revision {dry_run.revision} since {began}, by {dry_run.by}{note}{ended}"
