"""`fairlead ledger` seals and verifies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import redis

from gateway.core.budgets import BudgetCounter
from gateway.core.ledger import UNDATED, Hold, Settlement
from gateway.core.prices import CostPart
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedis
from gateway.stores.ledger import LedgerStore
from gateway.stores.ledger_check import check_ledger
from gateway.stores.ledger_seal import seal_ledger
from tests.gateway.stores import conftest as stores

make_line, make_audit, make_hold = stores.make_line, stores.make_audit, stores.make_hold
MONTH = BudgetCounter(scope="team/support", per="month", cap_nanousd=10**9)


async def book(store: LedgerStore, make_hold: Callable[..., Hold], count: int) -> None:
    for number in range(count):
        hold = make_hold(f"h{number}", 100, counters=(MONTH,))
        line = msgspec.structs.replace(hold.line, at=UNDATED)
        granted = await store.hold(msgspec.structs.replace(hold, line=line))
        settled = msgspec.structs.replace(
            line,
            kind="settle",
            at=granted.at,  # type: ignore[union-attr]
            cost_nanousd=7 + number,
            parts=(CostPart("input", 7, 10**6, 7, 10**6), CostPart("output", 1, 1, number, 1)),
        )
        settlement = Settlement(hold_id=hold.hold_id, org="acme", line=settled)
        await store.settle(settlement)


async def test_a_ledger_ties_out_before_and_after_sealing(
    client: redis.Redis,
    connection: RedisConnection,
    make_hold: Callable[..., Hold],
    tmp_path: Path,
) -> None:
    """Counters, lines, rollups and files say the same, to the nano-dollar."""
    store = LedgerStore(connection)
    await book(store, make_hold, 20)
    total = sum(7 + number for number in range(20))
    (use,) = await store.budget_use("acme", (MONTH,))
    before = check_ledger(client, tmp_path, "acme")
    seal_ledger(client, tmp_path, "acme", until_ms=int(time.time() * 1000) + 60_000)
    after = check_ledger(client, tmp_path, "acme")

    assert use.spent_nanousd == total
    assert (before.lines, before.cost_nanousd, before.problems) == (20, total, ())
    assert (after.lines, after.sealed, after.cost_nanousd, after.problems) == (20, 20, total, ())
    assert before.hours in (1, 2)


async def test_what_does_not_tie_out_is_told(
    client: redis.Redis,
    connection: RedisConnection,
    make_hold: Callable[..., Hold],
    tmp_path: Path,
) -> None:
    """A line behind the script's back is in no rollup; parts that do not add up are named."""
    await book(LedgerStore(connection), make_hold, 1)
    wrong = msgspec.structs.replace(
        make_hold().line, at=time.time(), parts=(CostPart("input", 1, 1, 1, 1),)
    )
    client.xadd(names.ledger("acme"), {"line": msgspec.json.encode(wrong)})

    problems = check_ledger(client, tmp_path, "acme").problems
    assert len(problems) == 2
    assert "its parts are 1 n$" in problems[0]
    assert "in its rollup" in problems[1]


def test_the_commands_seal_and_verify(
    server: EmbeddedRedis,
    client: redis.Redis,
    make_hold: Callable[..., Hold],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As a user runs them: JSON out, status 1 when something differs."""
    from typer.testing import CliRunner

    from gateway.cli.ledger import app

    monkeypatch.setenv("FAIRLEAD_REDIS_URL", server.url)
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path))
    line = msgspec.json.encode(make_hold().line)
    client.xadd(names.ledger("acme"), {"line": line}, id="1790000000000-0")
    client.sadd(names.ORGS, "acme")
    run = CliRunner().invoke
    sealed, verified = run(app, ["seal", "--json"]), run(app, ["verify", "--json"])
    client.hincrby(names.rollup_prefix("acme") + "hour:1", "1:input$", 5)
    differing = run(app, ["verify"])

    assert json.loads(sealed.stdout)["orgs"][0]["lines"] == 1
    assert json.loads(verified.stdout)["ok"] is True
    assert differing.exit_code == 1
    assert "in its rollup" in differing.stdout
