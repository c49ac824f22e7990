"""Conversations by id: judged whole, kept in time, and never told to another backend's vendor."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.core.errors import InvalidRequest
from gateway.core.principal import Principal
from gateway.core.sensitivity import Sensitivity
from gateway.stores import names
from gateway.stores.endpoint import open_client
from tests.e2e.inprocess import InProcessGateway, Response, gateway_with
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_responses as responses
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

CARD = "my card is 4111 1111 1111 1111"


def numbered(received: Received) -> Script:
    """Answers under a fresh id each time, as real servers do."""
    response_id = f"resp_{received.at:.9f}".replace(".", "")
    make = responses.stream if received.json.get("stream") else responses.answer
    return make(response_id=response_id)(received)


ANSWERS = chat.either(chat.answer(), chat.stream())


def policy(house: str, frontier: str, extra: str = "") -> str:
    """A home that speaks chat, cleared for everything, and an outside that speaks Responses."""
    return f"""
fairlead: 1
defaults: {{retries: 0}}
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
    model: gpt
    clearance: confidential
    price: {{input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}
    options: {{responses_path: /responses}}
aliases:
  auto: {{}}
routes:
  - {{id: outside-first, use: [frontier, house]}}
{extra}
"""


async def ask(
    gateway: InProcessGateway,
    asked: object,
    previous: str | None = None,
    headers: list[tuple[bytes, bytes]] | None = None,
    **fields: Any,
) -> Response:
    body = {"model": "auto", "input": asked, "previous_response_id": previous, **fields}
    return await gateway.chat(
        path="/v1/responses", body=msgspec.json.encode(body), headers=headers or ()
    )


def streamed(answer: Response) -> list[dict[str, Any]]:
    return [
        json.loads(block.split("data: ", 1)[1])
        for block in answer.body.decode().split("\n\n")
        if "data: " in block
    ]


async def test_a_harmless_question_after_a_card_number_stays_home(
    redis_url: str, home: Path, org: str
) -> None:
    """The whole history is judged, not the last line."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            first = await ask(gateway, "hello")
            second = await ask(gateway, CARD, first.json["id"])
            third = await ask(gateway, "thank you", second.json["id"])
            fresh = await ask(gateway, "thank you")
            levels = [record.sensitivity for record in gateway.audit()]

    assert levels == ["internal", "restricted", "restricted", "internal"]
    assert [a.headers["x-fairlead-deployment"] for a in (first, second, third, fresh)] == [
        "frontier",
        "house",
        "house",
        "frontier",
    ]
    assert all(b"4111" not in request.body for request in outside.requests)
    assert [m["role"] for m in house.requests[-1].json["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]


async def test_a_declared_level_lasts_for_the_conversation(
    redis_url: str, home: Path, org: str
) -> None:
    """What a client once called restricted is not sent outside a turn later."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            raised = [(b"x-fairlead-sensitivity", b"restricted")]
            first = await ask(gateway, "our plans", headers=raised)
            second = await ask(gateway, "go on", first.json["id"])

    assert second.headers["x-fairlead-sensitivity"] == "restricted"
    assert outside.connections == 0


async def test_masking_reaches_the_history(redis_url: str, home: Path, org: str) -> None:
    """An address said two turns ago is hidden as one said now."""
    extra = "constraints:\n  - {id: hide, because: GDPR., when: {findings: [email]}, mask: [email]}"
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url, extra)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            first = await ask(gateway, "I am ada.berg@kanzlei-berg.de")
            second = await ask(gateway, "and what is my address?", first.json["id"])

    assert second.status == 200
    sent = b"".join(request.body for request in (*outside.requests, *house.requests))
    assert b"ada.berg@kanzlei-berg.de" not in sent
    placeholders = re.findall(rb"\[EMAIL-[A-Z]{6}\]", sent)
    assert len(placeholders) == 2
    assert len(set(placeholders)) == 1


@pytest.mark.parametrize("alias", ["frontier", "house"])
async def test_a_client_may_continue_the_moment_it_read_the_end(
    redis_url: str, home: Path, org: str, alias: str
) -> None:
    """The turn is stored before its last event leaves, but the first byte does not wait for it."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            redis = open_client(redis_url)
            stored_by: list[int] = []

            def on_chunk(chunk: bytes) -> None:
                if chunk:
                    kept = list(redis.scan_iter(names.stored_response(org, "*")))
                    stored_by.append(len(kept))

            answer = await watched(gateway, on_chunk, model=alias)
            redis.close()
            last = streamed(answer)[-1]
            again = await ask(gateway, "go on", last["response"]["id"], model=alias)

    assert last["type"] == "response.completed"
    assert stored_by[0] == 0
    assert stored_by[-1] == 1
    assert again.status == 200


async def watched(
    gateway: InProcessGateway, on_chunk: Callable[[bytes], None], **fields: Any
) -> Response:
    """A streamed answer whose chunks are looked at as they come."""

    seen = Response()

    async def receive() -> dict[str, Any]:
        body = msgspec.json.encode({"model": "auto", "input": "hi", "stream": True, **fields})
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            return
        on_chunk(message["body"])
        seen.chunks.append(message["body"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/responses",
        "headers": [(b"authorization", b"Bearer " + gateway.key.encode())],
    }
    await gateway._plane.routes["POST", "/v1/responses"](scope, receive, send)
    return seen


async def test_a_conversation_continues_while_it_is_told_elsewhere(
    redis_url: str, home: Path, org: str
) -> None:
    """Branches of one response do not see each other."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            root = await ask(gateway, "root")
            left, right = await asyncio.gather(
                ask(gateway, "left", root.json["id"]), ask(gateway, "right", root.json["id"])
            )
            leaf = await ask(gateway, "leaf", left.json["id"])

    assert right.status == leaf.status == 200
    sent = outside.requests[-1].body
    assert b"root" in sent
    assert b"left" in sent
    assert b"right" not in sent


async def test_unknown_expired_and_deleted_responses_cannot_be_continued(
    redis_url: str, home: Path, org: str
) -> None:
    """In OpenAI's words, and nothing is sent anywhere."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            first = await ask(gateway, "one")
            second = await ask(gateway, "two", first.json["id"])
            caller = Principal(key_id="k", org=org)
            await gateway.services.conversations.delete(caller, first.json["id"])
            refused = [
                await ask(gateway, "x", name)
                for name in (second.json["id"], first.json["id"], "resp_x", "no id", "")
            ]

    assert len(outside.requests) == 3  # the empty id continues nothing
    assert [answer.status for answer in refused] == [400, 400, 400, 400, 200]
    assert all(
        answer.json["error"]["code"] == "previous_response_not_found" for answer in refused[:4]
    )
    assert refused[0].json["error"]["param"] == "previous_response_id"
    assert refused[0].json["error"]["type"] == "invalid_request_error"


async def test_a_key_for_harmless_things_does_not_see_what_was_restricted(
    redis_url: str, home: Path, org: str
) -> None:
    """Nor may it delete it: to that key of the same org it does not exist."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            kept = (await ask(gateway, CARD)).json["id"]
            conversations = gateway.services.conversations
            low = Principal(key_id="k", org=org, max_sensitivity=Sensitivity.INTERNAL)
            for seeing in (conversations.show, conversations.input_items, conversations.delete):
                with pytest.raises(InvalidRequest) as refused:
                    await seeing(low, kept)
                assert refused.value.http_status == 404
            shown = await conversations.show(Principal(key_id="k", org=org), kept)

    assert json.loads(shown)["id"] == kept


async def test_items_may_be_sent_as_references(redis_url: str, home: Path, org: str) -> None:
    """SDKs that know their answers are stored send ids; the backend gets the items."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            first = await ask(gateway, "one", model="house")
            item = {"type": "item_reference", "id": first.json["output"][0]["id"]}
            again = await ask(gateway, [item, {"role": "user", "content": "two"}])
            unknown = await ask(gateway, [{"type": "item_reference", "id": "msg_x"}])
    sent = outside.requests[0].json["input"]

    assert again.status == 200
    assert sent[0]["content"][0]["text"] == "Hello from the upstream."
    assert b"item_reference" not in outside.requests[0].body
    assert unknown.status == 404
    assert unknown.json["error"]["param"] == "input[0]"


async def test_a_conversation_has_the_bound_of_a_request(
    redis_url: str, home: Path, org: str
) -> None:
    """It cannot grow turn by turn beyond what one request may be."""
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org, max_body_bytes=2000) as gateway:
            first = await ask(gateway, "long " * 300)
            second = await ask(gateway, "long " * 300, first.json["id"])

    assert (first.status, second.status) == (200, 413)


@pytest.mark.parametrize("flat", [True, False])
async def test_a_stream_that_breaks_ends_with_a_numbered_error(
    redis_url: str, home: Path, org: str, flat: bool
) -> None:
    """After content nothing falls back, nothing completes, and nothing can be continued."""
    broken = responses.failing_stream(after=["Hel", "lo"], flat=flat)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(broken) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await ask(gateway, "hi", stream=True)
            (line,) = gateway.ledger()
            again = await ask(gateway, "go on", responses.ID)
    events = streamed(answer)

    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["message"] == events[-1]["message"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert b"response.completed" not in answer.body
    assert (line.outcome, line.usage.estimated) == ("server_error", True)
    assert line.cost_nanousd > 0
    assert again.status == 400


async def test_a_stream_cut_behind_a_translation_ends_with_a_numbered_error(
    redis_url: str, home: Path, org: str
) -> None:
    """The same where the gateway wrote the events itself."""
    cut = chat.stream(["Hel", "lo"], cut_after=3, ending="cut")
    async with ScriptedUpstream(cut) as house, ScriptedUpstream(numbered) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await ask(gateway, "hi", stream=True, model="house")
    events = streamed(answer)

    assert events[-1]["type"] == "error"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


async def test_a_failure_before_content_falls_back(redis_url: str, home: Path, org: str) -> None:
    """The client sees one whole stream, of the other wire."""
    failing = responses.failing_stream()
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(failing) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await ask(gateway, "hi", stream=True)
            outcomes = [attempt.outcome for attempt in gateway.audit()[0].attempts]
    events = streamed(answer)

    assert outcomes == ["server_error", "ok"]
    assert [event["type"] for event in events].count("response.created") == 1
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["model"] == "llama"


async def test_usage_is_booked_from_the_last_event(redis_url: str, home: Path, org: str) -> None:
    """As told, by class; and estimated, saying so, where nothing was told."""
    told = responses.stream(used=(100, 7, 90))
    silent = responses.stream(used=None)
    async with ScriptedUpstream(ANSWERS) as house, ScriptedUpstream(told, silent) as outside:
        rules = policy(house.url, outside.url)
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            for _ in range(2):
                await ask(gateway, "hi", stream=True)
            first, second = gateway.ledger()

    assert (first.usage.input_tokens, first.usage.cached_input_tokens) == (100, 90)
    assert not first.usage.estimated
    assert second.usage.estimated
    assert second.usage.output_tokens > 0
