"""Copies for comparison: sent after the answer, to whom the data may go, and seen by nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.cascading import PATHS, ask, read
from tests.e2e.inprocess import InProcessGateway, gateway_with
from tests.upstreams import faults
from tests.upstreams.every_wire import Said, say
from tests.upstreams.scripted import Script, ScriptedUpstream

ANSWER = Said("It is Paris.")
OTHER = Said("Paris, of course.")


def policy(
    house: str,
    larger: str,
    *,
    shadow: str = "larger",
    clearance: str = "restricted",
    more: str = "",
    sections: str = "",
) -> str:
    """House serves, and the larger one gets copies."""
    price = "price: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}"
    dear = "price: {input_usd_per_mtok: 10, output_usd_per_mtok: 10}"
    driver = "adapter: openai_compatible, base_url"
    return f"""
fairlead: 1
defaults: {{retries: 2}}
deployments:
  house: {{{driver}: "{house}/v1", model: small, clearance: restricted, {price}}}
  larger: {{{driver}: "{larger}/v1", model: large, clearance: {clearance}, {dear}}}
aliases: {{auto: {{}}}}
routes:
  - {{id: all, use: [house], shadow: {shadow}{more}}}
{sections}
"""


async def copies(gateway: InProcessGateway) -> None:
    """Wait until every copy has ended."""
    await gateway.services.shadows.finished()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", PATHS)
async def test_a_copy_is_booked_and_the_client_sees_nothing_of_it(
    redis_url: str, home: Path, org: str, api: str, stream: bool
) -> None:
    """The answer is the route's own; ledger and audit log hold the copy under an id of its own."""
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(path=PATHS[api], body=ask(api, "", stream=stream))
            await copies(gateway)
            (line, copied_line), (record, copied) = gateway.ledger(), gateway.audit()

    assert read(api, answer, stream=stream).text == ANSWER.text
    assert answer.headers["x-fairlead-deployment"] == "house"
    assert (len(house.requests), len(larger.requests)) == (1, 1)
    sent, same = (json.loads(one.requests[0].body) for one in (house, larger))
    assert (sent.pop("model"), same.pop("model")) == ("small", "large")
    assert sent == same
    assert [(one.deployment, one.outcome, one.cost_nanousd) for one in (line, copied_line)] == [
        ("house", "ok", 18_000),
        ("larger", "shadow", 180_000),
    ]
    assert copied_line.because == f"shadow of {record.request_id}"
    assert (record.outcome, record.shadow_of, record.cost_nanousd) == ("served", "", 18_000)
    assert (copied.outcome, copied.shadow_of) == ("shadow", record.request_id)
    assert copied.request_id == copied_line.request_id != record.request_id
    assert [one.deployment for one in copied.attempts] == ["larger"]


async def test_what_is_above_its_clearance_is_not_copied(
    redis_url: str, home: Path, org: str
) -> None:
    """Clearance binds whoever gets a copy as it binds whoever answers."""
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, clearance="internal")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat("My card is 4111 1111 1111 1111.")
            await copies(gateway)
            assert not larger.requests
            await gateway.chat("What is the capital of France?")
            await copies(gateway)
            records = gateway.audit()

    assert len(larger.requests) == 1
    assert [one.shadow_of for one in records] == ["", "", records[1].request_id]
    assert [one.decided.shadow for one in records if one.decided] == ["", "larger", ""]


async def test_a_constraint_binds_the_copy(redis_url: str, home: Path, org: str) -> None:
    """What may not serve gets no copy either."""
    forbidding = "constraints: [{id: no, when: {findings: [email]}, forbid: [larger]}]"
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, sections=forbidding)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat("Write to jane.roe@acme.org")
            await copies(gateway)

    assert (len(house.requests), len(larger.requests)) == (1, 0)


async def test_a_copy_is_masked_like_the_original(redis_url: str, home: Path, org: str) -> None:
    """Whoever gets the copy sees the placeholder that the other one sees."""
    masking = "constraints: [{id: hide, mask: [email]}]"
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, clearance="internal", sections=masking)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat("Write to jane.roe@acme.org")
            await copies(gateway)

    sent, same = (json.loads(one.requests[0].body)["messages"] for one in (house, larger))
    assert sent == same
    assert "jane.roe" not in str(same)


async def test_a_copy_that_fails_is_not_repeated_and_not_seen(
    redis_url: str, home: Path, org: str
) -> None:
    """The caller has its answer; the record says how the copy ended."""
    broken = Script(status=500)
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(broken) as larger:
        text = policy(house.url, larger.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            await copies(gateway)
            _, copied = gateway.audit()

    assert (answer.status, len(larger.requests)) == (200, 1)
    assert (copied.outcome, copied.attempts[0].outcome) == ("failed", "server_error")


async def test_a_budget_that_is_used_up_ends_the_copies_first(
    redis_url: str, home: Path, org: str
) -> None:
    """A copy is held like any call: where the money does not reach, there is none."""
    budget = "budgets: [{scope: team/tests, usd: 0.012, per: day}]"
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, sections=budget)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            await copies(gateway)
            lines, (_, copied) = gateway.ledger(), gateway.audit()

    assert (answer.status, len(larger.requests)) == (200, 0)
    assert [one.deployment for one in lines] == ["house"]
    assert (copied.outcome, copied.error) == ("failed", "budget_exhausted")


async def test_who_asked_once_is_limited_once(redis_url: str, home: Path, org: str) -> None:
    """Two requests a minute are two requests, however many copies there are."""
    limits = "limits: [{scope: team/tests, requests: 2, per: minute}]"
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, sections=limits)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            statuses = []
            for _ in range(3):
                statuses.append((await gateway.chat()).status)
                await copies(gateway)

    assert statuses == [200, 200, 429]
    assert len(larger.requests) == 2


async def test_only_the_wanted_share_is_copied(redis_url: str, home: Path, org: str) -> None:
    """Which requests are copied is drawn from their ids."""
    shadow = "{deployment: larger, share: 30%}"
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, shadow=shadow)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            for _ in range(60):
                await gateway.chat()
            await copies(gateway)

    # With 60 draws at 30 %, fewer than 4 or more than 36 come once in a million runs.
    assert 4 <= len(larger.requests) <= 36


async def test_who_answered_gets_no_copy(redis_url: str, home: Path, org: str) -> None:
    """Asking the same deployment twice compares nothing."""
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        text = policy(house.url, larger.url, shadow="house")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat()
            await copies(gateway)

    assert (len(house.requests), len(larger.requests)) == (1, 0)


async def test_a_copy_that_is_under_way_at_the_end_is_settled(
    redis_url: str, home: Path, org: str
) -> None:
    """A worker that stops does not wait for copies, and loses nothing of them."""
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(faults.hangs()) as larger:
        text = policy(house.url, larger.url)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat()
            await larger.received(1)
        line, copied = gateway.ledger()[-1], gateway.audit()[-1]

    assert (line.deployment, line.kind, line.outcome) == ("larger", "settle", "cancelled")
    assert copied.outcome == "cancelled"


async def test_a_route_adds_headers_and_tags(redis_url: str, home: Path, org: str) -> None:
    """Headers go upstream; tags go to the ledger, over the caller's own, and to budgets by tag."""
    more = ", add_headers: {x-purpose: research}, add_tags: {project: apollo, stage: trial}"
    budget = "budgets: [{scope: tag/project=apollo, usd: 0.000001, per: day}]"
    async with ScriptedUpstream(say(ANSWER)) as house, ScriptedUpstream(say(OTHER)) as larger:
        told = [(b"x-fairlead-tags", b"project=zeus, cost=low")]
        text = policy(house.url, larger.url, shadow="house", more=more)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            await gateway.chat(headers=told)
            (line,), (record,) = gateway.ledger(), gateway.audit()
        text = policy(house.url, larger.url, shadow="house", more=more, sections=budget)
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            refused = await gateway.chat(headers=told)

    assert house.requests[0].header("x-purpose") == "research"
    assert line.tags == {"project": "apollo", "cost": "low", "stage": "trial"}
    assert record.tags == {"project": "zeus", "cost": "low"}
    assert record.decided is not None
    assert record.decided.tags == {"project": "apollo", "stage": "trial"}
    assert refused.status == 429
