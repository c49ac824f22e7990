"""A Redis that stops answering: refused or served from slices, and booked exactly once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from gateway.stores.embedded import open_embedded
from gateway.stores.endpoint import open_client
from gateway.stores.ledger_check import check_ledger
from gateway.stores.spool import Spool
from ops.bench.ledger_server import frozen
from tests.e2e.inprocess import InProcessGateway, gateway_with
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams.scripted import ScriptedUpstream

BUDGET = "budgets:\n  - {scope: team/tests, usd: 100}\n"
LENIENT = BUDGET + "redis_down: lenient\n"


async def recovered(gateway: InProcessGateway) -> None:
    """Wait until Redis is there again and nothing waits to be booked."""
    services = gateway.services
    for _ in range(200):
        await asyncio.sleep(0.05)
        if not await services.not_ready() and not await services.outbox.flush():
            return
    raise AssertionError("the gateway did not recover")


async def test_a_strict_policy_refuses_and_says_when_to_come_back(tmp_path: Path) -> None:
    """503 at once, and nobody upstream hears of it."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, BUDGET)
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            first = await gateway.chat("hello")
            with frozen(server.url):
                answers = [await gateway.chat("hello") for _ in range(3)]
            await recovered(gateway)
            (line,) = gateway.ledger()
    server.close()

    assert first.status == 200
    assert [one.status for one in answers] == [503] * 3
    assert answers[-1].headers["retry-after"] == "1"
    assert line.outcome == "ok"


async def test_a_lenient_policy_serves_from_slices_and_books_once(tmp_path: Path) -> None:
    """What was served without Redis is on the disk, then in the ledger, and counters agree."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, LENIENT)
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            await gateway.chat("hello")
            await gateway.services.slices.keep()
            with frozen(server.url):
                answers = [await gateway.chat("hello") for _ in range(5)]
                (spool,) = (tmp_path / "spool").iterdir()
                on_disk = spool.read_bytes().count(b"\n")
            await recovered(gateway)
            lines = gateway.ledger()
            ruling = gateway.services.rulings.current
            principal = await gateway.services.keys.resolve(gateway.key)
            counters = ruling.charges_for(principal).counters
            await gateway.services.slices.give_back()
            (use,) = await gateway.services.ledger.budget_use("default", counters)
        with open_client(server.url) as client:
            check = check_ledger(client, tmp_path, "default")
    server.close()

    assert [one.status for one in answers] == [200] * 5
    assert on_disk == 5
    assert not list((tmp_path / "spool").iterdir())
    assert [line.spooled for line in lines] == [False] + [True] * 5
    assert len({line.hold_id for line in lines}) == 6
    assert use.spent_nanousd == sum(line.cost_nanousd for line in lines) > 0
    assert use.held_nanousd == 0
    assert check.problems == ()


async def test_a_slice_that_is_used_up_refuses(tmp_path: Path) -> None:
    """The slice is worth twenty of these; more under way at once wait for Redis."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, LENIENT)
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            await gateway.chat("hello")
            await gateway.services.slices.keep()
            with frozen(server.url):
                await gateway.chat("hello")
                answers = await asyncio.gather(
                    *(gateway.chat("hello", max_tokens=40_000) for _ in range(5))
                )
            await recovered(gateway)
    server.close()

    statuses = sorted(one.status for one in answers)
    assert statuses[0] == 200
    assert statuses[-1] == 503


async def test_what_a_dead_gateway_left_on_the_disk_is_booked_by_the_next_one(
    tmp_path: Path,
) -> None:
    """Once, although it may have been booked already before the crash."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, LENIENT)
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            await gateway.chat("hello")
            await gateway.services.slices.keep()
            with frozen(server.url):
                await gateway.chat("hello")
                (spool,) = (tmp_path / "spool").iterdir()
                left = spool.read_bytes()
            await recovered(gateway)
            (tmp_path / "spool" / "1-1.jsonl").write_bytes(left + b'{"settlement":{"cut off')
            adopted = await gateway.services.outbox.adopt()
            lines = gateway.ledger()
            orphans = list(Spool(tmp_path).orphans())
    server.close()

    assert adopted == 1
    assert len(lines) == len({line.hold_id for line in lines}) == 2
    assert orphans == []


async def test_a_decision_waits_for_a_frozen_redis_once(tmp_path: Path) -> None:
    """The first request meets the time-out; the others find the connection given up."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, BUDGET)
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            await gateway.chat("hello")
            waited = []
            with frozen(server.url):
                for _ in range(20):
                    began = time.monotonic()
                    await gateway.chat("hello")
                    waited.append(time.monotonic() - began)
            await recovered(gateway)
    server.close()

    # Not a wall clock's promise: whoever waited for a time-out took a good part of it.
    assert sum(one > 0.2 for one in waited) <= 2
