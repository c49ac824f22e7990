"""Idempotency keys: one call upstream and one answer for everyone who asks the same again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.runtime.idempotency import fingerprint_of
from gateway.stores.connection import RedisConnection
from gateway.stores.idempotency import Claim, IdempotencyStore
from gateway.stores.pepper import load_pepper
from tests.e2e.inprocess import InProcessGateway, Response, gateway_with
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_small as small
from tests.upstreams.scripted import Answering, ScriptedUpstream


@asynccontextmanager
async def before(
    script: Answering, *more: Answering, redis_url: str, home: Path, org: str, timeout: float = 60.0
) -> AsyncIterator[tuple[InProcessGateway, ScriptedUpstream]]:
    """A gateway before one scripted server."""
    async with ScriptedUpstream(script, *more) as server:
        rules = f"""
fairlead: 1
defaults: {{retries: 0, request_timeout_seconds: {timeout}}}
deployments:
  server:
    adapter: openai_compatible
    base_url: "{server.url}/v1"
    model: gpt
    clearance: internal
    price: {{input_usd_per_mtok: 2, output_usd_per_mtok: 8}}
aliases: {{auto: {{}}}}
routes: [{{id: all, use: [server]}}]
"""
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            yield gateway, server


async def ask(
    gateway: InProcessGateway, key: str = "once", text: str = "hello", **f: Any
) -> Response:
    return await gateway.chat(text, headers=[(b"idempotency-key", key.encode())], **f)


def replayed(answer: Response) -> bool:
    return answer.headers.get("x-fairlead-idempotent-replay") == "true"


def without_mark(answer: Response) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k != "x-fairlead-idempotent-replay"}


@pytest.mark.parametrize("stream", [False, True])
async def test_the_same_request_twice_is_one_call_and_one_answer(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """Status, headers and bytes of the first come again, marked; money is spent once."""
    script = chat.either(chat.answer(), chat.stream())
    async with before(script, redis_url=redis_url, home=home, org=org) as (gateway, server):
        first = await ask(gateway, stream=stream)
        second = await ask(gateway, stream=stream)
        lines = gateway.ledger()

    assert (first.status, replayed(first)) == (200, False)
    assert (second.status, replayed(second)) == (200, True)
    assert second.body == first.body
    assert without_mark(second) == first.headers
    assert len(server.requests) == len(lines) == 1


async def test_every_post_of_the_data_plane_takes_a_key(
    redis_url: str, home: Path, org: str
) -> None:
    """Embeddings and completions as well; the path is part of what was asked."""
    async with before(small.embeddings(), redis_url=redis_url, home=home, org=org) as (
        gateway,
        server,
    ):
        body = json.dumps({"model": "auto", "input": "hello"}).encode()
        first, second = [await ask(gateway, path="/v1/embeddings", body=body) for _ in range(2)]
        elsewhere = await ask(gateway, path="/v1/completions", body=body)

    assert (replayed(first), replayed(second), second.body) == (False, True, first.body)
    assert elsewhere.status == 409
    assert len(server.requests) == 1


async def test_another_body_under_the_same_key_is_refused(
    redis_url: str, home: Path, org: str
) -> None:
    """409 in the client's dialect, and nobody is called."""
    async with before(chat.answer(), redis_url=redis_url, home=home, org=org) as (gateway, server):
        await ask(gateway, text="one")
        other = await ask(gateway, text="two")

    assert other.status == 409
    assert other.json["error"]["code"] == "idempotency_key_reused"
    assert other.headers["x-should-retry"] == "false"
    assert len(server.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_concurrent_duplicates_make_one_call_and_all_get_its_answer(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """Whether they come before the first byte or in the middle."""
    script = chat.either(chat.answer(before=0.2), chat.stream(pause=0.05))
    async with before(script, redis_url=redis_url, home=home, org=org) as (gateway, server):
        answers = await asyncio.gather(*(ask(gateway, stream=stream) for _ in range(8)))
        lines = gateway.ledger()

    assert len(server.requests) == len(lines) == 1
    assert sorted(map(replayed, answers)) == [False, *[True] * 7]
    assert len({answer.body for answer in answers}) == 1
    assert {answer.status for answer in answers} == {200}


async def test_a_failure_is_not_kept_and_a_refusal_of_the_request_is(
    redis_url: str, home: Path, org: str
) -> None:
    """What may go better next time is tried again; what cannot is not."""
    broken, busy, wrong = chat.error(500), chat.error(429), chat.error(400, message="no such tool")
    async with before(
        broken, busy, wrong, chat.answer(), redis_url=redis_url, home=home, org=org
    ) as (gateway, server):
        statuses = [(await ask(gateway)).status for _ in range(4)]
        last = await ask(gateway)

    assert statuses == [502, 429, 400, 400]
    assert replayed(last)
    assert "no such tool" in last.json["error"]["message"]
    assert len(server.requests) == 3


async def test_a_stream_that_broke_is_not_replayed(redis_url: str, home: Path, org: str) -> None:
    """Half an answer is nobody's answer."""
    broken = chat.stream(ending="cut", cut_after=3)
    async with before(broken, chat.stream(), redis_url=redis_url, home=home, org=org) as (
        gateway,
        server,
    ):
        first = await ask(gateway, stream=True)
        second = await ask(gateway, stream=True)

    assert b'"error"' in first.body
    assert second.body.endswith(b"data: [DONE]\n\n")
    assert not replayed(second)
    assert len(server.requests) == 2


async def test_when_the_first_client_leaves_the_next_in_the_queue_takes_over(
    redis_url: str, home: Path, org: str
) -> None:
    """Nobody waits for an answer that nobody makes."""
    slow = chat.stream(["word "] * 200, pause=0.05)
    async with before(slow, chat.stream(), redis_url=redis_url, home=home, org=org) as (
        gateway,
        server,
    ):
        leaving = asyncio.create_task(ask(gateway, stream=True, leave_after=0.4))
        await server.received(1)
        waiting = await ask(gateway, stream=True)
        await leaving
        lines = gateway.ledger()

    assert waiting.status == 200
    assert waiting.body.endswith(b"data: [DONE]\n\n")
    assert [line.outcome for line in lines] == ["cancelled", "ok"]


async def test_a_client_that_leaves_the_queue_leaves_no_trace(
    redis_url: str, home: Path, org: str
) -> None:
    """It neither disturbs the first one nor costs anything."""
    slow = chat.answer(before=1.0)
    async with before(slow, redis_url=redis_url, home=home, org=org) as (gateway, server):
        first = asyncio.create_task(ask(gateway))
        await server.received(1)
        gone = await ask(gateway, leave_after=0.05)
        answer = await first
        lines = gateway.ledger()

    assert gone.status == 0
    assert answer.status == 200
    assert len(lines) == 1


async def test_who_has_waited_long_enough_is_told_so(redis_url: str, home: Path, org: str) -> None:
    """409 with a wait, not an endless connection."""
    slow = chat.answer(before=0.6)
    async with before(slow, redis_url=redis_url, home=home, org=org, timeout=0.3) as (gateway, _):
        _, second = await asyncio.gather(ask(gateway), ask(gateway))

    assert (second.status, second.json["error"]["code"]) in [
        (409, "idempotency_still_running"),
        # The first one's own time may be over a moment earlier.
        (504, "deadline_exceeded"),
    ]


async def test_a_gateway_that_died_blocks_its_key_only_for_its_lease(
    redis_url: str, home: Path, org: str
) -> None:
    """Whoever waits takes over a claim that nobody renews."""
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "hello"}]}'
    connection = RedisConnection(redis_url)
    async with before(chat.answer(), redis_url=redis_url, home=home, org=org) as (gateway, server):
        caller = await gateway.services.keys.resolve(gateway.key)
        fingerprint = fingerprint_of(caller, "/v1/chat/completions", body)
        dead = IdempotencyStore(connection, load_pepper(home))
        claim = await dead.claim(org, caller.key_id, "once", fingerprint, 0.3)
        answer = await ask(gateway, body=body)
    await connection.close()

    assert isinstance(claim, Claim)
    assert answer.status == 200
    assert not replayed(answer)
    assert len(server.requests) == 1


async def test_an_answer_that_is_too_large_is_not_kept_and_says_so(
    redis_url: str, home: Path, org: str
) -> None:
    """The header is on the answer itself; the next request calls again."""
    large = chat.answer("x" * 1_100_000)
    async with before(large, redis_url=redis_url, home=home, org=org) as (gateway, server):
        first = await ask(gateway)
        second = await ask(gateway)

    assert first.headers["x-fairlead-idempotent-kept"] == "false"
    assert not replayed(second)
    assert len(server.requests) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "with\ttab"])
async def test_a_key_that_is_none_is_refused(
    redis_url: str, home: Path, org: str, key: str
) -> None:
    """Instead of being served without the promise that was asked for."""
    async with before(chat.answer(), redis_url=redis_url, home=home, org=org) as (gateway, server):
        answer = await ask(gateway, key=key)

    assert answer.status == 400
    assert answer.json["error"]["param"] == "idempotency-key"
    assert server.connections == 0


async def test_a_stranger_learns_nothing_from_anothers_key(
    redis_url: str, home: Path, org: str
) -> None:
    """Another virtual key of the same org gets an answer of its own."""
    rules_of = {"redis_url": redis_url, "home": home, "org": org}
    async with before(chat.answer("mine"), **rules_of) as (gateway, _):  # type: ignore[arg-type]
        await ask(gateway)
    async with before(chat.answer("yours"), **rules_of) as (gateway, _):  # type: ignore[arg-type]
        answer = await ask(gateway)

    assert not replayed(answer)
    assert answer.json["choices"][0]["message"]["content"] == "yours"
