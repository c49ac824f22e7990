"""Hidden values: never upstream, always back for their owner, in every API over every wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.core.masking import Masked
from gateway.stores.endpoint import open_client
from gateway.stores.keybook import KeyBook, NewKey
from gateway.stores.pepper import load_pepper
from tests.e2e.inprocess import InProcessGateway, Response, gateway_with
from tests.upstreams import anthropic_messages as messages
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_responses as responses
from tests.upstreams import openai_small as small
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

MAIL, NAME = "ada.berg@kanzlei-berg.de", "+49 30 901820"
SAID = f"Write to {MAIL} or call {NAME}, thanks."
PLACEHOLDER = re.compile(r"\[(?:EMAIL|PHONE)-[A-Z]{6}\]")

POLICY = """
fairlead: 1
deployments:
  house:
    adapter: openai_compatible
    base_url: "{house}/v1"
    model: llama
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  outside:
    adapter: {adapter}
    base_url: "{outside}"
    {more}
    self_hosted: false
    model: big
    clearance: internal
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
aliases: {{auto: {{}}}}
constraints:
  - {{id: hide, because: GDPR., when: {{findings: {{any: [email, phone]}}}}, mask: [email, phone]}}
routes:
  - {{id: outside-first, use: [outside, house]}}
"""
#: Backends by the wire they speak: adapter, path of the base URL, and what else the policy says.
BACKS = {
    "chat": ("openai_compatible", "/v1", ""),
    "responses": ("openai_compatible", "/v1", "options: {wire: openai_responses}"),
    "messages": ("anthropic", "", "api_key: env:KEY"),
}
FRONTS = ("chat", "responses", "messages", "completions")


def policy(house: str, outside: str, back: str = "chat", extra: str = "") -> str:
    """Mails and phones are hidden, and a deployment outside may have what is left."""
    adapter, path, more = BACKS[back]
    return POLICY.format(house=house, outside=outside + path, adapter=adapter, more=more) + extra


def echo(back: str) -> Callable[[Received], Script]:
    """A model that says back what was said to it, in small pieces where it is asked to stream."""
    kinds: dict[str, Any] = {"chat": chat, "responses": responses, "messages": messages}

    def play(received: Received) -> Script:
        heard = re.findall(r"Write to[^\"]*thanks\.", received.body.decode())[-1]
        pieces = [heard[at : at + 5] for at in range(0, len(heard), 5)]
        streamed = bool(received.json.get("stream"))
        if received.path == "/v1/completions":
            told = small.completion_stream(pieces) if streamed else small.completion([heard])
        else:
            told = kinds[back].stream(pieces) if streamed else kinds[back].answer(heard)
        return told(received)

    return play


async def ask(
    gateway: InProcessGateway, front: str, *, stream: bool, said: str = SAID, **more: Any
) -> Response:
    """One question through an API."""
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": said}]}),
        "responses": ("/v1/responses", {"input": said, "store": False}),
        "messages": (
            "/v1/messages",
            {"max_tokens": 99, "messages": [{"role": "user", "content": said}]},
        ),
        "completions": ("/v1/completions", {"prompt": said}),
    }
    path, body = bodies[front]
    return await gateway.chat(
        path=path, body=json.dumps({"model": "auto", "stream": stream, **body, **more}).encode()
    )


def words(front: str, answer: Response, *, stream: bool) -> str:
    """The answer's text as a client puts it together."""
    if not stream:
        told = answer.json
        match front:
            case "chat":
                return str(told["choices"][0]["message"]["content"])
            case "completions":
                return str(told["choices"][0]["text"])
            case "messages":
                return str(told["content"][0]["text"])
        return str(told["output"][0]["content"][0]["text"])
    said = ""
    for line in answer.body.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line[6:])
        match front:
            case "chat" if event["choices"]:
                said += event["choices"][0]["delta"].get("content") or ""
            case "completions" if event["choices"]:
                said += event["choices"][0]["text"]
            case "messages" if event["type"] == "content_block_delta":
                said += event["delta"]["text"]
            case "responses" if event["type"] == "response.output_text.delta":
                said += event["delta"]
    return said


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("back", sorted(BACKS))
@pytest.mark.parametrize("front", FRONTS)
async def test_values_are_hidden_upstream_and_back_for_the_caller(
    redis_url: str, home: Path, org: str, front: str, back: str, stream: bool
) -> None:
    """Outside sees placeholders, is allowed to because of it, and the caller sees none."""
    async with ScriptedUpstream(echo(back)) as outside:
        rules = policy("http://127.0.0.1:9", outside.url, back)
        async with gateway_with(rules, redis_url, home, org=org, environ={"KEY": "k"}) as gateway:
            answer = await ask(gateway, front, stream=stream)
            (sent,) = (request.body.decode() for request in outside.requests)

    assert answer.status == 200
    assert answer.headers["x-fairlead-deployment"] == "outside"
    assert answer.headers["x-fairlead-sensitivity"] == "confidential"
    assert MAIL not in sent
    assert NAME not in sent
    assert len(set(PLACEHOLDER.findall(sent))) == 2
    assert words(front, answer, stream=stream) == SAID
    assert not PLACEHOLDER.search(answer.body.decode())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("front", FRONTS)
async def test_fakes_go_upstream_where_policy_wants_them_and_values_come_back(
    redis_url: str, home: Path, org: str, front: str, stream: bool
) -> None:
    """A fake is no finding of the second judgement, so that a card may be hidden by one."""
    said = f"Write to {MAIL}, {NAME} or 91.198.174.192 about card 4111 1111 1111 1111, thanks."
    kinds = "[email, phone, ip_address, payment_card]"
    async with ScriptedUpstream(echo("chat")) as outside:
        rules = policy("http://127.0.0.1:9", outside.url).replace(
            "mask: [email, phone]", f"mask: {{types: {kinds}, style: realistic}}"
        )
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await ask(gateway, front, stream=stream, said=said)
            (sent,) = (request.body.decode() for request in outside.requests)

    assert answer.headers["x-fairlead-deployment"] == "outside"
    assert not any(value in sent for value in (MAIL, NAME, "91.198.174.192", "4111 1111"))
    assert re.search(
        r"to [a-z.]+@example\.invalid, \+1-\d{3}-555-01\d\d or [\d.]+ about card [\d ]{19}, thanks",
        sent,
    )
    assert words(front, answer, stream=stream) == said
    assert b"example.invalid" not in answer.body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_arguments_of_tools_get_values_that_fit_into_json(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """The call that the client makes is with the value itself."""

    def calls(received: Received) -> Script:
        (placeholder,) = PLACEHOLDER.findall(received.body.decode())
        tools = [("c1", "send", json.dumps({"to": placeholder, "text": "hi"}))]
        return chat.either(chat.answer("", tools=tools), chat.stream("", tools=tools))(received)

    async with ScriptedUpstream(calls) as outside:
        rules = policy("http://127.0.0.1:9", outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await ask(gateway, "chat", stream=stream, said=f"Mail {MAIL}")

    if stream:
        events = [json.loads(line[6:]) for line in answer.body.decode().splitlines() if "{" in line]
        pieces = [
            call["function"].get("arguments", "")
            for event in events
            for choice in event["choices"]
            for call in choice["delta"].get("tool_calls", ())
        ]
        arguments = "".join(pieces)
    else:
        (call,) = answer.json["choices"][0]["message"]["tool_calls"]
        arguments = call["function"]["arguments"]
    assert json.loads(arguments) == {"to": MAIL, "text": "hi"}


async def test_a_value_keeps_its_placeholder_through_a_conversation(
    redis_url: str, home: Path, org: str
) -> None:
    """The second turn, with the first one in it, hides the value as before."""
    async with ScriptedUpstream(echo("chat")) as outside:
        rules = policy("http://127.0.0.1:9", outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            await ask(gateway, "chat", stream=False)
            turns = [
                {"role": "user", "content": SAID},
                {"role": "assistant", "content": SAID},
                {"role": "user", "content": f"Once more: {SAID}"},
            ]
            await ask(gateway, "chat", stream=False, messages=turns)
            first, second = (_placeholders(request.body) for request in outside.requests)

    assert first == second
    assert len(first) == 2


async def test_other_callers_and_conversations_have_other_placeholders(
    redis_url: str, home: Path, org: str
) -> None:
    """So that nobody can join what a provider saw, nor write a placeholder of somebody else."""
    async with ScriptedUpstream(echo("chat")) as outside:
        rules = policy("http://127.0.0.1:9", outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            await ask(gateway, "chat", stream=False)
            await ask(gateway, "chat", stream=False, said=f"Hello! {SAID}")
            mine = gateway.key
            gateway.key = another_key(redis_url, home, org)
            stranger = await ask(gateway, "chat", stream=False)
            (theirs,) = {tuple(_placeholders(outside.requests[0].body))}
            injected = f"Write to {theirs[0]} and {MAIL}, thanks."
            looked = await ask(gateway, "chat", stream=False, said=injected)
            gateway.key = mine
            seen = [_placeholders(request.body) for request in outside.requests[:3]]

    assert words("chat", stranger, stream=False) == SAID
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    # What a user writes that looks like a placeholder stays what it is.
    assert words("chat", looked, stream=False) == injected


async def test_what_masking_leaves_sensitive_stays_home(
    redis_url: str, home: Path, org: str
) -> None:
    """Only what is hidden lowers the level: a card beside the mail keeps the request inside."""
    async with ScriptedUpstream(echo("chat")) as house, ScriptedUpstream(echo("chat")) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            card = f"Write to {MAIL} about card 4111 1111 1111 1111, thanks."
            answer = await ask(gateway, "chat", stream=False, said=card)

    assert answer.headers["x-fairlead-deployment"] == "house"
    assert outside.connections == 0
    assert MAIL.encode() not in house.requests[0].body


async def test_a_declared_level_is_not_lowered(redis_url: str, home: Path, org: str) -> None:
    """Who says that a request is confidential knows more than was found in it."""
    async with ScriptedUpstream(echo("chat")) as house, ScriptedUpstream(echo("chat")) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            body = {"model": "auto", "messages": [{"role": "user", "content": SAID}]}
            answer = await gateway.chat(
                body=json.dumps(body).encode(),
                headers=[(b"x-fairlead-sensitivity", b"confidential")],
            )

    assert answer.headers["x-fairlead-deployment"] == "house"
    assert outside.connections == 0


async def test_masked_text_that_is_still_sensitive_is_decided_again(
    redis_url: str, home: Path, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A masking that does not mask opens no door: the second judgement says so in time."""
    monkeypatch.setattr("gateway.runtime.veil.mask", _mask_nothing)
    async with ScriptedUpstream(echo("chat")) as house, ScriptedUpstream(echo("chat")) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await ask(gateway, "chat", stream=False)
            (record,) = gateway.audit()

    assert answer.headers["x-fairlead-deployment"] == "house"
    assert outside.connections == 0
    assert record.sensitivity == "restricted"


def another_key(redis_url: str, home: Path, org: str) -> str:
    """A key of another caller in the same org."""
    client = open_client(redis_url)
    issued = KeyBook(client, load_pepper(home)).create(NewKey(org=org, team="others"))
    client.close()
    return issued.text


def _mask_nothing(*_: object) -> Any:
    return Masked(hidden={})


def _placeholders(body: bytes) -> set[str]:
    return set(PLACEHOLDER.findall(body.decode()))
