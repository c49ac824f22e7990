"""`fairlead privacy bench`: how much of what is sensitive is found in labelled texts, how fast."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway.classify.classifier import Classifier, load_classifier
from gateway.cli.session import fail
from gateway.cli.tables import print_table
from gateway.core.findings import SensitivityRules
from gateway.reports.privacy_figures import Figures, Labelled, Tally

app = typer.Typer(help="Measure what is found in labelled texts.", no_args_is_help=True)

#: What has to be reached, in percent of requests: at least, or at most.
AT_LEAST = {
    "personal": 98.5,
    "secrets": 98.0,
    "secrets without gitleaks'": 95.0,
    "markings": 98.0,
    "addresses alone": 90.0,
    "evasions": 88.0,
}
AT_MOST = {"ordinary": 0.3, "look-alikes": 3.0, "evasion controls": 5.0}
PERSON_F1 = 0.80
#: The order in which shares are told.
_ORDER = (*AT_LEAST, *AT_MOST, "names and places only", "bare values")
#: The strings that slow pattern matchers down, beside the labelled texts.
ATTACKS = "latency_attacks.json"
_SHORT, _LONG, _ATTACK = 2_048, 100_000, 8_192
_TIMED_TEXTS, _ROUNDS = 60, 5


@app.callback()
def privacy() -> None:
    """Measure what is found in labelled texts."""


@app.command("bench")
def bench_command(
    data: Annotated[
        Path,
        typer.Argument(
            help='A folder of *.jsonl or *.jsonl.gz, or one file: {"id", "source", "tier", '
            '"text", "spans": [{"start", "end", "type"}]}.'
        ),
    ],
    engine: Annotated[str, typer.Option(help="auto, hyperscan or re2.")] = "auto",
    wrong: Annotated[
        Path | None,
        typer.Option("--wrong", help="Write the ids of texts judged wrongly to this file."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with status 1 when a share is not reached.")
    ] = False,
    timing: Annotated[bool, typer.Option(help="Measure the CPU time too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Judge every labelled text, and tell which share was right and what it cost.

    CPU times are of one thread and are never checked: they depend on the machine.
    """
    try:
        texts = read_labelled(data)
        classifier = load_classifier(engine=engine)
    except (OSError, EOFError, ValueError, RuntimeError) as problem:
        fail(str(problem), status=2)
    figures, mistaken = measure(texts, classifier)
    if wrong is not None:
        wrong.write_text("".join(f"{name}\n" for name in mistaken), encoding="utf-8")
    times = time_texts(texts, classifier, data) if timing else {}
    short = below(figures)
    if as_json:
        typer.echo(msgspec.json.encode(_told(figures, times, short)).decode())
    else:
        _print(figures, times)
    raise typer.Exit(1 if check and short else 0)


def read_labelled(data: Path) -> list[Labelled]:
    """The texts of a file, or of all files of a folder in the order of their names.

    Raises:
        OSError: something cannot be read.
        ValueError: there is none, or a line is no labelled text.
    """
    files = sorted(data.glob("*.jsonl*")) if data.is_dir() else [data]
    texts: list[Labelled] = []
    for file in files:
        for number, line in enumerate(_lines(file), start=1):
            try:
                texts.append(msgspec.json.decode(line, type=Labelled))
            except msgspec.MsgspecError as problem:
                raise ValueError(f"{file}, line {number}: {problem}") from None
    if not texts:
        raise ValueError(f"there are no labelled texts in {data}")
    return texts


def measure(texts: Sequence[Labelled], classifier: Classifier) -> tuple[Figures, list[str]]:
    """The figures of all texts, and the ids of those that were judged wrongly."""
    tally, rules, mistaken = Tally(), SensitivityRules(), []
    bar = Progress(
        TextColumn("judging"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        for text in bar.track(texts):
            if not tally.add(text, classifier.judge_text(text.text, rules).findings):
                mistaken.append(text.id)
    figures = tally.figures()
    ordered = {name: figures.shares[name] for name in _ORDER if name in figures.shares}
    return msgspec.structs.replace(figures, shares=ordered), mistaken


def time_texts(
    texts: Sequence[Labelled], classifier: Classifier, data: Path
) -> dict[str, dict[str, float]]:
    """CPU milliseconds of one thread: p50 and p99 of 2 kB, of 100 kB, and the attacks' worst.

    Detection alone is told beside the whole judgement, which difficulty, task and tokens belong to.
    """
    rules = SensitivityRules()
    ways: dict[str, Callable[[str], object]] = {
        "detection": lambda text: classifier.detect(text, rules),
        "whole judgement": lambda text: classifier.judge_text(text, rules),
    }
    long = [one.text for one in texts if len(one.text) >= _SHORT and not one.technique]
    times = {}
    short = [_cut(text, _SHORT) for text in long[:: max(1, len(long) // _TIMED_TEXTS)]]
    whole = "\n".join(long)
    for name, way in ways.items():
        if short:
            measured = [_cpu(way, text) for _ in range(_ROUNDS) for text in short]
            times[f"2 kB, {name}"] = _spread(measured)
        if len(whole) >= _LONG:
            measured = [_cpu(way, _cut(whole, _LONG)) for _ in range(_ROUNDS)]
            times[f"100 kB, {name}"] = _spread(measured)
    attacks = (data if data.is_dir() else data.parent) / ATTACKS
    if attacks.exists():
        units = [row["unit"] for row in msgspec.json.decode(attacks.read_bytes())]
        strings = [unit * (_ATTACK // len(unit.encode())) for unit in units]
        # The least of several: what is asked is the work, not what else the machine had to do.
        judge = ways["whole judgement"]
        worst = [min(_cpu(judge, text) for _ in range(_ROUNDS)) for text in strings]
        times["8 kB of attacks"] = _spread(worst)
    return times


def below(figures: Figures) -> list[str]:
    """The shares that are not what they have to be."""
    short = [
        name
        for name, share in figures.shares.items()
        if share.percent < AT_LEAST.get(name, 0) or share.percent > AT_MOST.get(name, 100)
    ]
    if figures.person_f1 is not None and figures.person_f1 < PERSON_F1:
        short.append("names of persons")
    return short


def _lines(file: Path) -> Iterator[bytes]:
    raw = file.read_bytes()
    lines = (gzip.decompress(raw) if file.suffix == ".gz" else raw).splitlines()
    yield from (line for line in lines if line.strip())


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def _cpu(way: Callable[[str], object], text: str) -> float:
    begun = time.thread_time_ns()
    way(text)
    return (time.thread_time_ns() - begun) / 1e6


def _spread(measured: list[float]) -> dict[str, float]:
    ordered = sorted(measured)
    return {
        "p50": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
    }


def _told(figures: Figures, times: dict[str, dict[str, float]], short: list[str]) -> dict[str, Any]:
    return {
        "requests": {
            name: {
                "hit": share.hit,
                "of": share.of,
                "percent": round(share.percent, 2),
                "at_least": AT_LEAST.get(name),
                "at_most": AT_MOST.get(name),
            }
            for name, share in figures.shares.items()
        },
        "person_f1": figures.person_f1,
        "types": figures.types,
        "evasions": {name: f"{one.hit}/{one.of}" for name, one in figures.evasions.items()},
        "cpu_ms": times,
        "below": short,
    }


def _print(figures: Figures, times: dict[str, dict[str, float]]) -> None:
    requests = Table("requests", "found", "of", "percent", "to reach", box=None, pad_edge=False)
    for name, share in figures.shares.items():
        goal = f">= {AT_LEAST[name]}" if name in AT_LEAST else ""
        goal = f"<= {AT_MOST[name]}" if name in AT_MOST else goal
        requests.add_row(name, str(share.hit), str(share.of), f"{share.percent:.2f}", goal)
    if figures.person_f1 is not None:
        shown, goal = f"{figures.person_f1:.3f}", f">= {PERSON_F1:.2f}"
        requests.add_row("names of persons (F1)", "", "", shown, goal)
    print_table(requests)
    types = Table("type", "labelled", "recall", "precision", box=None, pad_edge=False)
    for name, one in figures.types.items():
        right = "" if one.precision is None else f"{one.precision:.3f}"
        types.add_row(name, str(one.labelled), f"{one.recall:.3f}", right)
    typer.echo()
    print_table(types)
    if figures.evasions:
        caught = ", ".join(f"{name} {one.hit}/{one.of}" for name, one in figures.evasions.items())
        typer.echo(f"\nevasions: {caught}")
    for name, spread in times.items():
        typer.echo(f"CPU-ms for {name}: {spread['p50']} (p50), {spread['p99']} (p99)")
