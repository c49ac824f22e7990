"""Thresholds that gateways keep together, and go on with while Redis is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.core.errors import StoreUnavailable
from gateway.core.money import MILLION
from gateway.core.targets import Aim, place_of, reaches
from gateway.runtime.targets import Targets
from gateway.stores.connection import RedisConnection
from gateway.stores.embedded import EmbeddedRedis, open_embedded
from gateway.stores.targets import TargetStore
from policies.compiled import CompiledPolicy
from tests.e2e.inprocess import compile_text


@pytest.fixture
def embedded(tmp_path: Path) -> EmbeddedRedis:
    return open_embedded(tmp_path)


@pytest.fixture
async def connection(embedded: EmbeddedRedis) -> AsyncIterator[RedisConnection]:
    opened = RedisConnection(embedded.url)
    await opened.open()
    yield opened
    await opened.close()
    embedded.close()


def aiming(target: str, route: str = "") -> CompiledPolicy:
    price = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
    rest = f'base_url: "http://127.0.0.1:9/v1", model: m, clearance: restricted, {price}'
    return compile_text(f"""
fairlead: 1
deployments:
  house: {{adapter: openai_compatible, {rest}}}
  frontier: {{adapter: openai_compatible, {rest}}}
aliases: {{auto: {{}}}}
routes:
  - {{id: {route or "r" + uuid4().hex[:8]}, use: {{among: [house, frontier], target: {target}}}}}
""")


class Caller:
    """Asks one gateway for requests of drawn difficulties, as the engine would."""

    def __init__(self, policy: CompiledPolicy, seed: int) -> None:
        self._policy = policy
        self._chance = random.Random(seed)
        (self._route,) = policy.targets

    def ask(self, gateway: Targets, low: float, high: float) -> bool:
        difficulty = self._chance.uniform(low, high)
        threshold = gateway.thresholds(self._policy)[self._route]
        strong = reaches(difficulty, self._chance.random(), threshold)
        place = place_of(difficulty)
        aim = Aim(route=self._route, place=place, low=0, high=MILLION, free=True, strong=strong)
        gateway.decided(self._policy, aim)
        return strong


async def test_two_gateways_keep_a_share_when_the_traffic_changes(
    connection: RedisConnection,
) -> None:
    """A fifth of 4,000 mixed requests, and then of 4,000 that are all harder than any before."""
    policy = aiming("{frontier_share: 20%}")
    gateways = [Targets(TargetStore(connection)) for _ in range(2)]
    caller, shares = Caller(policy, 5), []
    for low, high in ((0.1, 0.6), (0.6, 0.9)):
        strong = 0
        for number in range(4000):
            strong += caller.ask(gateways[number % 2], low, high)
            if number % 200 == 199:
                for one in gateways:
                    await one.share(policy)
        shares.append(strong / 4000)

    assert shares == pytest.approx([0.2, 0.2], abs=0.02)


async def test_without_redis_a_gateway_goes_on_and_tells_later(
    connection: RedisConnection, embedded: EmbeddedRedis, tmp_path: Path
) -> None:
    """What it saw meanwhile moves its threshold, and is not lost."""
    policy = aiming("{frontier_share: 50%}")
    gateway, caller = Targets(TargetStore(connection)), Caller(policy, 6)
    await gateway.share(policy)
    embedded.close()
    for _ in range(600):
        caller.ask(gateway, 0.8, 0.9)
    with pytest.raises(StoreUnavailable):
        await gateway.share(policy)
    (alone,) = gateway.thresholds(policy).values()
    back = open_embedded(tmp_path)
    async with asyncio.timeout(10):
        while not connection.available:
            await asyncio.sleep(0.02)
    await gateway.share(policy)
    other = Targets(TargetStore(connection))
    await other.share(policy)
    (learnt,) = other.thresholds(policy).values()
    back.close()

    assert 0.8 < alone < 0.9
    assert learnt == pytest.approx(alone, abs=0.01)


async def test_what_is_spent_makes_the_rest_cheaper(connection: RedisConnection) -> None:
    """Once the period's money is gone nobody comes to the frontier by target."""
    policy = aiming("{spend: {usd: 0.001, per: month}}")
    (route,) = policy.targets
    gateway = Targets(TargetStore(connection))
    aim = Aim(route=route, place=100, low=10, high=100, free=True, strong=True)
    for _ in range(10):
        gateway.decided(policy, aim)
    gateway.spent(policy, aim, 1_000_000)
    await gateway.share(policy)

    assert gateway.thresholds(policy) == {route: 1.0}
