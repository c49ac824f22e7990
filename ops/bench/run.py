"""Measures Fairlead beside its neighbours, in alternating rounds of one run.

    .venv/bin/python -m ops.bench.run [--quick] [--json FILE] [--publish] \\
        [--litellm VENV] [--portkey FOLDER] [--only fairlead]

Targets: `direct` (the fake upstream alone), `bare litestar`, `fairlead` with everything on, and
LiteLLM and Portkey where their own environments are named, by option or in the environment
variables BENCH_LITELLM and BENCH_PORTKEY. The target has its cores to itself; upstream and load
share the others. The run is bounded in requests and in time, and ends what it started.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from ops.bench import measure, publish, targets

CONNECTIONS = (1, 32, 400)
#: The paced scenario: its added p99 over `direct` is what a caller feels of a gateway.
RATE = 200.0

#: What is shown of every cell, as medians over the rounds.
FIGURES = ("cpu_ms_per_request", "minstr_per_request", "rps", "p50_ms", "p99_ms")

Row = dict[str, float | int | str | None]


class Scenario(msgspec.Struct, frozen=True):
    """One kind of load; a rate of 0 means as fast as the target answers."""

    name: str
    connections: int
    stream: bool
    rate: float = 0.0


SCENARIOS = (
    *(Scenario(f"plain x{count}", count, False) for count in CONNECTIONS),
    *(Scenario(f"stream x{count}", count, True) for count in CONNECTIONS),
    Scenario("plain 200 rps", 64, False, RATE),
)


def load(target: targets.Target, scenario: Scenario, options: argparse.Namespace) -> Row:
    """Run the load generator once.

    Raises:
        TargetFailed: it could not run at all.
    """
    command = [sys.executable, "-m", "ops.bench.load", target.url]
    command += ["--connections", str(scenario.connections), "--seconds", str(options.seconds)]
    command += ["--requests", str(options.requests), "--rate", str(scenario.rate)]
    command += ["--stream"] if scenario.stream else []
    for header in target.headers:
        command += ["--header", header]
    done = subprocess.run(
        targets.pinned(options.load_cores, command), capture_output=True, text=True
    )
    if done.returncode:
        raise targets.TargetFailed(f"load against {target.name}: {done.stderr[-1000:]}")
    figures: Row = json.loads(done.stdout)
    return figures


def measure_once(target: targets.Target, scenario: Scenario, options: argparse.Namespace) -> Row:
    """One cell of one round: the load's figures, and what they cost the target's processes."""
    roots = target.measured()
    before = sum(measure.cpu_ms(root) for root in roots)
    counters = [measure.Instructions(root) for root in roots]
    for counter in counters:
        counter.start()
    row = load(target, scenario, options)
    counts = [counter.stop() for counter in counters]
    spent = sum(measure.cpu_ms(root) for root in roots) - before
    answered = max(1, int(row["requests"] or 0))
    row["cpu_ms_per_request"] = round(spent / answered, 4)
    known = [count for count in counts if count is not None]
    row["minstr_per_request"] = round(sum(known) / answered / 1e6, 3) if known else None
    return row


def start(options: argparse.Namespace, folder: Path) -> list[targets.Target]:
    """Start the upstream and every target that was asked for and is there."""
    upstream = targets.start_upstream(options.load_cores, folder)
    started = [upstream]
    port = int(upstream.url.split(":")[2].split("/")[0])
    cores = options.target_cores
    starters: dict[str, Callable[[], targets.Target]] = {
        "bare": functools.partial(targets.start_bare, port, cores, folder),
        "fairlead": functools.partial(targets.start_fairlead, port, cores, folder),
    }
    if options.litellm:
        venv = Path(options.litellm)
        for redis, name in ((False, "litellm"), (True, "litellm+redis")):
            starters[name] = functools.partial(
                targets.start_litellm, venv, port, cores, folder, with_redis=redis
            )
    if options.portkey:
        starters["portkey"] = functools.partial(
            targets.start_portkey, Path(options.portkey), port, cores, folder
        )
    for name, starter in starters.items():
        if options.only and name not in options.only:
            continue
        say(f"starting {name}")
        try:
            started.append(starter())
        except (targets.TargetFailed, OSError) as error:
            say(f"{name} left out: {error}")
    return started


def say(line: str) -> None:
    """Progress, beside the result."""
    print(line, file=sys.stderr, flush=True)


def rounds(
    started: list[targets.Target], options: argparse.Namespace
) -> dict[str, dict[str, list[Row]]]:
    """Every scenario against every target, round after round, in changing order."""
    rows: dict[str, dict[str, list[Row]]] = {target.name: {} for target in started}
    warm = msgspec.structs.replace
    for target in started:
        say(f"warming {target.name} up")
        for stream in (False, True):
            brief = argparse.Namespace(**{**vars(options), "requests": 100, "seconds": 5.0})
            load(target, warm(SCENARIOS[1], stream=stream), brief)
    for number in range(options.rounds):
        order = started if number % 2 == 0 else started[::-1]
        for scenario in SCENARIOS:
            for target in order:
                row = measure_once(target, scenario, options)
                rows[target.name].setdefault(scenario.name, []).append(row)
                if row["errors"]:
                    say(f"{target.name}, {scenario.name}: {row['errors']} errors: {row['example']}")
        say(f"round {number + 1} of {options.rounds} done")
    return rows


def middle(cells: list[Row], name: str) -> float | None:
    """The median over the rounds of one figure; None where it was not measured."""
    known = [float(cell[name]) for cell in cells if cell.get(name) is not None]  # type: ignore[arg-type]
    return statistics.median(known) if known else None


def report(
    rows: dict[str, dict[str, list[Row]]], memory: dict[str, dict[str, float]]
) -> dict[str, object]:
    """Medians by target and scenario, added p99, and memory."""
    figures: dict[str, dict[str, Row]] = {}
    for target, scenarios in rows.items():
        figures[target] = {}
        for scenario, cells in scenarios.items():
            row: Row = {name: middle(cells, name) for name in FIGURES}
            row["requests"] = sum(int(cell["requests"] or 0) for cell in cells)
            row["errors"] = sum(int(cell["errors"] or 0) for cell in cells)
            # What failed was not served, so its figures would mislead.
            if int(row["errors"] or 0) * 100 > int(row["requests"] or 0):
                row |= dict.fromkeys(FIGURES)
            beside = middle(rows["direct"][scenario], "p99_ms")
            own = middle(cells, "p99_ms")
            row["added_p99_ms"] = None
            if own is not None and beside is not None and row["p99_ms"] is not None:
                row["added_p99_ms"] = round(own - beside, 3)
            figures[target][scenario] = row
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}",
        "rounds": max(len(cells) for cells in rows["direct"].values()),
        "instructions_counted": measure.has_instruction_counter(),
        "figures": figures,
        "resident_mib": memory,
    }


def show(result: dict[str, object]) -> None:
    """The figures as a table for people."""
    table = Table(title=f"Medians; {result['machine']}")
    heads = ("target", "load", "CPU ms/req", "Minstr/req", "rps", "p50 ms", "p99 ms", "added p99")
    for head in (*heads, "errors"):
        table.add_column(head, justify="left" if head in heads[:2] else "right")
    figures: dict[str, dict[str, Row]] = result["figures"]  # type: ignore[assignment]
    for scenario in SCENARIOS:
        for target, scenarios in figures.items():
            row = scenarios[scenario.name]
            shown = (*FIGURES, "added_p99_ms")
            cells = ["-" if row[name] is None else f"{row[name]:,.2f}" for name in shown]
            table.add_row(target, scenario.name, *cells, str(row["errors"]))
        table.add_section()
    console = Console(width=120)
    console.print(table)
    memory: dict[str, dict[str, float]] = result["resident_mib"]  # type: ignore[assignment]
    for target, sizes in memory.items():
        listed = ", ".join(f"{name.split(' ', 1)[1]} {size:.0f}" for name, size in sizes.items())
        console.print(f"resident MiB of {target}: {listed}")


def options() -> argparse.Namespace:
    """The command line."""
    last = (os.cpu_count() or 1) - 1
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each cell of a round")
    parser.add_argument("--requests", type=int, default=4000, help="most for each cell of a round")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, to see that it works"
    )
    parser.add_argument(
        "--only", action="append", help="this target alone (and direct); repeatable"
    )
    parser.add_argument("--litellm", default=os.environ.get("BENCH_LITELLM", ""))
    parser.add_argument("--portkey", default=os.environ.get("BENCH_PORTKEY", ""))
    parser.add_argument("--target-cores", default=str(last) if last else "")
    parser.add_argument("--load-cores", default=f"0-{last - 1}" if last else "")
    parser.add_argument("--json", help="write the figures to this file, - for standard output")
    parser.add_argument(
        "--publish", action="store_true", help="write the figures into ops/docs/benchmarks.md"
    )
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.requests = 1, 1.0, 300
    return chosen


def main() -> int:
    """Run, print, end what was started; 1 when a target answered with errors."""
    chosen = options()
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch:
        started = start(chosen, Path(scratch))
        try:
            rows = rounds(started, chosen)
            memory = {
                target.name: measure.resident_mib(target.measured())
                for target in started
                if target.process
            }
        finally:
            for target in reversed(started):
                target.stop()
    result = report(rows, memory)
    if chosen.publish:
        publish.rewrite(result)
    if chosen.json == "-":
        print(json.dumps(result, indent=2))
        return 0
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(result, indent=2) + "\n")
    show(result)
    failed = any(
        cell["errors"] for cells in rows.values() for row in cells.values() for cell in row
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
