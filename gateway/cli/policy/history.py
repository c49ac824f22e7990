"""`fairlead policy status`, `versions`, `apply` and `rollback`: the policy of running gateways.

These go to Redis, where every gateway follows within a second; no gateway need run.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import redis
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gateway.cli.policy.files import PolicyPath, must_exist, trial_bench
from gateway.cli.policy.telling import FOUND, AsJson, complain, print_json, stop, tell
from gateway.cli.session import store_session
from gateway.cli.tables import print_table
from gateway.config.settings import load_settings
from gateway.core.versions import PolicyVersion, WorkerReport
from gateway.runtime.live.changes import chosen, next_version
from gateway.runtime.live.follower import InForce
from gateway.runtime.live.policy_file import read_text
from gateway.runtime.live.proof import prove_once
from gateway.runtime.live.trial import tried
from gateway.stores import versions
from gateway.stores.versions import ask_now
from policies.problems import PolicyError

#: How long a change is waited for until every gateway worker serves by it, in seconds.
_EVERYONE_SECONDS = 5.0

Note = Annotated[str, typer.Option(help="Why, in words; kept with the version.")]
Wanted = Annotated[
    str, typer.Argument(help="A revision or its beginning, or a number.", show_default=False)
]
Asked = Annotated[str, typer.Argument(help="One version: its number or revision.")]


def show_status(as_json: AsJson = False) -> None:
    """Show which version is in force, how far every gateway worker is, and what was refused."""
    with store_session() as session:
        head = ask_now(session.client, versions.head())
        version = ask_now(session.client, versions.version(head.number)) if head.number else None
        reports = _alive(session.client)
    if as_json:
        told = None if version is None else msgspec.structs.replace(version, diff="")
        print_json({"in_force": told, "refused": head.refused, "workers": reports})
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(Text(_sentence(version) if version else "No gateway has kept a policy yet."))
    if head.refused is not None:
        out.print(Text(f"refused since: {head.refused.by}", style="red"))
        for problem in head.refused.problems:
            out.print(Text(f"  {problem}", style="red"))
    for one in reports:
        style = "" if one.number == head.number and not one.problem else "yellow"
        state = f"version {one.number} ({one.revision})"
        out.print(Text(f"  {one.worker}: {state} {one.problem}".rstrip(), style=style))
    if not reports:
        out.print("  no gateway is running")


def list_versions(which: Asked = "", as_json: AsJson = False) -> None:
    """List who changed the policy, when and how; with WHICH, show that one's difference."""
    with store_session() as session:
        known = ask_now(session.client, versions.all_versions())
        number = ask_now(session.client, versions.head()).number
        if which:
            _show_one(session.client, known, which, as_json)
            return
    if as_json:
        print_json({"versions": known})
        return
    if not known:
        typer.echo("No gateway has kept a policy yet.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("version", "revision", "since (UTC)", "from"):
        table.add_column(column, no_wrap=True)
    table.add_column("lines", justify="right", no_wrap=True)
    for column in ("who", "why"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    for one in known:
        mark = "*" if one.number == number else " "
        table.add_row(
            f"{mark}{one.number}",
            one.revision,
            _moment(one.at)[:-3],
            one.source,
            _size(one.diff),
            escape(one.by),
            escape(one.note),
        )
    print_table(table)


def apply(file: PolicyPath, note: Note = "", as_json: AsJson = False) -> None:
    """Bring a policy file into force on all gateways: checked, tested, then within a second.

    Exit status: 0 it is in force, 1 it may not be or somebody cannot use it, 2 it cannot be read.
    """
    must_exist(file)
    try:
        text = read_text(file)
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror}")
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return
    with store_session() as session:
        _bring(session.client, text, file, source="command", note=note, as_json=as_json)


def rollback(to: Wanted, note: Note = "", as_json: AsJson = False) -> None:
    """Bring an earlier version into force again, as a new one: `fairlead policy versions`.

    Exit status: 0 it is in force, 1 it may not be or somebody cannot use it, 2 no such version.
    """
    with store_session() as session:
        number = ask_now(session.client, versions.head()).number
        try:
            known = ask_now(session.client, versions.all_versions())
            version = chosen(known, to, number)
        except LookupError as error:
            stop(str(error))
        text = ask_now(session.client, versions.text(version.number))
        if text is None:
            stop(f"the text of version {version.number} is not kept any more")
        told = f"back to version {version.number}" + (f": {note}" if note else "")
        name = Path(f"version {version.number}")
        _bring(session.client, text, name, source="rollback", note=told, as_json=as_json)


def _bring(
    client: redis.Redis, text: str, file: Path, *, source: str, note: str, as_json: bool
) -> None:
    head = ask_now(client, versions.head())
    before = InForce(ask_now(client, versions.text(head.number)) or "")
    if head.number:
        before = InForce(before.text, ask_now(client, versions.version(head.number)))
    if before.version is not None and before.text == text:
        _conclude(client, before.version, as_json, is_new=False)
        return
    try:
        policy = tried(text, str(file), trial_bench(file))
        verdict = prove_once(text, str(file), load_settings(os.environ).proof_seconds)
        if verdict.leaks:
            raise PolicyError(verdict.leaks, str(file))
    except PolicyError as error:
        tell(error.problems, file, as_json, fine="")
        return
    who = f"{getpass.getuser()} on {socket.gethostname()}"
    new = next_version(before, text, policy, source=source, by=who, note=note, proof=verdict.words)
    if not ask_now(client, versions.publish(new, text, expected=head.number)):
        complain("error: somebody else changed the policy at this moment; look, and try again")
        raise typer.Exit(FOUND)
    _conclude(client, new, as_json, is_new=True)


def _conclude(client: redis.Redis, version: PolicyVersion, as_json: bool, *, is_new: bool) -> None:
    """Wait until every worker serves by the version, and say so."""
    latest = time.monotonic() + _EVERYONE_SECONDS
    while True:
        reports = _alive(client)
        late = [one for one in reports if one.number != version.number]
        if not late or time.monotonic() > latest or all(one.problem for one in late):
            break
        time.sleep(0.1)
    if as_json:
        told: dict[str, Any] = msgspec.to_builtins(version)
        print_json({**told, "is_new": is_new, "workers": len(reports), "behind": late})
    else:
        _tell_conclusion(version, reports, late, is_new=is_new)
    if late:
        raise typer.Exit(FOUND)


def _tell_conclusion(
    version: PolicyVersion, reports: list[WorkerReport], late: list[WorkerReport], *, is_new: bool
) -> None:
    out = Console(highlight=False, soft_wrap=True)
    if is_new and version.diff:
        out.print(_coloured(version.diff))
    state = "in force" if is_new else "in force already, with the same text"
    where = f"on {len(reports) - len(late)} of {len(reports)} gateway workers"
    if not reports:
        where = "for the next gateway that starts; none is running"
    out.print(Text(f"{_name(version)} is {state} {where}", style="yellow" if late else "green"))
    for one in late:
        out.print(Text(f"  {one.worker} stays at version {one.number}: {one.problem}", "red"))


def _show_one(
    client: redis.Redis, known: tuple[PolicyVersion, ...], which: str, as_json: bool
) -> None:
    try:
        version = chosen(known, which, current=-1)
    except LookupError as error:
        stop(str(error))
    text = ask_now(client, versions.text(version.number))
    if as_json:
        print_json({**msgspec.to_builtins(version), "text": text})
        return
    out = Console(highlight=False, soft_wrap=True)
    out.print(Text(_sentence(version)))
    if version.proof:
        out.print(Text(version.proof, style="dim"))
    out.print(_coloured(version.diff) if version.diff else Text("The first version.", style="dim"))


def _coloured(diff: str) -> Text:
    told = Text()
    for line in diff.splitlines():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        told.append(line + "\n", style=style)
    return told


def _size(diff: str) -> str:
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return f"+{added} -{removed}"


def _name(version: PolicyVersion) -> str:
    return f"version {version.number} (revision {version.revision})"


def _sentence(version: PolicyVersion) -> str:
    note = f": {version.note}" if version.note else ""
    return f"{_name(version)} since {_moment(version.at)} UTC, by {version.by}{note}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _alive(client: redis.Redis) -> list[WorkerReport]:
    reports = ask_now(client, versions.workers())
    return list(versions.alive(reports, time.time()))
