"""One request's life against real Redis and real sockets, in its good and bad turns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.base import Outbound
from gateway.core.sensitivity import Sensitivity
from tests.e2e.inprocess import gateway_with
from tests.upstreams import faults
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Script, ScriptedUpstream, closed_port

CARD = "my card is 4111 1111 1111 1111"
ANSWERS = chat.either(chat.answer(), chat.stream())


def policy(house: str, frontier: str, extra: str = "", retries: int = 0) -> str:
    """Two deployments: one at home, cleared for everything, and one outside."""
    return f"""
fairlead: 1
defaults: {{retries: {retries}}}
deployments:
  house:
    adapter: openai_compatible
    base_url: "{house}/v1"
    model: llama
    clearance: restricted
    price: {{gpu_hour_usd: 2.10, tokens_per_second: 1800, utilisation: 0.4}}
  frontier:
    adapter: openai_compatible
    base_url: "{frontier}/v1"
    self_hosted: false
    model: gpt-4o
    clearance: internal
    price: {{input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}
aliases:
  auto: {{}}
routes:
  - id: outside-first
    use: [frontier, house]
{extra}
"""


async def test_the_answer_says_where_it_came_from_and_what_it_cost(
    redis_url: str, home: Path, org: str
) -> None:
    """Headers, ledger and audit log tell the same story to the nano-dollar."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("hello")
            (line,), (record,) = gateway.ledger(), gateway.audit()

    assert answer.status == 200
    assert answer.headers["x-fairlead-deployment"] == "frontier"
    assert answer.headers["x-fairlead-route"] == "outside-first"
    assert answer.headers["x-fairlead-cost-usd"] == "0.000097500"
    assert (line.cost_nanousd, line.outcome, line.kind) == (97_500, "ok", "settle")
    assert record.cost_nanousd == line.cost_nanousd
    assert record.attempts[0].deployment == "frontier"
    assert frontier.connections == 1
    assert house.connections == 0


async def test_a_card_number_stays_home_even_when_home_is_down(
    redis_url: str, home: Path, org: str
) -> None:
    """No fallback leads outside: the request fails, and nobody outside heard of it."""
    async with ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(f"http://127.0.0.1:{closed_port()}", frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(CARD)
            (record,) = gateway.audit()

    assert answer.status == 502
    assert record.sensitivity == "restricted"
    assert record.outcome == "failed"
    assert record.rejected == {"frontier": "clearance"}
    assert frontier.connections == 0


async def test_a_failing_deployment_is_followed_by_the_next_and_both_are_booked(
    redis_url: str, home: Path, org: str
) -> None:
    """Fallback serves the client; the ledger has a line for every attempt."""
    broken = chat.error(500, kind="server_error")
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(broken) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            lines, (record,) = gateway.ledger(), gateway.audit()

    assert answer.status == 200
    assert answer.headers["x-fairlead-attempts"] == "2"
    assert [(one.deployment, one.outcome) for one in lines] == [
        ("frontier", "server_error"),
        ("house", "ok"),
    ]
    assert [one.outcome for one in record.attempts] == ["server_error", "ok"]
    assert record.cost_nanousd == sum(one.cost_nanousd for one in lines)


async def test_a_retry_calls_the_same_deployment_again(
    redis_url: str, home: Path, org: str
) -> None:
    """One hiccup costs one pause, not a change of model."""
    async with ScriptedUpstream(chat.error(503), ANSWERS) as frontier:
        rules = policy("http://127.0.0.1:9", frontier.url, retries=1)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()

    assert answer.headers["x-fairlead-deployment"] == "frontier"
    assert answer.headers["x-fairlead-attempts"] == "2"


async def test_a_stream_passes_byte_for_byte_and_is_settled_by_its_own_usage(
    redis_url: str, home: Path, org: str
) -> None:
    """What the client did not ask for (usage) is read on the side and taken out."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=True)
            (line,) = gateway.ledger()

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert b'"usage":{' not in answer.body
    assert (line.usage.input_tokens, line.usage.output_tokens) == (11, 7)
    assert not line.usage.estimated


async def test_a_stream_that_breaks_ends_with_an_error_and_never_with_a_clean_end(
    redis_url: str, home: Path, org: str
) -> None:
    """After the first content byte there is no fallback: two answers are never spliced."""
    cut = Script(
        headers=(("content-type", "text/event-stream"),),
        pieces=(b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n',),
        framing="chunked",
        ending="cut",
    )
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(cut) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(stream=True)
            (line,), (record,) = gateway.ledger(), gateway.audit()

    assert b"Hel" in answer.body
    assert b'"error"' in answer.body
    assert b"[DONE]" not in answer.body
    assert house.connections == 0
    assert (line.outcome, line.usage.estimated) == ("cut_stream", True)
    assert line.cost_nanousd > 0
    assert record.outcome == "failed"


async def test_a_client_that_leaves_stops_the_upstream_and_is_settled(
    redis_url: str, home: Path, org: str
) -> None:
    """The backend notices within half a second, and the ledger has the attempt."""
    endless = chat.stream(["word "] * 400, pause=0.05)
    async with ScriptedUpstream(endless) as frontier:
        rules = policy("http://127.0.0.1:9", frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            left = await gateway.chat(stream=True, leave_after=0.6)
            gone = await frontier.gone()
            (line,), (record,) = gateway.ledger(), gateway.audit()
            open_holds = await gateway.services.ledger.open_holds(org)

    assert gone.gone_at is not None
    assert gone.gone_at - left.left_at < 0.5
    assert line.outcome == "cancelled"
    assert line.cost_nanousd > 0
    assert record.outcome == "cancelled"
    assert open_holds == 0


async def test_a_client_that_leaves_before_a_whole_answer_stops_the_upstream_too(
    redis_url: str, home: Path, org: str
) -> None:
    """Waiting for nobody costs GPU time, so the call is broken off."""
    async with ScriptedUpstream(faults.hangs()) as frontier:
        rules = policy("http://127.0.0.1:9", frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            left = await gateway.chat(leave_after=0.5)
            gone = await frontier.gone()
            (line,) = gateway.ledger()

    assert gone.gone_at is not None
    assert gone.gone_at - left.left_at < 0.5
    assert line.outcome == "cancelled"


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (faults.drops(), "connect"),
        (faults.garbage(), "bad_response"),
        (faults.cuts_plain(), "cut_stream"),
        (chat.error(429), "rate_limited"),
        (chat.error(401), "unauthorized"),
        (chat.error(404, code="model_not_found"), "model_missing"),
    ],
)
async def test_every_kind_of_failure_falls_back(
    redis_url: str, home: Path, org: str, script: Script, outcome: str
) -> None:
    """Whatever goes wrong before the first byte, the next candidate serves."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(script) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            lines = gateway.ledger()

    assert answer.status == 200
    assert answer.headers["x-fairlead-deployment"] == "house"
    assert lines[0].outcome in (outcome, "cut_stream")


async def test_a_request_that_the_backend_calls_wrong_keeps_the_backends_words(
    redis_url: str, home: Path, org: str
) -> None:
    """The caller's mistake is told in the upstream's own message and not shopped around."""
    wrong = chat.error(400, code="invalid_value", message="temperature is too high")
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(wrong) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat(temperature=9)

    assert answer.status == 400
    assert answer.json["error"]["message"] == "temperature is too high"
    assert answer.json["error"]["code"] == "invalid_value"
    assert house.connections == 0


async def test_a_budget_refuses_before_anything_is_called(
    redis_url: str, home: Path, org: str
) -> None:
    """The hold does not fit under the cap, so no upstream hears of the request."""
    budget = "budgets:\n  - {scope: team/tests, usd: 0.0001, per: month}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            (record,) = gateway.audit()

    assert answer.status == 429
    assert "team/tests" in answer.json["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert record.error == "budget_exhausted"
    assert house.connections + frontier.connections == 0


async def test_an_exhausted_budget_can_leave_the_self_hosted_models_open(
    redis_url: str, home: Path, org: str
) -> None:
    """`self_hosted_only` keeps a team working at home when its money for outside is spent."""
    budget = (
        "budgets:\n  - {scope: team/tests, usd: 0.0001, per: month, on_exhausted: self_hosted_only}"
    )
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()

    assert answer.headers["x-fairlead-deployment"] == "house"
    assert frontier.connections == 0


async def test_a_route_without_any_model_at_home_still_finds_one_when_the_money_is_gone(
    redis_url: str, home: Path, org: str
) -> None:
    """The self-hosted deployment need not be in the route to take over."""
    budget = (
        "budgets:\n  - {scope: team/tests, usd: 0.0001, per: month, on_exhausted: self_hosted_only}"
    )
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url, budget).replace(
            "use: [frontier, house]", "use: [frontier]"
        )
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()

    assert answer.headers["x-fairlead-deployment"] == "house"
    assert frontier.connections == 0


async def test_masked_findings_never_reach_the_upstream(
    redis_url: str, home: Path, org: str
) -> None:
    """A mask constraint replaces the address in the bytes that are sent."""
    constraint = (
        "constraints:\n"
        "  - {id: hide-mail, because: Nobody needs addresses., "
        "when: {findings: [email]}, mask: [email]}"
    )
    async with ScriptedUpstream(ANSWERS) as house:
        rules = policy(house.url, "http://127.0.0.1:9", constraint)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("write to jane.roe@corp-mail.com now")
            sent = house.requests[0].body

    assert answer.status == 200
    assert b"jane.roe" not in sent
    assert re.search(rb"\[EMAIL-[A-Z]{6}\]", sent)


async def test_the_guard_stands_even_when_the_router_errs(
    redis_url: str, home: Path, org: str
) -> None:
    """A plan that names a deployment without the clearance dies at the adapter's boundary."""
    async with ScriptedUpstream(ANSWERS) as frontier:
        rules = policy("http://127.0.0.1:9", frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            adapter = gateway.services.rulings.current.adapters["frontier"]
            failure = await adapter.open(
                Outbound(
                    body=b"{}",
                    sensitivity=Sensitivity.RESTRICTED,
                    stream=False,
                    request_id="r",
                    timeout_seconds=5,
                    first_byte_seconds=5,
                )
            )

    assert getattr(failure, "kind", None) == "clearance"
    assert frontier.connections == 0


async def test_a_frozen_upstream_is_given_up_at_its_first_byte_limit(
    redis_url: str, home: Path, org: str
) -> None:
    """A deployment that hangs costs its own limit and no more; the next one serves."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(faults.hangs()) as frontier:
        rules = policy(house.url, frontier.url).replace(
            "model: gpt-4o", "model: gpt-4o\n    first_byte_seconds: 0.3"
        )
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await gateway.chat()
            lines = gateway.ledger()

    assert answer.headers["x-fairlead-deployment"] == "house"
    assert lines[0].outcome == "timeout"
    assert lines[0].cost_nanousd > 0


async def test_a_stream_that_outlives_its_lease_keeps_its_hold(
    redis_url: str, home: Path, org: str
) -> None:
    """Three leases long, before a reaper in haste: settled once, and never doubted."""
    slow = chat.stream(["word "] * 30, pause=0.1)
    async with ScriptedUpstream(slow) as house, ScriptedUpstream(slow) as frontier:
        rules = policy(house.url, frontier.url)
        hasty = {"lease_seconds": 1.0, "reap_seconds": 0.1}
        async with gateway_with(rules, redis_url, home, org=org, **hasty) as gateway:
            answer = await gateway.chat("hello", stream=True)
            lines = gateway.ledger()

    assert answer.body.count(b"word ") == 30
    assert [(line.kind, line.outcome) for line in lines] == [("settle", "ok")]
