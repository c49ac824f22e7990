"""`fairlead routing calibrate`: learn difficulty from logged pairs, or from those of judges."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.classify.cues import load_cues
from gateway.classify.difficulty import load_shipped
from gateway.classify.difficulty_calibration import (
    Calibrated,
    TooFewRows,
    calibrate,
    calibrate_features,
    learn_from_features,
)
from gateway.cli.routing_pairs import (
    OrgOption,
    SinceOption,
    StrongOption,
    UntilOption,
    WeakOption,
    judged_pairs,
    rows_of,
)
from gateway.cli.session import fail, store_session
from gateway.config.difficulty_models import check_name, save_model
from gateway.config.routing_pairs import read_pairs
from gateway.config.settings import Settings, load_settings

Calibrating = Callable[[Callable[[str], None]], Calibrated]


def calibrate_command(
    save: Annotated[str, typer.Option(help="The name to save the model under.")],
    pairs: Annotated[
        Path | None,
        typer.Argument(help='JSON lines {"prompt", "weak_score", "strong_score"}, oldest first.'),
    ] = None,
    from_shadows: Annotated[
        bool, typer.Option("--from-shadows", help="Learn from the pairs that judges compared.")
    ] = False,
    since: SinceOption = "",
    until: UntilOption = "",
    org: OrgOption = "",
    weak: WeakOption = "",
    strong: StrongOption = "",
    force: Annotated[
        bool, typer.Option("--force", help="Save even what is worse than the shipped model.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Learn from pairs, and save the model unless it is worse than the one that ships.

    The newest fifth of the rows decides; the model that is saved has then learned from all.
    Exit status 1: it is worse (or nothing can be said), and nothing was saved.
    """
    settings = settings_of_home()
    if (pairs is not None) == from_shadows:
        fail("give either a file of PAIRS or --from-shadows", status=2)
    if pairs is not None and (since or until or org or weak or strong):
        chosen_by = "--from, --to, --org, --weak and --strong"
        fail(f"{chosen_by} choose among the pairs --from-shadows", status=2)
    try:
        check_name(save)
        work = _from_file(pairs) if pairs else _from_shadows(since, until, org, weak, strong)
        with progress_bar() as progress:
            task = progress.add_task("", total=5)

            def told(stage: str) -> None:
                progress.update(task, advance=1, description=stage)

            done = work(told)
    except TooFewRows as problem:
        fail(f"{pairs or 'judged pairs'}: {problem}")
    except ValueError as mistake:
        fail(str(mistake), status=2)
    adopted = done.better or force
    try:
        path = save_model(settings.home, save, done.model) if adopted else None
    except OSError as problem:
        fail(f"the model cannot be saved: {problem}")
    if as_json:
        typer.echo(msgspec.json.encode(_as_document(done, save if adopted else None)).decode())
    else:
        _tell(done, path)
    raise typer.Exit(0 if adopted else 1)


def settings_of_home() -> Settings:
    """The settings of the environment; ends the command where they are wrong."""
    try:
        return load_settings(os.environ)
    except ValueError as mistake:
        fail(str(mistake), status=2)


def progress_bar() -> Progress:
    """Shows on stderr how far a long calculation is."""
    return Progress(
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _from_file(path: Path) -> Calibrating:
    rows = read_pairs(path)
    return lambda told: calibrate(rows, load_cues(), load_shipped(), told)


def _from_shadows(since: str, until: str, org: str, weak: str, strong: str) -> Calibrating:
    with store_session() as session:
        found = judged_pairs(session, since, until, org, weak, strong)
    rows = rows_of(found.pairs)
    if len(rows) < len(found.pairs):
        left_out = len(found.pairs) - len(rows)
        typer.echo(f"{left_out:,} pairs of another version are left out.", err=True)
    if found.alike:
        typer.echo(
            f"{found.alike:,} pairs are left out: of their deployments neither is weaker; "
            "--weak or --strong names one.",
            err=True,
        )
    return lambda told: calibrate_features(learn_from_features(rows), load_shipped(), told)


def _tell(done: Calibrated, path: Path | None) -> None:
    if done.newest_local is None or done.newest_cold is None:
        typer.echo(
            "On the newest fifth of the rows the strong model is no better than the weak one, so "
            "no model can be judged by them."
        )
    else:
        typer.echo(
            f"APGR on the newest fifth: {done.newest_local:.3f} learned from the older rows, "
            f"{done.newest_cold:.3f} by the model that ships."
        )
    if done.learned:
        typer.echo(
            f"The model that ships has learned from {done.learned:,} prompts of that fifth; it was "
            "judged on them by its hand rule alone."
        )
    if done.crossed is not None:
        typer.echo(f"APGR over all {done.rows:,} rows by cross-validation: {done.crossed:.3f}")
    typer.echo(f"Calibration error: {done.error:.3f}")
    if path is None:
        typer.echo("Not saved: it is not better than what ships (--force saves it all the same).")
    else:
        typer.echo(f"Saved to {path}; use it with FAIRLEAD_DIFFICULTY_MODEL={path.stem}")


def _as_document(done: Calibrated, saved: str | None) -> dict[str, object]:
    return {
        "saved": saved,
        "adopted": saved is not None,
        "better": done.better,
        "rows": done.rows,
        "apgr_newest": done.newest_local,
        "apgr_newest_cold_start": done.newest_cold,
        "rows_newest_known_to_cold_start": done.learned,
        "apgr_cross_validated": done.crossed,
        "calibration_error": done.error,
    }
