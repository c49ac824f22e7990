"""Each moment in which something is away, end to end: what the file says is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.stores.embedded import open_embedded
from policies.problems import PolicyError
from tests.e2e.inprocess import compile_text, gateway_with
from tests.e2e.test_outage import frozen, recovered
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import ScriptedUpstream

POOR = "budgets:\n  - {scope: team/tests, usd: 0.0001, per: month}\n"


def saying(moment: str, answer: str) -> str:
    return f"degradation: {{{moment}: {answer}}}\n"


def outside_only(rules: str) -> str:
    return rules.replace("use: [frontier, house]", "use: [frontier]")


@pytest.mark.parametrize(
    ("answer", "status", "served"),
    [("refuse", 503, ""), ("from_slices", 200, "frontier"), ("self_hosted_only", 200, "house")],
)
async def test_while_redis_is_away(answer: str, status: int, served: str, tmp_path: Path) -> None:
    """Refused, served as ever, or served at home; what was served is booked afterwards."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, saying("redis_down", answer))
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            before = await gateway.chat()
            with frozen(server.url):
                during = await gateway.chat()
            await recovered(gateway)
            lines = gateway.ledger()
    server.close()

    assert before.headers["x-fairlead-deployment"] == "frontier"
    assert (during.status, during.headers.get("x-fairlead-deployment", "")) == (status, served)
    assert [line.deployment for line in lines] == ["frontier", *([served] if served else [])]


async def test_while_redis_is_away_a_home_outside_the_route_takes_over(tmp_path: Path) -> None:
    """Whoever is at home and may serve does, though the route names it not."""
    server = open_embedded(tmp_path)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        extra = saying("redis_down", "self_hosted_only")
        rules = outside_only(policy(house.url, frontier.url, extra))
        async with gateway_with(rules, server.url, tmp_path) as gateway:
            before = await gateway.chat()
            with frozen(server.url):
                during = await gateway.chat()
            await recovered(gateway)
    server.close()

    assert before.headers["x-fairlead-deployment"] == "frontier"
    assert during.headers["x-fairlead-deployment"] == "house"


@pytest.mark.parametrize(
    ("answer", "status", "served"),
    [
        ("as_restricted", 200, "frontier"),
        ("self_hosted_only", 200, "house"),
        ("refuse", 403, ""),
    ],
)
async def test_a_request_that_could_not_be_judged(
    answer: str, status: int, served: str, redis_url: str, home: Path, org: str
) -> None:
    """Token ids cannot be read; an outside deployment with full clearance shows the difference."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, saying("classifier_failed", answer))
        rules = rules.replace(
            "clearance: internal", "clearance: {level: restricted, because: Agreed.}"
        )
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            body = b'{"model": "auto", "prompt": [1, 2, 3], "max_tokens": 5}'
            told = await gateway.chat(body=body, path="/v1/completions")
            (record, *_) = gateway.audit()

    assert record.sensitivity == "restricted"
    assert record.facts is not None
    assert record.facts.failed
    if status != 200:
        assert told.status == status
        assert "could not be judged" in told.json["error"]["message"]
        assert record.reasons == ("classifier_failed",)
    else:
        assert record.attempts[0].deployment == served


async def test_a_deployment_without_a_price_refuses_the_file_or_is_left_out(
    redis_url: str, home: Path, org: str
) -> None:
    """Nothing is booked at a price that nobody knows."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        rules = rules.replace("    price: {input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}\n", "")
        rules = rules.replace("model: gpt-4o", "model: nobody-knows")
        with pytest.raises(PolicyError, match="cannot be booked"):
            compile_text(rules)
        left_out = rules + saying("price_unknown", "leave_out")
        async with gateway_with(left_out, redis_url, home, org=org) as gateway:
            routed = await gateway.chat()
            named = await gateway.chat(model="frontier")
            records = gateway.audit()

    assert routed.headers["x-fairlead-deployment"] == "house"
    assert named.status == 403
    assert "Nobody knows what it costs" in named.json["error"]["message"]
    assert records[0].rejected == {"frontier": "price_unknown"}
    assert frontier.connections == 0


@pytest.mark.parametrize(("answer", "status"), [("refuse", 403), ("self_hosted_only", 200)])
async def test_a_route_of_which_nothing_is_left(
    answer: str, status: int, redis_url: str, home: Path, org: str
) -> None:
    """A card number may not go out: it is refused, or whoever at home may serves it."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        extra = saying("no_candidate", answer)
        rules = outside_only(policy(house.url, frontier.url, extra))
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            told = await gateway.chat("my card is 4111 1111 1111 1111")
            (record,) = gateway.audit()

    assert told.status == status
    assert ("no_candidate" in record.reasons) is (status == 200)
    assert record.deployment == ("house" if status == 200 else "")
    assert frontier.connections == 0


@pytest.mark.parametrize(
    ("answer", "served"),
    [("refuse", ""), ("self_hosted_only", "house"), ("downgrade", "house"), ("notify", "frontier")],
)
async def test_a_budget_that_says_nothing_itself(
    answer: str, served: str, redis_url: str, home: Path, org: str
) -> None:
    """The file says once what happens when money is gone."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        extra = POOR + saying("budget_exhausted", answer)
        async with gateway_with(
            policy(house.url, frontier.url, extra), redis_url, home, org=org
        ) as gateway:
            told = await gateway.chat()

    assert told.status == (200 if served else 429)
    assert told.headers.get("x-fairlead-deployment", "") == served


@pytest.mark.parametrize(
    ("answer", "status", "served"),
    [
        ("next_candidate", 200, "second"),
        ("self_hosted_only", 200, "house"),
        ("refuse", 502, "frontier"),
    ],
)
async def test_a_deployment_that_is_down(
    answer: str, status: int, served: str, redis_url: str, home: Path, org: str
) -> None:
    """The next of the route takes over, only those at home do, or nobody does."""
    async with (
        ScriptedUpstream(ANSWERS) as house,
        ScriptedUpstream(chat.error(500)) as frontier,
        ScriptedUpstream(ANSWERS) as second,
    ):
        rules = policy(house.url, frontier.url, saying("provider_down", answer))
        other = (
            f"  second: {{adapter: openai_compatible, base_url: '{second.url}/v1', model: m, "
            "self_hosted: false, clearance: internal, "
            "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}\naliases:"
        )
        rules = rules.replace("aliases:", other, 1)
        rules = rules.replace("use: [frontier, house]", "use: [frontier, second]")
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            told = await gateway.chat()
            lines = gateway.ledger()

    assert told.status == status
    assert lines[-1].deployment == served


async def test_a_caller_who_names_a_deployment_gets_that_one_or_none(
    redis_url: str, home: Path, org: str
) -> None:
    """No degradation answers with another model than was asked for by name."""
    everything = (
        "degradation: {no_candidate: self_hosted_only, provider_down: self_hosted_only, "
        "redis_down: self_hosted_only}\n"
    )
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(chat.error(500)) as frontier:
        rules = policy(house.url, frontier.url, everything)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            down = await gateway.chat(model="frontier")
            kept = await gateway.chat("card 4111 1111 1111 1111", model="frontier")

    assert (down.status, kept.status) == (502, 403)
    assert house.connections == 0
