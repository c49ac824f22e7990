"""Webhooks hear of each share of a budget once, signed; a request never waits for them."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.core.budgets import BudgetUse
from gateway.core.deployment import Secret
from gateway.core.errors import StoreUnavailable
from gateway.runtime.alerts import Alerts, signature
from gateway.runtime.log import logger
from policies.compiled import Budget, Webhook

SECRET = "a secret of the webhook"


class Listener:
    """A webhook that fails as often as it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.failing = 0
        self.heard: list[tuple[str, bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.heard.append((request.headers["x-fairlead-signature"], body))
        if self.failing:
            self.failing -= 1
            return web.Response(status=302, headers={"location": self.url + "/elsewhere"})
        return web.Response()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    app = web.Application()
    app.router.add_post("/{tail:.*}", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


class Marks:
    """Claims as the store keeps them; it can be away."""

    def __init__(self) -> None:
        self.marked: set[tuple[str, str, float]] = set()
        self.away = False

    async def __call__(self, org: str, use: BudgetUse, share: float) -> bool:
        if self.away:
            raise StoreUnavailable("away")
        mark = (org, use.scope, share)
        fresh = mark not in self.marked
        self.marked.add(mark)
        return fresh


def budget(url: str) -> Budget:
    hook = Webhook(url=url + "/budgets", secret=Secret(SECRET))
    return Budget(scope="team/a", per="month", cap_nanousd=100, warn_at=(0.5, 0.9), webhook=hook)


def standing(spent: int) -> BudgetUse:
    return BudgetUse(
        scope="team/a",
        per="month",
        period="2026-11",
        spent_nanousd=spent,
        held_nanousd=0,
        cap_nanousd=100,
    )


async def settled(alerts: Alerts, listener: Listener, count: int) -> None:
    for _ in range(200):
        if len(listener.heard) >= count:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)
    await alerts.close()


async def test_each_share_is_told_once(listener: Listener) -> None:
    """Below the first nothing; between two shares nothing again."""
    alerts = Alerts(Marks(), logger(), pauses=())
    for spent in (10, 49, 50, 60, 89, 95, 99):
        alerts.heard("acme", (budget(listener.url),), (standing(spent),))
    await settled(alerts, listener, 2)

    told = sorted(json.loads(body)["threshold"] for _, body in listener.heard)
    assert told == [0.5, 0.9]


async def test_a_message_is_signed(listener: Listener) -> None:
    """Over its time and its body, with the secret of the policy."""
    alerts = Alerts(Marks(), logger(), pauses=())
    alerts.heard("acme", (budget(listener.url),), (standing(70),))
    await settled(alerts, listener, 1)

    ((signed, body),) = listener.heard
    at, _, code = signed.removeprefix("t=").partition(",v1=")
    assert hmac.compare_digest(
        code, hmac.digest(SECRET.encode(), at.encode() + b"." + body, "sha256").hex()
    )
    assert signature(SECRET, body, int(at)) == signed
    assert json.loads(body)["spent_nanousd"] == 70


async def test_of_several_gateways_one_tells(listener: Listener) -> None:
    """Whoever marks the share first."""
    marks = Marks()
    gateways = [Alerts(marks, logger(), pauses=()) for _ in range(3)]
    for alerts in gateways:
        alerts.heard("acme", (budget(listener.url),), (standing(70),))
    for alerts in gateways:
        await settled(alerts, listener, 1)

    assert len(listener.heard) == 1


async def test_a_webhook_that_fails_is_tried_again_and_not_followed(listener: Listener) -> None:
    """A redirect counts as a failure; where it leads to hears nothing."""
    listener.failing = 2
    alerts = Alerts(Marks(), logger(), pauses=(0.01, 0.01, 0.01))
    alerts.heard("acme", (budget(listener.url),), (standing(70),))
    await settled(alerts, listener, 3)

    assert len(listener.heard) == 3


async def test_without_the_store_it_is_told_all_the_same(listener: Listener) -> None:
    """Better twice than never."""
    marks = Marks()
    marks.away = True
    alerts = Alerts(marks, logger(), pauses=())
    alerts.heard("acme", (budget(listener.url),), (standing(70),))
    await settled(alerts, listener, 1)

    assert len(listener.heard) == 1


async def test_a_budget_without_a_webhook_tells_nobody(listener: Listener) -> None:
    """The client hears of it in a header."""
    quiet = Budget(scope="team/a", per="month", cap_nanousd=100, warn_at=(0.5,))
    alerts = Alerts(Marks(), logger(), pauses=())
    alerts.heard("acme", (quiet,), (standing(70),))
    await settled(alerts, listener, 0)

    assert listener.heard == []
