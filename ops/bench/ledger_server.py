"""A Redis of a bench's own on a loopback port, and holds to ask it for."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from gateway.core.budgets import BudgetCounter
from gateway.core.ledger import UNDATED, Hold, Settlement
from gateway.core.limits import LimitCounter
from gateway.core.prices import CostPart
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.stores.embedded import find_server

ORG = "bench"


@contextmanager
def loopback_server() -> Iterator[str]:
    """A server with append-only persistence every second; its URL, for as long as it is entered."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "dir": folder,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    server = subprocess.Popen([str(find_server()), *words], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _await(url)
        yield url
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """The server at this URL does not answer while this is entered."""
    with redis.Redis.from_url(url) as client:
        server = int(client.info("server")["process_id"])
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def _await(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        for _ in range(200):
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
    raise RuntimeError("redis-server did not start")


def line_of(hold_id: str, held: int, team: str = "team") -> LedgerLine:
    """An in_doubt line, as long as a real one is."""
    return LedgerLine(
        kind="in_doubt",
        hold_id=hold_id,
        request_id=hold_id,
        attempt=1,
        at=UNDATED,
        org=ORG,
        team=team,
        app="assistant",
        user="someone",
        key_id="0123456789ab",
        alias="auto",
        deployment="frontier",
        provider="openai",
        model="gpt-4o",
        route="hard-and-harmless",
        sensitivity="internal",
        outcome="in_doubt",
        usage=Usage(estimated=True),
        held_nanousd=held,
        cost_nanousd=held,
        price_revision="0123456789ab",
        parts=(CostPart("in_doubt", 0, 0, held, 0),),
    )


def hold_of(
    hold_id: str,
    amount: int,
    counters: tuple[BudgetCounter, ...],
    limits: tuple[LimitCounter, ...] = (),
    tokens: int = 0,
    lease_seconds: float = 30.0,
) -> Hold:
    """A hold as the gateway asks for it."""
    return Hold(
        hold_id=hold_id,
        request_id=hold_id,
        org=ORG,
        amount_nanousd=amount,
        lease_seconds=lease_seconds,
        counters=counters,
        line=line_of(hold_id, amount),
        limits=limits,
        tokens=tokens,
    )


def settlement_of(hold: Hold, at: float, cost: int, tokens: int = 0) -> Settlement:
    """What becomes of a hold: half of the cost for input, the rest for output."""
    line = LedgerLine(
        **{
            **{name: getattr(hold.line, name) for name in LedgerLine.__struct_fields__},
            "kind": "settle",
            "outcome": "ok",
            "at": at,
            "usage": Usage(input_tokens=tokens),
            "cost_nanousd": cost,
            "parts": (
                CostPart("input", 1000, 25 * 10**8, cost // 2, 25 * 10**8),
                CostPart("output", 200, 10**10, cost - cost // 2, 10**10),
            ),
        }
    )
    return Settlement(hold_id=hold.hold_id, org=ORG, line=line, counters=hold.counters)
