"""`fairlead routing quality`: what use has taught about deployments, and taking it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import time
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from gateway.cli.report import span
from gateway.cli.session import ask_store, fail, store_session
from gateway.cli.tables import print_table
from gateway.core.learning import day_of, evidence_of, shift_of, shifted
from gateway.stores.connection import RedisConnection
from gateway.stores.learning import LearningStore
from gateway.stores.ledger_lines import known_orgs


class QualityRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one deployment and task of an org.

    `rated` and `judged` are the decayed numbers of answers by who scored them, and `answers` is as
    how many ratings they count; `score` and `predicted` are means; `quality` is what the prediction
    is moved to, by `shift` in log-odds. `version` counts the changes.
    """

    org: str
    deployment: str
    task: str
    answers: float
    rated: float
    judged: float
    score: float
    predicted: float
    quality: float
    shift: float
    version: int


def quality(
    org: Annotated[str, typer.Option(help="Only this organisation.")] = "",
    forget: Annotated[
        str, typer.Option("--forget", help="Take back what was learnt about this deployment.")
    ] = "",
    since: Annotated[
        str, typer.Option("--from", help="Only what was learnt from this day on: 2026-11-01, 7d.")
    ] = "",
    until: Annotated[
        str,
        typer.Option("--to", help="Only what was learnt on days that begin before: 2026-12-01."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show, or take back, what feedback, judges and checks have taught, by deployment and task."""
    if (since or until) and not forget:
        fail("--from and --to say what to --forget", status=2)
    try:
        start, end = span(since, until)
    except ValueError as mistake:
        fail(str(mistake), status=2)
    with store_session() as session:
        orgs = (org,) if org else known_orgs(session.client, session.home)
        url = session.url
        if forget:
            taken = sum(ask_store(url, _forgetting(one, forget, start, end)) for one in orgs)
            told = {"deployment": forget, "days": taken}
            typer.echo(msgspec.json.encode(told).decode() if as_json else _forgot(forget, taken))
            return
        rows = [row for one in orgs for row in ask_store(url, _reading(one))]
    if as_json:
        typer.echo(msgspec.json.encode({"rows": rows}).decode())
    elif rows:
        _print(rows)
    else:
        typer.echo("Nothing was learnt yet: no feedback came, no judge or cascade saw an answer.")


def _forgetting(
    org: str, deployment: str, start: float | None, end: float | None
) -> Callable[[RedisConnection], Awaitable[int]]:
    first = day_of(start or 0.0)
    # The days that have begun by then: what is learnt is kept by days, never by hours.
    after = None if end is None else -day_of(-end)
    return lambda connection: LearningStore(connection).forget(org, deployment, first, after)


def _reading(org: str) -> Callable[[RedisConnection], Awaitable[list[QualityRow]]]:
    async def read(connection: RedisConnection) -> list[QualityRow]:
        today = day_of(time())
        rows = []
        for one in await LearningStore(connection).load(org):
            found = evidence_of(one.days, today)
            shift = shift_of(found)
            rows.append(
                QualityRow(
                    org=org,
                    deployment=one.deployment,
                    task=one.task,
                    answers=round(found.answers, 2),
                    rated=round(found.rated, 1),
                    judged=round(found.judged, 1),
                    score=round(found.score, 4),
                    predicted=round(found.predicted, 4),
                    quality=round(shifted(found.predicted, shift), 4),
                    shift=round(shift, 4),
                    version=one.version,
                )
            )
        return rows

    return read


def _forgot(deployment: str, days: int) -> str:
    counted = "1 day" if days == 1 else f"{days} days"
    return f"Took back what was learnt about '{deployment}' on {counted}."


def _print(rows: list[QualityRow]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("org", "deployment", "task"):
        table.add_column(heading, overflow="fold")
    for heading in ("rated", "judged", "answers", "score", "predicted", "quality", "shift"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            *(row.org, row.deployment, row.task),
            *(f"{count:,.1f}" for count in (row.rated, row.judged, row.answers)),
            f"{row.score:.2f}",
            f"{row.predicted:.2f}",
            f"{row.quality:.2f}",
            f"{row.shift:+.2f}",
        )
    print_table(table)
