"""Real traffic replayed: under its own policy nothing changes, whatever happened to it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.core.replaying import Tally
from gateway.runtime.replaying import Piece, Wanted, replay_all
from tests.e2e.inprocess import InProcessGateway, gateway_with
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

POLICY = """
fairlead: 1
deployments:
  frontier: {{adapter: openai, model: gpt-4o, api_key: "env:KEY", base_url: "{away}/v1",
             self_hosted: false, clearance: internal,
             price: {{input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}}}
  house: {{adapter: openai_compatible, model: m, base_url: "{home}/v1", clearance: restricted,
          price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2, per_request_usd: 0.001}}}}
aliases: {{auto: {{}}, quick: {{}}, spread: {{}}}}
constraints:
  - {{id: no-jokes, when: {{tags: {{kind: joke}}}}, block: "No jokes."}}
  - {{id: hide-mail, when: {{findings: email}}, mask: [email]}}
  - {{id: short, when: {{stream: true}}, cap_output_tokens: 300}}
routes:
  - {{id: quickly, when: {{model: quick}}, use: {{strategy: fastest}}}}
  - {{id: shared, when: {{model: spread}}, use: {{strategy: split,
     shares: {{house: 50%, frontier: 50%}}, sticky: session}}}}
  - {{id: all, use: {{strategy: balanced,
     weights: {{cost: 40%, latency: 20%, quality: 40%}}, sticky: user}}}}
budgets:
  - {{scope: team/tests, usd: 5, per: month, on_exhausted: self_hosted_only}}
"""


def answering(received: Received) -> Script:
    """Whole or streamed; one prompt fails so that the next candidate serves."""
    if b"please fail" in received.body and received.json["model"] == "gpt-4o":
        return chat.error(500)(received)
    streamed = received.json.get("stream")
    return (chat.stream() if streamed else chat.answer(used=(40, 12)))(received)


async def some_traffic(gateway: InProcessGateway) -> None:
    """Requests of all kinds: served, fallen back, refused, masked, streamed, left."""
    for number in range(6):
        await gateway.chat(f"Hello number {number}.")
        await gateway.chat(f"Hello {number}.", model="quick", stream=True)
        session = [(b"x-fairlead-session", b"s%d" % (number % 2))]
        await gateway.chat(f"Hello {number}.", model="spread", headers=session, n=2)
    await gateway.chat("please fail", model="frontier")
    await gateway.chat("please fail")
    await gateway.chat("card 4111 1111 1111 1111", model="frontier")
    await gateway.chat("my card is 4111 1111 1111 1111")
    await gateway.chat("write to jane.roe@corp-mail.com now")
    await gateway.chat("tell me one", headers=[(b"x-fairlead-tags", b"kind=joke")])
    await gateway.chat("hello", headers=[(b"x-fairlead-sensitivity", b"restricted")])
    await gateway.chat("hello", model="nothing")
    await gateway.chat("hello", max_tokens=5, leave_after=0.0)
    said = {"role": "user", "content": "hello"}
    body = msgspec.json.encode({"model": "auto", "max_tokens": 50, "messages": [said]})
    await gateway.chat(path="/v1/messages", body=body, headers=[(b"anthropic-version", b"1")])


@pytest.fixture
async def traffic(redis_url: str, home: Path, org: str) -> tuple[str, list[bytes]]:
    """The policy and the records of that traffic, as they were written."""
    async with ScriptedUpstream(answering) as away, ScriptedUpstream(answering) as near:
        text = POLICY.format(away=away.url, home=near.url)
        async with gateway_with(text, redis_url, home, org=org, environ={"KEY": "k"}) as gateway:
            await some_traffic(gateway)
            records = gateway.audit()
    return text, [msgspec.json.encode(one) for one in records]


def replayed(lines: list[bytes], text: str) -> Tally:
    return replay_all([Piece(b"\n".join(lines), 1.0)], text, "test.yaml", Wanted(), jobs=1)


def test_the_same_policy_decides_every_record_just_so(traffic: tuple[str, list[bytes]]) -> None:
    """Candidates, route, reasons, obligations, refusals and cost, to the nano-dollar."""
    text, lines = traffic
    tally = replayed(lines, text)
    policies = {msgspec.json.decode(line)["policy"] for line in lines}

    assert len(policies) == 1
    assert tally.read == len(lines) >= 26
    assert tally.skipped == {}
    assert tally.disagreeing == 0, tally.examples
    assert tally.ways == {}
    assert tally.total.cost_before == tally.total.cost_after > 0


def test_another_policy_says_what_it_would_have_done(traffic: tuple[str, list[bytes]]) -> None:
    """Closing the frontier brings home what went out, and lets nothing out."""
    text, lines = traffic
    closed = text.replace("constraints:\n", "constraints:\n  - {id: closed, forbid: [frontier]}\n")
    tally = replayed(lines, closed)

    assert tally.total.newly_home > 3
    assert tally.total.newly_outside == 0
    assert tally.total.newly_refused >= 1  # who asked for the frontier by name
    ways = tally.ways["frontier"]
    assert set(ways) <= {"house", "refused"}
    assert tally.total.cost_delta == sum(way.cost_delta for way in ways.values()) != 0
