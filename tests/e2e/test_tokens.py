"""Tokens are counted where a hold or a window depends on it, and holds are as large as needed."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.core.output_length import FEWEST_LENGTHS
from gateway.core.prices import worst_cost
from gateway.core.token_families import O200K
from tests.e2e.inprocess import InProcessGateway, gateway_with, vocabularies
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams.scripted import ScriptedUpstream

PROSE = "The committee met on Tuesday, and nobody could agree on the budget for next year. "
CAP = 4_096


def count(text: str) -> int:
    return vocabularies().get([O200K])[O200K].count(text)


def held_for(gateway: InProcessGateway, deployment: str, tokens: int, cap: int = CAP) -> int:
    """What is held for so many tokens, in nano-USD."""
    price = gateway.services.rulings.current.policy.deployments[deployment].price
    return worst_cost(price, tokens, cap)


async def test_a_long_prompt_is_held_by_its_tokens(redis_url: str, home: Path, org: str) -> None:
    """Within what the template adds, and far from a token a byte; the audit log keeps the count."""
    text = PROSE * 150
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            await gateway.chat(text)
            (line,), (record,) = gateway.ledger(), gateway.audit()
            least = held_for(gateway, "frontier", count(text))
            most = held_for(gateway, "frontier", count(text) + 60)

    assert least < line.held_nanousd < most
    assert record.facts is not None
    assert {one.family for one in record.facts.counted} >= {O200K}
    assert 0 < record.input_tokens - count(text) <= 8


async def test_a_short_prompt_is_not_counted(redis_url: str, home: Path, org: str) -> None:
    """Its hold is nearly all output, so the cheap bound does."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            await gateway.chat(PROSE)
            (record,) = gateway.audit()

    assert record.facts is not None
    assert record.facts.counted == ()


async def test_a_budget_that_the_exact_hold_fits_is_not_refused(
    redis_url: str, home: Path, org: str
) -> None:
    """The hold by bytes does not fit, so the tokens are counted and it is asked for again."""
    text = PROSE * 15
    budget = "budgets:\n  - {scope: team/tests, usd: 0.0425}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(text)
            (line,) = gateway.ledger()
            by_bytes = held_for(gateway, "frontier", len(text))

    assert answer.headers["x-fairlead-deployment"] == "frontier"
    assert line.held_nanousd <= 42_500_000 < by_bytes


async def test_a_window_is_judged_by_the_count(redis_url: str, home: Path, org: str) -> None:
    """A run of one letter has fewer tokens than it looks like; the window takes it."""
    text = "x" * 40_000
    window = count(text) + 100
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url).replace(
            "    clearance: internal", f"    clearance: internal\n    context_tokens: {window}"
        )
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            fits = await gateway.chat(text)
            passes = await gateway.chat(text + " y" * 200)

    assert fits.headers["x-fairlead-deployment"] == "frontier"
    assert passes.headers["x-fairlead-deployment"] == "house"


async def test_placeholders_are_held_for_too(redis_url: str, home: Path, org: str) -> None:
    """What is sent may have more tokens than what was hidden in it."""
    constraint = (
        "constraints:\n"
        "  - {id: hide-mail, because: Nobody needs addresses., "
        "when: {findings: [email]}, mask: [email]}"
    )
    text = " ".join(f"u{number}@b.co" for number in range(400))
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, constraint)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            await gateway.chat(text)
            (line,) = gateway.ledger()
            sent = json.loads(frontier.requests[0].body)["messages"][0]["content"]
            least = held_for(gateway, "frontier", count(sent))

    assert count(sent) > count(text)
    assert least <= line.held_nanousd


async def test_answers_teach_how_long_they_are(redis_url: str, home: Path, org: str) -> None:
    """Of the deployment that gave them, whole answers and streams alike."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            for number in range(FEWEST_LENGTHS):
                await gateway.chat("hello", stream=number % 2 == 0)
            known = gateway.services.lengths.lengths("chat")
            told = {line.usage.output_tokens for line in gateway.ledger()}

    assert set(known) == {"frontier"}
    assert known["frontier"].p50 in told
