"""Measures holds, budgets and limits on a real Redis over loopback.

Run:  python ops/bench/money.py latency [--requests 20000]
      python ops/bench/money.py caps [--rounds 100] [--concurrent 200]
      python ops/bench/money.py limits [--seconds 6]
      python ops/bench/money.py outage [--requests 2000]

`latency` times one hold and one settlement, each a round trip, under 5 budgets. `caps` lets three
processes with 200 concurrent callers each spend five nested budgets empty, round after round, and
says by how much any cap was passed and how much of it could be used. `limits` asks far more than
a limit allows and says whether any window held more, and how many were refused that had room.
`outage` freezes Redis: how long the first decision waits for it, and how long the others, once
that is known.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import sys
import time
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gateway.core.budgets import BudgetCounter, Refused  # noqa: E402
from gateway.core.errors import StoreUnavailable  # noqa: E402
from gateway.core.ledger import Granted  # noqa: E402
from gateway.core.limits import LimitCounter, Limited  # noqa: E402
from gateway.stores.connection import RedisConnection  # noqa: E402
from gateway.stores.ledger import LedgerStore  # noqa: E402
from ops.bench.ledger_server import (  # noqa: E402
    ORG,
    frozen,
    hold_of,
    loopback_server,
    settlement_of,
)

PROCESSES = 3
#: The most that one hold of `caps` asks for, and the caps, in nano-USD: the outermost is the
#: tightest in some rounds and the innermost in others.
_LARGEST = 4000
_CAP = 10_000_000


def scopes(number: int, caps: tuple[int, ...]) -> tuple[BudgetCounter, ...]:
    """Five nested budgets of a round."""
    kinds = ("org", "team", "app", "key", "user")
    pers = ("month", "day", "24h", "total", "hour")
    return tuple(
        BudgetCounter(scope=f"{kind}/{number}", per=per, cap_nanousd=cap)
        for kind, per, cap in zip(kinds, pers, caps, strict=True)
    )


async def latency(url: str, requests: int) -> dict[str, Any]:
    """Milliseconds of hold and settle, one after the other and 20 at a time."""
    connection = RedisConnection(url, timeout_seconds=5.0)
    store = LedgerStore(connection)
    counters = scopes(0, (10**15,) * 5)
    limits = (LimitCounter(scope="team/0", requests=10**9, tokens=10**12),)
    found: dict[str, Any] = {}
    for workers in (1, 20):
        held: list[float] = []
        settled: list[float] = []

        async def work(
            first: int,
            workers: int = workers,
            held: list[float] = held,
            done: list[float] = settled,
        ) -> None:
            for number in range(first, requests, workers):
                hold = hold_of(f"w{workers}:{number}", 1000, counters, limits, tokens=1200)
                began = time.perf_counter()
                granted = await store.hold(hold)
                between = time.perf_counter()
                assert isinstance(granted, Granted)
                await store.settle(settlement_of(hold, granted.at, 700, 1100))
                done.append(time.perf_counter() - between)
                held.append(between - began)

        await asyncio.gather(*(work(first) for first in range(workers)))
        found[f"{workers} at a time"] = {"hold": _spread(held), "settle": _spread(settled)}
    await connection.close()
    return found


def _spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(one * 1000 for one in times)
    return {
        f"p{share}_ms": round(ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 3)
        for share in (50, 99)
    }


def caps(url: str, rounds: int, concurrent: int) -> dict[str, Any]:
    """Three processes spend the budgets of each round; what stood there at the end."""
    plan = []
    rng = random.Random(6)
    for _ in range(rounds):
        spread = [_CAP, _CAP, 2 * _CAP, 2 * _CAP, 3 * _CAP]
        rng.shuffle(spread)
        plan.append(tuple(spread))
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        shares = pool.starmap(
            _spend, [(url, place, plan, concurrent) for place in range(PROCESSES)]
        )
    return {
        "rounds": rounds,
        "callers": PROCESSES * concurrent,
        "scopes": 5,
        **asyncio.run(_standing(url, plan)),
        "granted": sum(share[0] for share in shares),
        "refused": sum(share[1] for share in shares),
    }


def _spend(url: str, place: int, plan: list[tuple[int, ...]], concurrent: int) -> tuple[int, int]:
    return asyncio.run(_spend_rounds(url, place, plan, concurrent))


async def _spend_rounds(
    url: str, place: int, plan: list[tuple[int, ...]], concurrent: int
) -> tuple[int, int]:
    connection = RedisConnection(url, timeout_seconds=30.0)
    store = LedgerStore(connection)
    counts = [0, 0]

    async def caller(number: int, who: int, counters: tuple[BudgetCounter, ...]) -> None:
        rng = random.Random(f"{number} {place} {who}")
        largest, turn = _LARGEST, 0
        while largest >= 50:
            turn += 1
            amount = rng.randint(1, largest)
            hold = hold_of(f"{number}:{place}:{who}:{turn}", amount, counters)
            answer = await store.hold(hold)
            if isinstance(answer, Granted):
                counts[0] += 1
                cost = rng.choice((amount, amount * 3 // 4))
                await store.settle(settlement_of(hold, answer.at, cost))
            else:
                assert isinstance(answer, Refused)
                counts[1] += 1
                largest //= 2

    for number, round_caps in enumerate(plan):
        counters = scopes(number, round_caps)
        await asyncio.gather(*(caller(number, who, counters) for who in range(concurrent)))
    await connection.close()
    return counts[0], counts[1]


async def _standing(url: str, plan: list[tuple[int, ...]]) -> dict[str, Any]:
    connection = RedisConnection(url, timeout_seconds=30.0)
    store = LedgerStore(connection)
    over, held, least = 0, 0, 1.0
    for number, round_caps in enumerate(plan):
        uses = await store.budget_use(ORG, scopes(number, round_caps))
        over += sum(max(0, use.spent_nanousd - use.cap_nanousd) for use in uses)
        held += sum(use.held_nanousd for use in uses)
        least = min(least, max(use.share for use in uses))
    await connection.close()
    return {"over_nanousd": over, "still_held": held, "least_used_share": round(least, 5)}


async def limits(
    url: str, seconds: int, concurrent: int = 100, windows: float = 3.2
) -> dict[str, Any]:
    """Ask much more than is allowed for several windows; what was let in, by Redis' clock."""
    connection = RedisConnection(url, timeout_seconds=30.0)
    store = LedgerStore(connection)
    most, most_tokens = 300, 60_000
    told: dict[str, Any] = {}
    cases = {
        "requests": LimitCounter(scope="team/r", seconds=seconds, requests=most),
        "tokens": LimitCounter(scope="team/t", seconds=seconds, tokens=most_tokens),
    }
    for kind, limit in cases.items():
        let_in: list[tuple[float, int]] = []
        refused: list[tuple[float, int]] = []
        until = time.monotonic() + seconds * windows

        async def caller(
            who: int,
            kind: str = kind,
            limit: LimitCounter = limit,
            let_in: list[tuple[float, int]] = let_in,
            refused: list[tuple[float, int]] = refused,
            until: float = until,
        ) -> None:
            rng, turn = random.Random(who), 0
            while time.monotonic() < until:
                turn += 1
                tokens = rng.randint(50, 350)
                hold = hold_of(f"{kind}:{who}:{turn}", 1, (), (limit,), tokens)
                answer = await store.hold(hold)
                if isinstance(answer, Granted):
                    let_in.append((answer.at, tokens if kind == "tokens" else 1))
                    await store.settle(settlement_of(hold, answer.at, 1, tokens))
                else:
                    assert isinstance(answer, Limited)
                    refused.append((answer.at, tokens if kind == "tokens" else 1))
                    await asyncio.sleep(rng.random() * 0.05)

        await asyncio.gather(*(caller(who) for who in range(concurrent)))
        allowed = most if kind == "requests" else most_tokens
        told[kind] = _judged(sorted(let_in), refused, seconds, allowed)
    await connection.close()
    return told


def _judged(
    let_in: list[tuple[float, int]], refused: list[tuple[float, int]], seconds: int, most: int
) -> dict[str, Any]:
    """The fullest of all windows, and refusals although an exact window had room."""
    moments = [at for at, _ in let_in]
    sums = [0, *accumulate(amount for _, amount in let_in)]

    def inside(end: float) -> int:
        return sums[bisect_right(moments, end)] - sums[bisect_right(moments, end - seconds)]

    fullest = max(inside(at) for at in moments)
    wrong = sum(inside(at) + amount <= most for at, amount in refused)
    return {
        "limit": most,
        "let_in": sums[-1],
        "fullest_window": fullest,
        "over": max(0, fullest - most),
        "refused": len(refused),
        "wrongly_refused_share": round(wrong / (len(refused) + len(let_in)), 4),
    }


async def outage(url: str, requests: int) -> dict[str, Any]:
    """Milliseconds until a hold is given up while Redis is frozen, and until one is granted after.

    Probes go on meanwhile, so that the figures of the others hold what those cost.
    """
    connection = RedisConnection(url)
    store = LedgerStore(connection)
    counters = scopes(0, (10**15,) * 5)

    async def ask(name: str) -> tuple[float, bool]:
        began = time.perf_counter()
        try:
            granted = isinstance(await store.hold(hold_of(name, 1, counters)), Granted)
        except StoreUnavailable:
            granted = False
        return time.perf_counter() - began, granted

    await ask("before")
    with frozen(url):
        first, granted = await ask("first")
        waits = []
        for number in range(requests):
            waited, answered = await ask(f"frozen:{number}")
            waits.append(waited)
            granted = granted or answered
            await asyncio.sleep(0.001)
    thawed = time.perf_counter()
    while not (await ask(f"after:{time.perf_counter()}"))[1]:
        await asyncio.sleep(0.005)
    back = time.perf_counter() - thawed
    await connection.close()
    return {
        "granted_without_redis": granted,
        "first_ms": round(first * 1000, 1),
        "others": {**_spread(waits), "longest_ms": round(max(waits) * 1000, 3)},
        "back_after_ms": round(back * 1000, 1),
    }


def main() -> None:
    """Run one measurement and print it as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("latency", "caps", "limits", "outage"))
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--concurrent", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=6)
    chosen = parser.parse_args()
    with loopback_server() as url:
        match chosen.what:
            case "latency":
                found = asyncio.run(latency(url, chosen.requests))
            case "caps":
                found = caps(url, chosen.rounds, chosen.concurrent)
            case "limits":
                found = asyncio.run(limits(url, chosen.seconds))
            case _:
                found = asyncio.run(outage(url, min(chosen.requests, 2000)))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
