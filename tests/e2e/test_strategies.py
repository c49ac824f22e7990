"""Strategies against real answers: measured speed, sticky sessions and splits."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.inprocess import gateway_with
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import ScriptedUpstream


def policy(slow: str, quick: str, use: str) -> str:
    price = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
    rest = f"model: m, clearance: restricted, {price}"
    return f"""
fairlead: 1
deployments:
  slow: {{adapter: openai_compatible, base_url: "{slow}/v1", {rest}}}
  quick: {{adapter: openai_compatible, base_url: "{quick}/v1", {rest}}}
aliases: {{auto: {{}}}}
routes: [{{id: all, use: {use}}}]
"""


async def test_fastest_learns_who_is_fast(redis_url: str, home: Path, org: str) -> None:
    """After both have been measured, the quick one serves, though the slow one stands first."""
    late, prompt = chat.answer(used=(5, 12), before=0.25), chat.answer(used=(5, 12))
    async with ScriptedUpstream(late) as slow, ScriptedUpstream(prompt) as quick:
        text = policy(slow.url, quick.url, "{strategy: fastest}")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat(model="slow")
            await gateway.chat(model="quick")
            await asyncio.sleep(0.15)  # medians are taken anew after a moment
            answers = [await gateway.chat() for _ in range(3)]

    assert [one.headers["x-fairlead-deployment"] for one in answers] == ["quick"] * 3


async def test_a_session_stays_where_it_was_served(redis_url: str, home: Path, org: str) -> None:
    """A session that fell back stays with the fallback; another session begins with the first."""
    answering = chat.answer("b")
    async with ScriptedUpstream(chat.error(500)) as slow, ScriptedUpstream(answering) as quick:
        text = policy(slow.url, quick.url, "{among: [slow, quick], sticky: session}")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            session = [(b"x-fairlead-session", b"one")]
            first = await gateway.chat(headers=session)
            slow.then(chat.answer("a"))
            again = await gateway.chat(headers=session)
            other = await gateway.chat(headers=[(b"x-fairlead-session", b"two")])
            none = await gateway.chat()

    served = [one.headers["x-fairlead-deployment"] for one in (first, again, other, none)]
    assert served == ["quick", "quick", "slow", "slow"]


async def test_a_share_for_the_frontier_is_kept_by_the_gateway(
    redis_url: str, home: Path, org: str
) -> None:
    """A quarter of requests that all look alike, counted, recorded and shared through Redis."""
    answering = chat.answer("x")
    async with ScriptedUpstream(answering) as house, ScriptedUpstream(answering) as frontier:
        use = "{among: [slow, quick], target: {frontier_share: 25%}}"
        text = policy(house.url, frontier.url, use).replace("id: all", "id: kept-share")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            for _ in range(240):
                await gateway.chat()
            records = gateway.audit()
        async with gateway_with(text, redis_url, home, org=org) as again:
            threshold = again.services.targets.thresholds(again.services.rulings.current.policy)
            await again.services.targets.share(again.services.rulings.current.policy)
            learnt = again.services.targets.thresholds(again.services.rulings.current.policy)

    assert len(house.requests) + len(frontier.requests) == 240
    assert 30 <= len(frontier.requests) <= 90
    assert records[-1].facts is not None
    assert records[-1].facts.thresholds is not None
    assert threshold != learnt
