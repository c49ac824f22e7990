"""`fairlead routing`: learn difficulty from your own pairs, and measure how well it routes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.table import Table

from gateway.classify.cues import load_cues
from gateway.classify.difficulty import load_shipped
from gateway.classify.difficulty_calibration import (
    Pair,
    cross_validated,
    judged,
    learn_from,
)
from gateway.classify.difficulty_features import Floats
from gateway.classify.routing_curve import (
    GRID,
    CurveFigures,
    NoGap,
    calibration_error,
    figures,
    quality_curve,
)
from gateway.cli.routing_calibrate import calibrate_command, progress_bar, settings_of_home
from gateway.cli.routing_cascade import cascade
from gateway.cli.routing_pairs import pairs_command
from gateway.cli.routing_quality import quality
from gateway.cli.session import fail
from gateway.cli.tables import print_table
from gateway.config.difficulty_models import load_model, saved_names
from gateway.config.routing_pairs import pair_files, read_named_pairs, read_pairs
from gateway.reports.routing_chart import html_chart, png_chart, svg_chart

app = typer.Typer(
    help="Learn and measure which prompts need the strong model.", no_args_is_help=True
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
PairsArgument = Annotated[
    Path, typer.Argument(help='JSON lines {"prompt", "weak_score", "strong_score"}, oldest first.')
]

#: What a curve can be drawn as.
DRAWN = (".html", ".svg", ".png")
#: APGR of others by data set: RouteLLM's best router (arXiv 2406.18665, table 3), and the rules of
#: LiteLLM 1.110.2 on the development rows (`ops/bench/routing.py --litellm`).
ELSEWHERE = {
    "RouteLLM's best, as published": {"mmlu": 0.603, "gsm8k": 0.622},
    "LiteLLM's heuristic": {
        "mmlu": 0.585,
        "gsm8k": 0.544,
        "mmlu_pro": 0.506,
        "zeroeval": 0.610,
        "bfcl": 0.472,
        "llmrouter_mix": 0.629,
    },
    "LiteLLM's heuristic_v2": {
        "mmlu": 0.542,
        "gsm8k": 0.479,
        "mmlu_pro": 0.522,
        "zeroeval": 0.537,
        "bfcl": 0.461,
        "llmrouter_mix": 0.659,
    },
}


@app.callback()
def routing() -> None:
    """Learn and measure which prompts need the strong model."""


app.command("cascade")(cascade)
app.command("quality")(quality)
app.command("calibrate")(calibrate_command)
app.command("pairs")(pairs_command)


@app.command()
def evaluate(
    pairs: PairsArgument,
    difficulty_model: Annotated[
        str, typer.Option("--difficulty-model", help="A saved model; else the shipped one.")
    ] = "",
    curve: Annotated[
        Path | None, typer.Option(help="Write the curve to this .html, .svg or .png file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on pairs that it has not learned from, beside prompt length."""
    settings = settings_of_home()
    if curve is not None and curve.suffix not in DRAWN:
        fail(f"--curve {curve}: the file must end in .html, .svg or .png", status=2)
    try:
        rows = read_pairs(pairs)
        named = difficulty_model or settings.difficulty_model
        model = load_model(settings.home, named) if named else load_shipped()
        scores = {
            named or "shipped": _difficulties(
                [one.difficulty for one in judged(model, rows, load_cues())]
            ),
            "length": _lengths(rows),
        }
        measured = {name: _figures(score, rows) for name, score in scores.items()}
    except NoGap as problem:
        fail(f"{pairs}: {problem}; there is nothing to route for")
    except ValueError as mistake:
        fail(str(mistake), status=2)
    error = calibration_error(scores[named or "shipped"], _needed(rows))
    if curve is not None:
        _draw(curve, f"Routing on {pairs.name}", scores, rows)
    if as_json:
        document = {
            "rows": len(rows),
            "calibration_error": error,
            "scores": {name: _rounded(one) for name, one in measured.items()},
        }
        typer.echo(msgspec.json.encode(document).decode())
        return
    table = _table("score")
    for name, one in measured.items():
        table.add_row(name, *_cells(one))
    print_table(table)
    typer.echo(f"Knowing both answers would give APGR {next(iter(measured.values())).oracle:.3f}.")
    typer.echo(f"Calibration error of the difficulty: {error:.3f}")
    if curve is not None:
        typer.echo(f"The curve is in {curve}")


@app.command()
def bench(
    data: Annotated[Path, typer.Option(help="A folder of .jsonl or .jsonl.gz pairs, or one file.")],
    curves: Annotated[
        Path | None, typer.Option(help="Write each set's curve to this folder, as .html and .png.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare scores on public sets: chance, length, the shipped model, local evidence, all known.

    Local evidence is measured by cross-validation. The shipped model has learned from the public
    sets, so its figure there flatters it; the model card has the one with each set left out.
    """
    settings_of_home()
    try:
        sets = _read_sets(data)
        with progress_bar() as progress:
            measured = {}
            task = progress.add_task("", total=len(sets))
            for name, rows in sets.items():
                progress.update(task, description=name)
                scored = _bench_one(rows)
                measured[name] = {score: _figures(one, rows) for score, one in scored.items()}
                if curves is not None:
                    _draw_all(curves, name, scored, rows)
                progress.advance(task)
    except ValueError as mistake:
        fail(str(mistake), status=2)
    if as_json:
        document = {
            name: {score: _rounded(one) for score, one in scores.items()}
            for name, scores in measured.items()
        }
        typer.echo(msgspec.json.encode(document).decode())
        return
    table = _table("data set", "score")
    for name, scores in measured.items():
        table.add_row(name, "chance", "", "0.500", "50.0", "80.0", "0.200", "0.500")
        for score, one in scores.items():
            table.add_row("", score, *_cells(one))
        for score, found in ELSEWHERE.items():
            if name in found:
                table.add_row("", score, "", f"{found[name]:.3f}")
        known = next(iter(scores.values())).oracle
        table.add_row("", "both answers known", "", f"{known:.3f}")
    print_table(table)
    if curves is not None:
        typer.echo(f"The curves are in {curves}")


@app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """The difficulty models that are saved here."""
    settings = settings_of_home()
    rows: list[dict[str, object]] = []
    for name in saved_names(settings.home):
        row: dict[str, object] = {"name": name, "in_use": name == settings.difficulty_model}
        try:
            row["rows"] = load_model(settings.home, name).evidence
        except ValueError as problem:
            row["problem"] = str(problem)
        rows.append(row)
    if as_json:
        typer.echo(msgspec.json.encode({"models": rows}).decode())
        return
    if not rows:
        typer.echo(
            "None is saved; make one with: fairlead routing calibrate PAIRS.jsonl --save NAME"
        )
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "rows", "in use", "problem"):
        table.add_column(heading)
    for row in rows:
        used = "yes" if row["in_use"] else ""
        table.add_row(
            str(row["name"]), str(row.get("rows", "-")), used, str(row.get("problem", ""))
        )
    print_table(table)


def _read_sets(data: Path) -> dict[str, list[Pair]]:
    sets: dict[str, list[Pair]] = {}
    for file in pair_files(data):
        for name, pair in read_named_pairs(file):
            sets.setdefault(name, []).append(pair)
    return sets


def _bench_one(rows: Sequence[Pair]) -> dict[str, Floats]:
    cues = load_cues()
    shipped = [one.difficulty for one in judged(load_shipped(), rows, cues)]
    return {
        "length": _lengths(rows),
        "shipped": _difficulties(shipped),
        "local evidence": cross_validated(learn_from(rows, cues)),
    }


def _figures(score: Floats, rows: Sequence[Pair]) -> CurveFigures:
    return figures(score, *_both(rows))


def _both(rows: Sequence[Pair]) -> tuple[Floats, Floats]:
    weak = np.array([row.weak_score for row in rows])
    return weak, np.array([row.strong_score for row in rows])


def _needed(rows: Sequence[Pair]) -> Floats:
    weak, strong = _both(rows)
    return np.asarray(strong * (1 - weak))


def _difficulties(values: Sequence[float]) -> Floats:
    return np.array(values, float)


def _lengths(rows: Sequence[Pair]) -> Floats:
    return np.array([len(row.prompt) for row in rows], float)


def _draw_all(folder: Path, name: str, scores: Mapping[str, Floats], rows: Sequence[Pair]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        fail(f"{folder} cannot be made: {problem.strerror}")
    file = re.sub(r"[^\w-]", "_", name)
    for suffix in (".html", ".png"):
        _draw(folder / f"{file}{suffix}", f"Routing on {name}", scores, rows)


def _draw(path: Path, title: str, scores: Mapping[str, Floats], rows: Sequence[Pair]) -> None:
    weak, strong = _both(rows)
    curves = {name: quality_curve(score, weak, strong).tolist() for name, score in scores.items()}
    curves["both answers known"] = quality_curve(strong - weak, weak, strong).tolist()
    curves["chance"] = GRID.tolist()
    if path.suffix == ".png":
        drawn = png_chart(title, curves)
    elif path.suffix == ".svg":
        drawn = svg_chart(title, curves).encode()
    else:
        said = [
            f"{len(rows):,} prompts",
            *(f"{n}: APGR {_figures(s, rows).apgr:.3f}" for n, s in scores.items()),
        ]
        drawn = html_chart(title, curves, said).encode()
    try:
        path.write_bytes(drawn)
    except OSError as problem:
        fail(f"{path} cannot be written: {problem.strerror}")


def _table(*first: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in first:
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "APGR", "CPT50 %", "CPT80 %", "PGR at 20 %", "AUC"):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cells(one: CurveFigures) -> tuple[str, ...]:
    return (
        f"{one.rows:,}",
        f"{one.apgr:.3f}",
        "-" if one.cpt50 is None else f"{one.cpt50:.1f}",
        "-" if one.cpt80 is None else f"{one.cpt80:.1f}",
        f"{one.pgr20:.3f}",
        "-" if one.auc is None else f"{one.auc:.3f}",
    )


def _rounded(one: CurveFigures) -> dict[str, float | int | None]:
    return {
        name: round(held, 4) if isinstance(held, float) else held
        for name, held in msgspec.structs.asdict(one).items()
    }
