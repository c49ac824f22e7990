"""Kills gateways at twelve marked points and shows that the books are right all the same.

Run:  python ops/bench/kills.py [--kills 1000]

Each victim is a process of its own that holds, settles, corrects, reaps, spools or seals against a
real Redis and is ended by SIGKILL at its point. What a victim acknowledged must be in the ledger,
once and at its cost; every orphan must be resolved within its lease and five seconds; counters,
lines, rollups and sealed files must say the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import redis  # noqa: E402

from gateway.core.budgets import BudgetCounter  # noqa: E402
from gateway.core.ledger import Granted, Hold  # noqa: E402
from gateway.core.records import LedgerLine  # noqa: E402
from gateway.stores.connection import RedisConnection  # noqa: E402
from gateway.stores.ledger import LedgerStore  # noqa: E402
from gateway.stores.ledger_check import check_ledger  # noqa: E402
from gateway.stores.ledger_lines import ledger_lines  # noqa: E402
from gateway.stores.ledger_seal import seal_ledger  # noqa: E402
from gateway.stores.outbox import Outbox  # noqa: E402
from gateway.stores.spool import Spool  # noqa: E402
from ops.bench.ledger_server import ORG, hold_of, loopback_server, settlement_of  # noqa: E402

POINTS = (
    *("before_hold", "hold_sent", "hold_granted", "renewed", "before_settle", "settle_sent"),
    *("settled", "late_told", "reap_sent", "spooled", "file_renamed", "manifest_written"),
)
LEASE_SECONDS = 1.0
_COUNTERS = tuple(
    BudgetCounter(scope=scope, per=per, cap_nanousd=10**15)
    for scope, per in (("org/bench", "total"), ("team/team", "total"))
)


class _Victim:
    """One process: does a few requests, then dies at its point."""

    def __init__(self, url: str, home: Path, number: int, point: str, told: int) -> None:
        self.url = url
        self.home = home
        self.number = number
        self.point = point
        self.told = told

    def mark(self, point: str) -> None:
        """Die here, if this is the point."""
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    async def live(self) -> None:
        """Serve, then do what leads to the point."""
        connection = RedisConnection(self.url, timeout_seconds=30.0)
        store = _MarkedStore(connection, self)
        await Outbox(store, Spool(self.home)).adopt()
        for turn in range(2):
            await self.serve(store, turn, marked=False)
        match self.point:
            case "late_told":
                await self.settle_late(store)
            case "reap_sent":
                await self.sent(store.reap(ORG), "reap_sent")
            case "spooled":
                await self.spool(store)
            case "file_renamed" | "manifest_written":
                with redis.Redis.from_url(self.url) as client:
                    soon = int(time.time() * 1000) + 60_000
                    seal_ledger(client, self.home, ORG, until_ms=soon, mark=self.mark)
            case _:
                await self.serve(store, 2, marked=True)
        raise SystemExit(f"nobody died at {self.point}")

    async def serve(self, store: LedgerStore, turn: int, *, marked: bool) -> None:
        """One request from hold to acknowledgement."""
        mark = self.mark if marked else lambda point: None
        hold = self.hold(turn)
        mark("before_hold")
        asked = store.hold(hold)
        granted = await (self.sent(asked, "hold_sent") if marked else asked)
        assert isinstance(granted, Granted)
        mark("hold_granted")
        await store.renew(ORG, hold.hold_id, LEASE_SECONDS)
        mark("renewed")
        cost = 100 + self.number % 500
        mark("before_settle")
        settling = store.settle(settlement_of(hold, granted.at, cost))
        await (self.sent(settling, "settle_sent") if marked else settling)
        mark("settled")
        self.acknowledge(hold, cost)

    async def settle_late(self, store: LedgerStore) -> None:
        """The lease ends first; the settlement then meets a line in doubt."""
        hold = self.hold(3, lease=0.05)
        granted = await store.hold(hold)
        assert isinstance(granted, Granted)
        await asyncio.sleep(0.1)
        await store.reap(ORG)
        await store.settle(settlement_of(hold, granted.at, 50))

    async def spool(self, store: LedgerStore) -> None:
        """Redis is gone at the settlement; it is on the disk when the process dies."""
        hold = self.hold(4)
        granted = await store.hold(hold)
        assert isinstance(granted, Granted)
        nowhere = LedgerStore(RedisConnection("redis://127.0.0.1:1/0", timeout_seconds=0.1))
        await Outbox(nowhere, Spool(self.home)).settle(settlement_of(hold, granted.at, 77))
        self.acknowledge(hold, 77)
        self.mark("spooled")

    async def sent(self, asked: Any, point: str) -> Any:
        """Die when the command has left and before its answer is read."""
        task = asyncio.ensure_future(asked)
        for _ in range(6):
            await asyncio.sleep(0)
        self.mark(point)
        return await task

    def hold(self, turn: int, lease: float = LEASE_SECONDS) -> Hold:
        return hold_of(f"{self.number}:{turn}", 1000, _COUNTERS, lease_seconds=lease)

    def acknowledge(self, hold: Hold, cost: int) -> None:
        os.write(self.told, f"{hold.hold_id} {cost}\n".encode())


class _MarkedStore(LedgerStore):
    """A store whose correction is a marked point."""

    def __init__(self, connection: RedisConnection, victim: _Victim) -> None:
        super().__init__(connection)
        self._victim = victim

    async def _correct(self, hold_key: str, correction: LedgerLine, audit: bytes) -> None:
        self._victim.mark("late_told")
        await super()._correct(hold_key, correction, audit)


def run(kills: int, points: Sequence[str] = POINTS) -> dict[str, Any]:
    """Kill so many victims, then settle accounts."""
    home = Path(tempfile.mkdtemp(prefix="fairlead-kills-"))
    try:
        with loopback_server() as url:
            acknowledged, died = _kill(url, home, kills, points)
            with redis.Redis.from_url(url) as client:
                return _accounts(url, client, home, acknowledged, died)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _kill(
    url: str, home: Path, kills: int, points: Sequence[str]
) -> tuple[dict[str, int], Counter[str]]:
    acknowledged: dict[str, int] = {}
    died: Counter[str] = Counter()
    for number in range(kills):
        point = points[number % len(points)]
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                asyncio.run(_Victim(url, home, number, point, writing).live())
            finally:
                os._exit(3)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            for line in told.read().splitlines():
                hold_id, cost = line.decode().split()
                acknowledged[hold_id] = int(cost)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            died[point] += 1
        else:
            raise RuntimeError(f"victim {number} did not die at {point} (status {status})")
    return acknowledged, died


def _accounts(
    url: str,
    client: redis.Redis,
    home: Path,
    acknowledged: dict[str, int],
    died: Counter[str],
) -> dict[str, Any]:
    seconds, spent = asyncio.run(_resolve(url, home))
    booked: Counter[str] = Counter()
    settled: Counter[str] = Counter()
    for line in ledger_lines(client, home, ORG):
        booked[line.hold_id] += line.cost_nanousd
        settled[line.hold_id] += line.kind in ("settle", "correction")
    check = check_ledger(client, home, ORG)
    return {
        "kills": sum(died.values()),
        "points": dict(died),
        "acknowledged": len(acknowledged),
        "lost": sum(hold_id not in settled or not settled[hold_id] for hold_id in acknowledged),
        "wrong_cost": sum(booked[hold_id] != cost for hold_id, cost in acknowledged.items()),
        "double": sum(count > 1 for count in settled.values()),
        "orphans_resolved_after_s": round(seconds, 2),
        "lease_s": LEASE_SECONDS,
        "lines": check.lines,
        "sealed": check.sealed,
        "counters_minus_lines_nanousd": spent - check.cost_nanousd,
        "problems": list(check.problems),
    }


async def _resolve(url: str, home: Path) -> tuple[float, int]:
    """What a living gateway does: take over spools, reap; how long it took, and what is spent."""
    began = time.monotonic()
    connection = RedisConnection(url, timeout_seconds=30.0)
    store = LedgerStore(connection)
    outbox = Outbox(store, Spool(home))
    await outbox.adopt()
    while True:
        await store.reap(ORG, 10_000)
        if not await store.open_holds(ORG):
            break
        await asyncio.sleep(0.1)
    uses = await store.budget_use(ORG, _COUNTERS)
    await connection.close()
    if len({use.spent_nanousd for use in uses}) != 1 or any(use.held_nanousd for use in uses):
        raise RuntimeError(f"the budgets differ: {uses}")
    return time.monotonic() - began, uses[0].spent_nanousd


def main() -> None:
    """Kill, and print the accounts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    print(json.dumps(run(parser.parse_args().kills), indent=1))


if __name__ == "__main__":
    main()
