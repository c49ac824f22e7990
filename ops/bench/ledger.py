"""A ledger of many requests ties out: independent costs, lines, rollups, counters and files.

Run:  python ops/bench/ledger.py [--requests 1000000] [--rounds 10]

Every request has a model, a date, a size, a tier and tokens of several classes, drawn by chance
with a fixed seed. It is priced by the gateway's price book, held and settled in a real Redis, and
sealed to files round after round. Its cost is worked out a second time in exact fractions from
the published rows of the golden corpus (tests/golden/costs), without any of the gateway's code.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import resource
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
import redis  # noqa: E402

from gateway.config.price_book import load_price_book  # noqa: E402
from gateway.core.budgets import BudgetCounter  # noqa: E402
from gateway.core.ledger import Granted, Settlement  # noqa: E402
from gateway.core.prices import Price, cost_parts  # noqa: E402
from gateway.core.usage import Usage  # noqa: E402
from gateway.stores.connection import RedisConnection  # noqa: E402
from gateway.stores.ledger import LedgerStore  # noqa: E402
from gateway.stores.ledger_check import check_ledger  # noqa: E402
from gateway.stores.ledger_lines import open_lines  # noqa: E402
from gateway.stores.ledger_seal import seal_ledger  # noqa: E402
from ops.bench.ledger_server import ORG, hold_of, loopback_server  # noqa: E402
from tests.golden.costs.independent import exact_cost  # noqa: E402

ROWS = json.loads((ROOT / "tests/golden/costs/rows.json").read_text())
PROCESSES = 2
#: Requests under way at once, in each process.
_AT_ONCE = 64
_TOTAL = BudgetCounter(scope="org/bench", per="total", cap_nanousd=2**53 - 1)
#: The month in which the requests are made, by their prices' dates.
_MONTH = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
_TEAMS = ("support", "search", "billing", "research")


def drawn(number: int) -> tuple[str, str, dict[str, Any], float]:
    """Provider, model, usage and date of one request."""
    rng = random.Random(number)
    place = rng.choice(sorted(ROWS))
    provider, model = place.split("/", 1)
    units = {unit for row in ROWS[place] for unit in row["figures"]}
    size = rng.choice((rng.randint(1, 3000), rng.randint(1, 3000), rng.randint(1, 400_000)))
    usage: dict[str, Any] = {"input_tokens": size}
    if "output_mtok" in units:
        usage["output_tokens"] = rng.randint(0, 2000)
        usage["reasoning_tokens"] = rng.choice((0, usage["output_tokens"] // 3))
    left = size
    for unit, name in (
        ("cache_read_mtok", "cached_input_tokens"),
        ("cache_write_mtok", "cache_write_tokens"),
        ("input_audio_mtok", "input_audio_tokens"),
        ("input_image_mtok", "input_image_tokens"),
    ):
        if unit in units and rng.random() < 0.3:
            usage[name] = rng.randint(0, left)
            left -= usage[name]
    if "cache_write_1h_mtok" in units and usage.get("cache_write_tokens"):
        usage["cache_write_1h_tokens"] = rng.randint(0, usage["cache_write_tokens"])
    tiers = sorted({tier for row in ROWS[place] for tier in row.get("when", {}).values()})
    if tiers and rng.random() < 0.2:
        usage["service_tier"] = rng.choice(tiers)
    return provider, model, usage, _MONTH + rng.random() * 31 * 86400


def _serve(url: str, first: int, last: int) -> int:
    """Hold and settle requests; the sum of their costs by the independent computation."""
    return asyncio.run(_serve_all(url, first, last))


async def _serve_all(url: str, first: int, last: int) -> int:
    book = load_price_book(_MONTH)
    prices: dict[str, Price] = {}
    connection = RedisConnection(url, timeout_seconds=60.0)
    store = LedgerStore(connection)
    numbers = iter(range(first, last))
    total = 0

    async def work() -> None:
        nonlocal total
        for number in numbers:
            provider, model, told, at = drawn(number)
            place = f"{provider}/{model}"
            if place not in prices:
                found = book.price_of(provider, model)
                assert found is not None
                prices[place] = found
            usage = Usage(**told)
            parts = cost_parts(usage, prices[place], at)
            cost = sum(part.cost_nanousd for part in parts)
            hold = hold_of(f"r{number}", cost, (_TOTAL,))
            granted = await store.hold(hold)
            assert isinstance(granted, Granted)
            line = msgspec.structs.replace(
                hold.line,
                kind="settle",
                outcome="ok",
                at=granted.at,
                team=_TEAMS[number % len(_TEAMS)],
                provider=provider,
                model=model,
                usage=usage,
                cost_nanousd=cost,
                parts=parts,
            )
            await store.settle(Settlement(hold_id=hold.hold_id, org=ORG, line=line))
            moment = datetime.fromtimestamp(at, UTC).isoformat()
            total += exact_cost(ROWS[place], told, moment)

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    await connection.close()
    return total


def run(requests: int, rounds: int) -> dict[str, Any]:
    """Serve all requests and settle accounts."""
    home = Path(tempfile.mkdtemp(prefix="fairlead-ledger-"))
    began, independent, spans_in_all = time.monotonic(), 0, rounds * PROCESSES
    try:
        with loopback_server() as url, redis.Redis.from_url(url) as client:
            with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
                for turn in range(rounds):
                    first = turn * PROCESSES
                    edges = [
                        requests * (first + share) // spans_in_all for share in range(PROCESSES + 1)
                    ]
                    spans = [(url, *span) for span in pairwise(edges)]
                    independent += sum(pool.starmap(_serve, spans))
                    # The last round stays in Redis, so that both are read.
                    if turn < rounds - 1:
                        seal_ledger(client, home, ORG, until_ms=int(time.time() * 1000) + 60_000)
            served = time.monotonic() - began
            return {"served_s": round(served, 1), **_accounts(url, client, home, independent)}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _accounts(url: str, client: redis.Redis, home: Path, independent: int) -> dict[str, Any]:
    spent = asyncio.run(_spent(url))
    began = time.monotonic()
    with open_lines(client, home, (ORG,)) as database:
        by_class = database.execute(
            "SELECT sum(part.cost_nanousd)::HUGEINT FROM (SELECT unnest(parts) AS part FROM lines)"
        ).fetchone()
        database.execute(
            "SELECT team, model, provider, count(*), sum(input_tokens), sum(cost_nanousd) "
            "FROM lines GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    reported = time.monotonic() - began
    check = check_ledger(client, home, ORG)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "lines": check.lines,
        "sealed": check.sealed,
        "total_nanousd": check.cost_nanousd,
        "minus_independent_nanousd": check.cost_nanousd - independent,
        "minus_counters_nanousd": check.cost_nanousd - spent,
        "minus_parts_nanousd": check.cost_nanousd - int(by_class[0] if by_class else 0),
        "rollup_and_file_problems": list(check.problems),
        "hours_compared": check.hours,
        "report_s": round(reported, 2),
        "reader_peak_mib": round(peak),
    }


async def _spent(url: str) -> int:
    connection = RedisConnection(url, timeout_seconds=60.0)
    (use,) = await LedgerStore(connection).budget_use(ORG, (_TOTAL,))
    await connection.close()
    return use.spent_nanousd


def main() -> None:
    """Serve, and print the accounts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    print(json.dumps(run(chosen.requests, chosen.rounds), indent=1))


if __name__ == "__main__":
    main()
