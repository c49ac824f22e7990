"""Limits and the finer ways of budgets, against real Redis and real sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.inprocess import gateway_with
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams.scripted import ScriptedUpstream


async def test_a_limit_on_requests_refuses_in_the_clients_dialect(
    redis_url: str, home: Path, org: str
) -> None:
    """Two of three pass; the third hears when to come back, and nobody is called for it."""
    limits = "limits:\n  - {scope: team/tests, requests: 2}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, limits)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            first, _, third = [await gateway.chat("hello") for _ in range(3)]
            records = gateway.audit()

    assert first.status == 200
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert third.status == 429
    assert b"rate_limit_exceeded" in third.body
    assert b"team/tests may use 2 requests a minute" in third.body
    assert 1 <= int(third.headers["retry-after"]) <= 62
    assert third.headers["x-ratelimit-remaining-requests"] == "0"
    assert records[-1].error == "rate_limit_exceeded"


async def test_a_backends_own_limit_sends_the_request_to_the_next_candidate(
    redis_url: str, home: Path, org: str
) -> None:
    """We stop before its 429: the second request is served at home."""
    limits = "limits:\n  - {scope: deployment/frontier, requests: 1}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, limits)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answers = [await gateway.chat("hello") for _ in range(2)]

    assert [one.headers["x-fairlead-deployment"] for one in answers] == ["frontier", "house"]
    assert house.connections == frontier.connections == 1


async def test_a_limit_on_tokens_holds_the_most_and_gives_the_rest_back(
    redis_url: str, home: Path, org: str
) -> None:
    """Requests that may each need more than half of it pass one after the other."""
    limits = "limits:\n  - {scope: team/tests, tokens: 5000}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, limits)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answers = [await gateway.chat("hello") for _ in range(5)]

    assert [one.status for one in answers] == [200] * 5
    assert int(answers[0].headers["x-ratelimit-remaining-tokens"]) < 1000


async def test_a_limit_on_calls_at_once_counts_what_is_under_way(
    redis_url: str, home: Path, org: str
) -> None:
    """Of many at once one is served; when it has ended, the next one is."""
    limits = "limits:\n  - {scope: team/tests, concurrent: 1}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, limits)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            many = await asyncio.gather(*(gateway.chat("hello") for _ in range(8)))
            later = await gateway.chat("hello")

    statuses = sorted(one.status for one in many)
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert later.status == 200


@pytest.mark.parametrize(("way", "served"), [("downgrade", "house"), ("notify", "frontier")])
async def test_a_used_up_budget_can_be_gone_on_with(
    redis_url: str, home: Path, org: str, way: str, served: str
) -> None:
    """By the cheapest candidate, or as if nothing were; it is counted all the same."""
    budget = f"budgets:\n  - {{scope: team/tests, usd: 0.0001, on_exhausted: {way}}}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("hello")

    assert answer.status == 200
    assert answer.headers["x-fairlead-deployment"] == served


async def test_an_output_cap_is_cut_down_to_what_is_left(
    redis_url: str, home: Path, org: str
) -> None:
    """$0.02 do not pay for 4,096 tokens at $10 a million, but for some: those are asked for."""
    budget = "budgets:\n  - {scope: team/tests, usd: 0.02, shrink_to: 500}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("hello")
            (line,) = gateway.ledger()

    assert answer.headers["x-fairlead-deployment"] == "frontier"
    assert 19_000_000 < line.held_nanousd <= 20_000_000


async def test_a_budget_of_a_tag_is_its_own(redis_url: str, home: Path, org: str) -> None:
    """One project's money does not pay for another's."""
    budget = 'budgets:\n  - {scope: "tag/project=*", usd: 0.0001}'
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            tagged = await gateway.chat("hello", headers=[(b"x-fairlead-tags", b"project=apollo")])
            untagged = await gateway.chat("hello")

    assert tagged.status == 429
    assert b"tag/project=apollo" in tagged.body
    assert untagged.status == 200


async def test_a_client_hears_that_a_budget_is_nearly_used_up(
    redis_url: str, home: Path, org: str
) -> None:
    """From the first share that the policy names."""
    budget = "budgets:\n  - {scope: team/tests, usd: 0.05, warn_at: [0.5, 0.9]}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("hello")

    assert answer.headers["x-fairlead-budget"].startswith("team/tests;per=month;used=0.8")
