"""`fairlead policy replay`: what another policy would have done with the traffic there was."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from gateway.cli.policy.files import PolicyPath, must_exist
from gateway.cli.policy.telling import FOUND, complain, stop, tell
from gateway.cli.report import span
from gateway.cli.session import store_session
from gateway.cli.tables import print_table
from gateway.core.replaying import KINDS, Tally
from gateway.reports.replay import (
    WORDS,
    Heading,
    as_csv,
    as_document,
    as_page,
    dollars,
    rows_of,
    ways_of,
)
from gateway.runtime.live.policy_file import read_text
from gateway.runtime.replaying import (
    Piece,
    Wanted,
    compiled_for_replay,
    from_files,
    from_redis,
    replay_all,
)
from gateway.stores.book import read_orgs
from gateway.stores.sweep import reap_everywhere
from policies.problems import PolicyError

#: Rows of a table for a terminal; the other forms have all of them.
_MOST_ROWS = 20


class Form(StrEnum):
    """How the outcome is told."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


class Kind(StrEnum):
    """Changes that may fail the command."""

    NEWLY_OUTSIDE = "newly_outside"
    NEWLY_REFUSED = "newly_refused"
    NEWLY_SERVED = "newly_served"
    NEWLY_HOME = "newly_home"
    MOVED = "moved"
    OBLIGED = "obliged"
    RELEVELLED = "relevelled"


def replay_file(
    file: PolicyPath,
    since: Annotated[str, typer.Option(help="First moment: 2026-11-01, 7d, last-month.")] = "",
    until: Annotated[str, typer.Option(help="First moment after: 2026-12-01.")] = "",
    team: Annotated[list[str] | None, typer.Option(help="Only this team; may be repeated.")] = None,
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    records: Annotated[
        list[Path] | None,
        typer.Option(help="Read exported JSON Lines instead of Redis; may be repeated."),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="table, csv, json or html.")] = Form.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    fail_on: Annotated[
        list[Kind] | None, typer.Option(help="Exit with 1 if there is any such change.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if not given.")
    ] = None,
) -> None:
    """Decide recorded requests again under another file: what moves, leaks, is refused, costs.

    Facts are enough for that; no prompt was kept. Exit status: 0 done, 1 the file is wrong or a
    change of a --fail-on kind was found, 2 something cannot be read.
    """
    must_exist(file)
    try:
        text = read_text(file)
        revision = compiled_for_replay(text, str(file)).revision
        start, end = span(since, until)
    except PolicyError as error:
        tell(error.problems, file, as_json or form is Form.JSON, fine="")
        return
    except ValueError as error:
        stop(str(error))
    wanted = Wanted(org=org, teams=frozenset(team or ()), start=start, end=end)
    try:
        with _pieces(records, wanted) as pieces, _progress() as on_read:
            tally = replay_all(
                pieces, text, str(file), wanted, jobs=jobs or _cores(), on_read=on_read
            )
    except OSError as error:
        stop(f"the records cannot be read: {error}")
    except ValueError as error:
        stop(str(error))
    told = outcome_told(
        Heading(file=file.name, revision=revision), tally, Form.JSON if as_json else form
    )
    if output is not None:
        output.write_text(told, encoding="utf-8")
        complain(f"{output} was written")
    else:
        sys.stdout.write(told)
    _conclude(tally, fail_on or [])


def _conclude(tally: Tally, fail_on: list[Kind]) -> None:
    if not tally.read:
        complain("note: no decision was recorded in that time")
    if tally.disagreeing:
        complain(
            f"error: {tally.disagreeing} decisions came out otherwise under their own revision; "
            "that must not be, please report it"
        )
    found = [kind for kind in fail_on if getattr(tally.total, kind)]
    for kind in found:
        complain(f"error: {getattr(tally.total, kind):,} requests: {WORDS[kind]}")
    if found or tally.disagreeing:
        raise typer.Exit(FOUND)


@contextmanager
def _pieces(records: list[Path] | None, wanted: Wanted) -> Iterator[Iterator[Piece]]:
    if records:
        yield from_files(records)
        return
    with store_session() as session:
        reap_everywhere(session.client)
        yield from_redis(session.client, read_orgs(session.client), wanted)


@contextmanager
def _progress() -> Iterator[Callable[[Tally, float], None]]:
    """A progress bar on stderr, where somebody looks; it goes away when the work is done."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("deciding again"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=1.0, told="")

        def on_read(tally: Tally, share: float) -> None:
            bar.update(task, completed=share, told=f"{tally.read:,} decisions")

        yield on_read


def outcome_told(heading: Heading, tally: Tally, form: Form) -> str:
    """What a replay or a dry run found, in the form that was asked for."""
    match form:
        case Form.JSON:
            document = msgspec.json.encode(as_document(heading, tally))
            return msgspec.json.format(document, indent=2).decode() + "\n"
        case Form.HTML:
            return as_page(heading, tally)
        case Form.CSV:
            written = StringIO()
            csv.writer(written, lineterminator="\n").writerows(as_csv(tally))
            return written.getvalue()
        case Form.TABLE:
            return _tables(heading, tally)


def _tables(heading: Heading, tally: Tally) -> str:
    written = StringIO()
    total = tally.total
    written.write(
        f"{total.requests:,} decisions, decided again under {heading.file} "
        f"(revision {heading.revision})\n\n"
    )
    summary = Table(box=None, pad_edge=False, show_header=False)
    for kind in KINDS:
        number = getattr(total, kind)
        grave = number and kind in ("newly_outside", "newly_refused")
        share = f"{number / total.requests:.1%}" if total.requests else ""
        summary.add_row(Text(WORDS[kind], "red" if grave else ""), f"{number:,}", share)
    delta = f"{total.cost_delta / total.cost_before:+.1%}" if total.cost_before else ""
    change = f"{dollars(total.cost_before)} → {dollars(total.cost_after)}"
    summary.add_row("cost", change, delta)
    print_table(summary, written)
    _print_rows(tally, written)
    for reason, number in tally.skipped.items():
        written.write(f"\nnot decided again: {number:,} records, {reason}\n")
    if total.guessed:
        written.write(f"\nlikely cost, not a measured one: {total.guessed:,} requests\n")
    return written.getvalue()


def _print_rows(tally: Tally, written: StringIO) -> None:
    ways = Table("from", "to", box=None, pad_edge=False)
    for heading in ("requests", "cost change"):
        ways.add_column(heading, justify="right", no_wrap=True)
    for before, after, counts in ways_of(tally)[:_MOST_ROWS]:
        change = dollars(counts.cost_delta, signed=True)
        ways.add_row(Text(before), Text(after), f"{counts.requests:,}", change)
    if ways.row_count:
        written.write("\n")
        print_table(ways, written)
    rows = Table("team", "model", box=None, pad_edge=False)
    for heading in ("requests", "moved", "outside", "refused", "cost change"):
        rows.add_column(heading, justify="right", no_wrap=True)
    for team, model, counts in rows_of(tally)[:_MOST_ROWS]:
        numbers = (counts.requests, counts.moved, counts.newly_outside, counts.newly_refused)
        change = dollars(counts.cost_delta, signed=True)
        rows.add_row(Text(team), Text(model), *(f"{one:,}" for one in numbers), change)
    if rows.row_count:
        written.write("\n")
        print_table(rows, written)
    hidden = len(rows_of(tally)) - rows.row_count
    if hidden > 0:
        written.write(f"and {hidden:,} more rows; --format csv has all of them\n")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
