"""Explanations of real bodies: the same judgement as in traffic, and nobody is called."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.core.principal import Principal
from gateway.runtime.client import Client, Message
from gateway.runtime.explaining import explain_body, explain_given
from policies.explain import Explanation
from policies.given import read_given
from tests.e2e.inprocess import InProcessGateway, gateway_with
from tests.e2e.test_pipeline import ANSWERS, policy
from tests.upstreams.scripted import ScriptedUpstream

CARD = "my card is 4111 1111 1111 1111"
BODIES = [
    ("chat", {"messages": [{"role": "user", "content": CARD}]}),
    ("responses", {"input": CARD}),
    (
        "messages",
        {"messages": [{"role": "user", "content": CARD}], "max_tokens": 9, "system": "Be brief."},
    ),
    ("completions", {"prompt": CARD}),
]


async def _receive() -> Message:
    raise AssertionError("nothing is received")


async def _send(message: Message) -> None:
    raise AssertionError("nothing is sent")


async def explained(
    gateway: InProcessGateway,
    body: dict[str, object],
    headers: tuple[tuple[bytes, bytes], ...] = (),
    api: str = "",
) -> Explanation:
    ruling = gateway.services.rulings.current
    client = Client({"headers": list(headers)}, _receive, _send)
    raw = msgspec.json.encode({"model": "auto"} | body)
    who = Principal(key_id="explain", org=gateway.org, team="tests")
    return await explain_body(gateway.services, ruling, raw, api=api, principal=who, client=client)


@pytest.mark.parametrize(("api", "body"), BODIES)
async def test_a_body_of_every_api_is_judged_as_in_traffic(
    api: str, body: dict[str, object], redis_url: str, home: Path, org: str
) -> None:
    """The card is found wherever it stands, and only the house may have it."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            told = await explained(gateway, body)
            called = len(house.requests) + len(frontier.requests)

    assert (told.api, told.sensitivity, told.candidates) == (api, "restricted", ("house",))
    frontier_told = told.deployments[1]
    assert frontier_told.reason == "clearance"
    assert float(frontier_told.most_cost_usd) > 0
    assert called == 0


async def test_what_cannot_be_asked_through_an_api_falls_out_with_its_reason(
    redis_url: str, home: Path, org: str
) -> None:
    """A chat model cannot give several completions of several prompts."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url).replace(
            "model: llama", "model: llama\n    adapter: anthropic\n    api_key: env:K"
        )
        rules = rules.replace("    adapter: openai_compatible\n", "", 1)
        async with gateway_with(
            rules, redis_url, home, org=org, environ={"K": "secret"}
        ) as gateway:
            told = await explained(gateway, {"input": ["a", "b"]}, api="embeddings")
            confined = await explained(
                gateway,
                {"input": ["a", "b"]},
                headers=((b"x-fairlead-sensitivity", b"restricted"),),
            )

    assert told.candidates == ("frontier",)
    assert told.deployments[0].reason == "endpoint"
    assert confined.candidates == ()
    assert confined.refusal_code == "endpoint_not_supported"
    assert "house: does not have the endpoint" in confined.refusal


async def test_headers_count_as_in_traffic(redis_url: str, home: Path, org: str) -> None:
    """A declared sensitivity raises, and a wrong header is refused."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            body = {"messages": [{"role": "user", "content": "hello"}]}
            raised = await explained(
                gateway, body, headers=((b"x-fairlead-sensitivity", b"restricted"),)
            )
            with pytest.raises(InvalidRequest):
                await explained(gateway, body, headers=((b"x-fairlead-tags", b"nonsense"),))

    assert raised.candidates == ("house",)


async def test_facts_are_explained_without_a_body(redis_url: str, home: Path, org: str) -> None:
    """What a counterexample of a proof gives is explained as it is; a text is judged."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(ANSWERS) as frontier:
        rules = policy(house.url, frontier.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            ruling = gateway.services.rulings.current
            facts = read_given('{"findings": ["payment_card"]}', "given")
            text = read_given(msgspec.json.encode({"text": CARD}).decode(), "given")
            told = await explain_given(gateway.services, ruling, facts)
            judged = await explain_given(gateway.services, ruling, text)
            with pytest.raises(InvalidRequest):
                await explain_given(gateway.services, ruling, read_given("{time: later}", "given"))

    assert told.candidates == judged.candidates == ("house",)
    assert judged.findings == ("payment_card",)
