"""Measures reports over a ledger of many lines: time and memory of the whole command.

Run:  python ops/bench/reports.py [--lines 1000000] [--json FILE]

The lines have 20 teams, 12 models, 5 token classes and 90 days. Nine tenths are sealed to Parquet
files, the last tenth is still in a real Redis. Each report is a process of its own, as a user
starts it: its time includes the start of Python, its memory is the peak of its resident set, and
its CPU time tells what it cost where other work runs beside it. The totals of all reports are
compared with the sum of the lines as they were made.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402
import msgspec  # noqa: E402
import redis  # noqa: E402

from gateway.core.money import NANO  # noqa: E402
from gateway.core.prices import Price, cost_parts  # noqa: E402
from gateway.core.records import LedgerLine  # noqa: E402
from gateway.core.usage import Usage  # noqa: E402
from gateway.stores import names  # noqa: E402
from gateway.stores.ledger_seal import seal_ledger  # noqa: E402
from ops.bench.ledger_server import ORG, loopback_server  # noqa: E402

#: 2026-08-01 UTC, and the days that the lines spread over.
BEGINS, DAYS = 1_785_542_400, 90
ROUNDS = 10
_BATCH = 5000
#: Starts the command it is given and prints what that took. A process of its own, because Linux
#: counts the memory of whoever starts a program into that program's peak, and this process may be
#: far larger than any report.
_STARTER = """
import json, resource, subprocess, sys, time

began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
took = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
told = {
    "seconds": round(took, 2),
    "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
    "peak_mib": round(used.ru_maxrss / 1024),
}
print(json.dumps(told))
sys.exit(done.returncode)
"""
REPORTS = (
    ("cost", "--by", "team,model"),
    ("cost", "--by", "day,team,model,token_class", "--zone", "Europe/Berlin"),
    ("cost", "--by", "team", "--across", "month"),
    ("chargeback",),
    ("waste",),
    ("exceptions",),
    ("savings", "--against", "openai/gpt-4o"),
    ("journal",),
    ("focus", "--zone", "Europe/Berlin", "--format", "csv"),
    ("focus", "--zone", "Europe/Berlin", "--format", "parquet"),
    ("cost", "--by", "day,team,model", "--format", "html"),
    ("cost", "--by", "day,team,model", "--format", "xlsx"),
)


def line_of(number: int, rng: random.Random) -> LedgerLine:
    """One line drawn by chance; every twentieth failed before it was tried again."""
    model = rng.randrange(12)
    failed = number % 20 == 0
    price = Price(
        input=(model + 1) * NANO // 7,
        output=(model + 1) * NANO,
        cached_input=(model + 1) * NANO // 14,
        cache_write=(model + 1) * NANO // 6,
    )
    usage = Usage(
        input_tokens=rng.randint(200, 4000),
        cached_input_tokens=rng.choice((0, 128)),
        cache_write_tokens=rng.choice((0, 64)),
        output_tokens=0 if failed else rng.randint(10, 900),
        reasoning_tokens=0 if failed else rng.choice((0, 9)),
    )
    parts = cost_parts(usage, price)
    request = number - 1 if number % 20 == 1 else number
    return LedgerLine(
        kind="settle",
        hold_id=f"req_{number:012d}:1",
        request_id=f"req_{request:012d}",
        attempt=2 if number % 20 == 1 else 1,
        at=BEGINS + rng.random() * DAYS * 86400,
        org=ORG,
        team=f"team-{rng.randrange(20)}",
        app=f"app-{rng.randrange(3)}",
        user="",
        key_id=f"key{rng.randrange(60)}",
        alias="auto",
        deployment=f"deployment-{model}",
        provider="openai" if model < 6 else "vllm",
        model=f"model-{model}",
        route="all",
        sensitivity="internal",
        outcome="timeout" if failed else "ok",
        usage=usage,
        held_nanousd=10**9,
        cost_nanousd=sum(part.cost_nanousd for part in parts),
        parts=parts,
        self_hosted=model >= 6,
        gpu_seconds=0.5 if model >= 6 else 0.0,
        price_revision="bench",
    )


def fill(client: redis.Redis, home: Path, lines: int) -> int:
    """Write and seal the lines; what they cost together."""
    rng, total, key = random.Random(7), 0, names.ledger(ORG)
    encode = msgspec.json.Encoder().encode
    client.sadd(names.ORGS, ORG)
    for turn in range(ROUNDS):
        numbers = range(lines * turn // ROUNDS, lines * (turn + 1) // ROUNDS)
        for first in range(0, len(numbers), _BATCH):
            pipeline = client.pipeline(transaction=False)
            for number in numbers[first : first + _BATCH]:
                line = line_of(number, rng)
                total += line.cost_nanousd
                pipeline.xadd(key, {"line": encode(line)})
            pipeline.execute()
        if turn < ROUNDS - 1:
            seal_ledger(client, home, ORG, until_ms=int(time.time() * 1000) + 60_000)
    return total


def measured(url: str, home: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """One report as a command: seconds, peak memory, and its own total."""
    environ = {**os.environ, "FAIRLEAD_REDIS_URL": url, "FAIRLEAD_HOME": str(home)}
    form = arguments[-1] if "--format" in arguments else "json"
    out = home / f"report.{form}"
    command = (sys.executable, "-m", "gateway.cli.main", "report", *arguments)
    asked = (*command, *(() if "--format" in arguments else ("--format", form)))
    starter = subprocess.run(
        (sys.executable, "-c", _STARTER, *asked, "--output", str(out)),
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if starter.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {starter.stderr}")
    rows, ledger = _told(out)
    return {**json.loads(starter.stdout), "rows": rows, "ledger_nanousd": ledger}


def _told(path: Path) -> tuple[int, int | None]:
    """How many rows a report has, and what it says that the ledger holds; forms for the eye are
    not read again."""
    if path.suffix == ".json":
        told = json.loads(path.read_text())
        return len(told["rows"]), told["ledger_nanousd"]
    if path.suffix == ".csv":
        with path.open() as lines:
            costs = [int(row["x_EffectiveCostNanousd"]) for row in csv.DictReader(lines)]
        return len(costs), sum(costs)
    if path.suffix == ".parquet":
        with duckdb.connect() as database:
            query = "SELECT count(*), sum(x_EffectiveCostNanousd) FROM read_parquet(?)"
            rows, total = database.execute(query, [str(path)]).fetchone() or (0, 0)
        return int(rows), int(total)
    return 0, None


def run(lines: int) -> dict[str, Any]:
    """Make the ledger and measure every report over it."""
    home = Path(tempfile.mkdtemp(prefix="fairlead-reports-"))
    try:
        with loopback_server() as url, redis.Redis.from_url(url) as client:
            total = fill(client, home, lines)
            found = {" ".join(one): measured(url, home, one) for one in REPORTS}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return {
        "lines": lines,
        "total_nanousd": total,
        "worst_seconds": max(one["seconds"] for one in found.values()),
        "worst_peak_mib": max(one["peak_mib"] for one in found.values()),
        "wrong_totals": [
            name for name, one in found.items() if one.pop("ledger_nanousd") not in (total, None)
        ],
        "reports": found,
    }


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    told = json.dumps(run(chosen.lines), indent=1)
    if chosen.json is not None:
        chosen.json.write_text(told + "\n")
    print(told)


if __name__ == "__main__":
    main()
