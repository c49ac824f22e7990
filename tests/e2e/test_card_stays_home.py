"""The promise: a card number never opens a connection to a deployment that is not cleared.

Random policies, random fault patterns, every way a request can be shaped; counted where it
matters, at the socket of each upstream.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.core.sensitivity import Sensitivity
from tests.e2e.inprocess import Response, gateway_with
from tests.upstreams import faults
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Script, ScriptedUpstream, closed_port

#: Cases per example and examples: together 1,000 policies with their faults.
BATCH = 20
EXAMPLES = 50
CARD = "4111 1111 1111 1111"
NAMES = ("alpha", "beta", "gamma", "delta")
LEVELS = tuple(level.label for level in Sensitivity)

BEHAVIOURS: dict[str, Any] = {
    "up": chat.either(chat.answer(), chat.stream()),
    "slow": faults.hangs(),
    "crashing": faults.drops(),
    "cut": faults.cuts_plain(),
    "cut stream": Script(
        headers=(("content-type", "text/event-stream"),),
        pieces=(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n',),
        framing="chunked",
        ending="cut",
    ),
    "error 500": chat.error(500),
    "busy": chat.error(429),
    "forbidden": chat.error(401),
    "too long": chat.error(400, code="context_length_exceeded"),
    "garbage": faults.garbage(),
    "error event": chat.error_event_stream(),
}
PLACES = ("content", "part", "system", "tool argument", "tool result", "unknown", "name", "key")


@dataclass(frozen=True)
class Case:
    """One policy, one fault pattern and one request with a card number."""

    policy: dict[str, Any]
    behaviours: dict[str, str]
    request: dict[str, Any]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    deployments = {name: draw(deployment()) for name in names}
    behaviours = {
        name: draw(st.sampled_from(["up", "up", "up", "down", *BEHAVIOURS])) for name in names
    }
    chosen = st.lists(st.sampled_from(names), min_size=1, unique=True)
    routes = [
        {"id": f"r{n}", "use": draw(chosen), **draw(st.sampled_from(CONDITIONS))}
        for n in range(draw(st.integers(0, 2)))
    ]
    routes.append({"id": "last", "use": draw(st.one_of(chosen, st.just({"strategy": "cheapest"})))})
    constraints = [
        {"id": f"c{n}", "because": "it is so", **draw(constraint(names))}
        for n in range(draw(st.integers(0, 2)))
    ]
    policy: dict[str, Any] = {
        "fairlead": 1,
        "deployments": deployments,
        "aliases": {"auto": {}},
        "routes": routes,
    }
    if constraints:
        policy["constraints"] = constraints
    if draw(st.booleans()):
        exhausted = draw(st.sampled_from(["refuse", "self_hosted_only"]))
        usd = draw(st.sampled_from([0.0001, 100]))
        policy["budgets"] = [
            {"scope": "team/tests", "usd": usd, "per": "day", "on_exhausted": exhausted}
        ]
    asked = draw(st.sampled_from(["auto", "auto", "auto", *names]))
    return Case(policy, behaviours, draw(request_for(asked)))


CONDITIONS: list[dict[str, Any]] = [
    {},
    {"when": {"difficulty": ">= 0.3"}},
    {"when": {"sensitivity": "<= internal"}},
    {"when": {"sensitivity": ">= confidential"}},
    {"when": {"findings": ["payment_card"]}},
    {"when": {"stream": True}},
]


@st.composite
def deployment(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "adapter": "openai_compatible",
        "model": "m",
        "clearance": draw(st.sampled_from([*LEVELS, "restricted", "restricted"])),
        "self_hosted": draw(st.booleans()),
        "retries": draw(st.sampled_from([0, 0, 0, 1])),
        "first_byte_seconds": 0.2,
        "price": {"input_usd_per_mtok": draw(st.integers(0, 9)), "output_usd_per_mtok": 10},
    }


@st.composite
def constraint(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [
        {"only": {"clearance": draw(st.sampled_from(LEVELS))}},
        {"forbid": [draw(st.sampled_from(names))]},
        {"cap_output_tokens": 50},
        {"mask": ["payment_card"]},
        {"mask": ["email"]},
    ]
    return draw(st.sampled_from(kinds)) | draw(st.sampled_from(CONDITIONS))


@st.composite
def request_for(draw: st.DrawFn, asked: str) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "please help"}]
    extra: dict[str, Any] = {}
    match draw(st.sampled_from(PLACES)):
        case "content":
            messages[0]["content"] = f"my card is {CARD}"
        case "part":
            messages[0]["content"] = [{"type": "text", "text": f"pay with {CARD}"}]
        case "system":
            messages.insert(0, {"role": "system", "content": f"Card on file: {CARD}"})
        case "tool argument":
            call = {"name": "pay", "arguments": json.dumps({"card": CARD})}
            calls = [{"id": "c", "type": "function", "function": call}]
            messages += [
                {"role": "assistant", "content": None, "tool_calls": calls},
                {"role": "tool", "tool_call_id": "c", "content": "done"},
            ]
        case "tool result":
            messages.append({"role": "tool", "tool_call_id": "c", "content": CARD})
        case "unknown":
            messages[0]["content"] = [{"type": "hologram", "light": {"deep": [CARD]}}]
        case "name":
            extra["metadata"] = {"note": f"card {CARD}"}
        case "key":
            extra["metadata"] = {CARD: "x"}
    return {"model": asked, "messages": messages, "stream": draw(st.booleans()), **extra}


async def run_case(case: Case, redis_url: str, home: Path) -> tuple[Response, dict[str, int]]:
    """Play one case; how often each deployment's upstream got what it may not.

    That is every connection, or where the policy masks cards every request with one in it.
    """
    upstreams = {
        name: ScriptedUpstream(BEHAVIOURS[kind])
        for name, kind in case.behaviours.items()
        if kind != "down"
    }
    for upstream in upstreams.values():
        await upstream.__aenter__()
    try:
        policy = json.loads(json.dumps(case.policy))
        for name, deployed in policy["deployments"].items():
            port = upstreams[name].port if name in upstreams else closed_port()
            deployed["base_url"] = f"http://127.0.0.1:{port}/v1"
        text = json.dumps(policy)
        async with gateway_with(text, redis_url, home) as gateway:
            body = json.dumps(case.request).encode()
            response = await gateway.chat(body=body)
        masks = any("payment_card" in one.get("mask", ()) for one in policy.get("constraints", ()))
        return response, {
            name: sum(CARD.encode() in request.body for request in upstream.requests)
            if masks
            else upstream.connections
            for name, upstream in upstreams.items()
        }
    finally:
        for upstream in upstreams.values():
            await upstream.__aexit__()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for all examples."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_a_card_number_reaches_only_those_cleared_for_it(
    loop: asyncio.AbstractEventLoop, redis_url: str, home: Path
) -> None:
    """Property: no rule, fallback, retry, fault or shape of request leads a card outside."""
    played = {"served": 0, "failed": 0, "reached": 0}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        # Shrinking a batch would take minutes, and a failing case names itself.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(cases(), min_size=BATCH, max_size=BATCH))
    def play(batch: list[Case]) -> None:
        async def together() -> list[tuple[Response, dict[str, int]]]:
            return await asyncio.gather(*(run_case(case, redis_url, home) for case in batch))

        for case, (response, counted) in zip(
            batch, loop.run_until_complete(together()), strict=True
        ):
            played["served" if response.status == 200 else "failed"] += 1
            for name, connections in counted.items():
                cleared = case.policy["deployments"][name]["clearance"] == "restricted"
                assert cleared or connections == 0, (case, name)
                played["reached"] += bool(connections)

    play()
    # The test means something only if cleared deployments were really reached and did serve.
    assert played["served"] > 50
    assert played["reached"] > 100
