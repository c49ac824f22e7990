"""Manners: waits, keys, headers and what a caller may not decide."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path

import pytest
import structlog

from tests.e2e.inprocess import gateway_with
from tests.regressions.policies import servers
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Script, ScriptedUpstream

SECRET = "sk-very-secret-upstream-key"


async def test_a_backends_wait_is_kept_before_it_is_asked_again(
    redis_url: str, home: Path, org: str
) -> None:
    """`retry-after-ms` of a 429 is honoured by our own retry."""
    busy = chat.error(429, headers=(("retry-after-ms", "300"),))
    async with (
        ScriptedUpstream(busy, chat.answer()) as one,
        gateway_with(servers(one.url, retries=1), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat()

    assert answer.status == 200
    assert one.requests[1].at - one.requests[0].at >= 0.3


async def test_a_wait_that_is_too_long_is_the_callers_to_wait(
    redis_url: str, home: Path, org: str
) -> None:
    """An hour is not slept through with the connection open."""
    busy = chat.error(429, headers=(("retry-after", "3600"),))
    async with (
        ScriptedUpstream(busy) as one,
        gateway_with(servers(one.url, retries=3), redis_url, home, org=org) as gateway,
        asyncio.timeout(10),
    ):
        answer = await gateway.chat()

    assert (answer.status, answer.headers["retry-after"]) == (429, "3600")
    assert len(one.requests) == 1


async def test_an_exhausted_account_is_no_rate_limit(redis_url: str, home: Path, org: str) -> None:
    """`insufficient_quota` comes as a 429, and no retry helps."""
    broke = chat.error(429, "insufficient_quota", "insufficient_quota")
    async with (
        ScriptedUpstream(broke) as one,
        ScriptedUpstream(chat.answer()) as two,
        gateway_with(servers(one.url, two.url, retries=3), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat()

    assert answer.headers["x-fairlead-deployment"] == "two"
    assert len(one.requests) == 1


async def test_a_key_is_never_in_an_error_a_log_line_or_a_repr(
    redis_url: str, home: Path, org: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails: a refused connection, an error that quotes the key, a bug of ours."""
    quoting = chat.error(500, message=f"Incorrect API key provided: {SECRET}")
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as lines:
        async with ScriptedUpstream(quoting) as one:
            rules = servers(one.url, "http://127.0.0.1:9").replace(
                "model: gpt", 'model: gpt\n    api_key: "env:UPSTREAM_KEY"'
            )
            environ = {"UPSTREAM_KEY": SECRET}
            async with gateway_with(rules, redis_url, home, org=org, environ=environ) as gateway:
                answer = await gateway.chat()
                adapters = gateway.services.rulings.current.adapters
                shown = [repr(adapter) + repr(vars(adapter)) for adapter in adapters.values()]
                shown.append(repr(gateway.services.rulings.current.policy))
                shown += [repr(one) for one in (*gateway.ledger(), *gateway.audit())]
                try:
                    await adapters["one"].open(None)  # type: ignore[arg-type]
                except AttributeError as error:
                    # The test's own frame knows the key; those below it must not show it.
                    below = error.__traceback__.tb_next if error.__traceback__ else None
                    frames = traceback.TracebackException(
                        AttributeError, error, below, capture_locals=True
                    )
                    shown += frames.format()
        sent = one.requests[0].header("authorization")

    assert sent == f"Bearer {SECRET}"
    told = [answer.body.decode(), str(answer.headers), caplog.text, str(lines), *shown]
    assert not [text for text in told if SECRET in text]


async def test_a_model_name_cannot_inject_a_header(redis_url: str, home: Path, org: str) -> None:
    """What a caller writes never becomes a line of a response head."""
    async with (
        ScriptedUpstream(chat.answer()) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        wrong = await gateway.chat(model="auto\r\nx-injected: 1")
        tagged = await gateway.chat(headers=[(b"x-fairlead-tags", b"case=a\r\nx-injected: 1")])
        backend = await gateway.chat(headers=[(b"openai-beta", b"a\r\nx-injected: 1")])

    for answer in (wrong, tagged, backend):
        heads = "".join(f"{name}{text}" for name, text in answer.headers.items())
        assert "\r" not in heads
        assert "\n" not in heads
    assert not [one for one in one.requests if one.header("x-injected")]


async def test_a_backends_header_cannot_inject_one_either(
    redis_url: str, home: Path, org: str
) -> None:
    """Control characters in a limit are not passed on."""
    odd = Script(
        headers=(
            ("content-type", "application/json"),
            ("x-ratelimit-limit-requests", "1\x0bset-cookie: a"),
        ),
        pieces=(b'{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}',),
    )
    async with (
        ScriptedUpstream(odd) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat()

    assert "x-ratelimit-limit-requests" not in answer.headers


@pytest.mark.parametrize("name", ["api_base", "base_url", "api_key", "custom_llm_provider"])
async def test_a_caller_cannot_choose_where_its_request_goes(
    redis_url: str, home: Path, org: str, name: str
) -> None:
    """Fields that other gateways obey are only bytes to us: no request leaves for them."""
    async with (
        ScriptedUpstream(chat.answer()) as one,
        ScriptedUpstream(chat.answer()) as elsewhere,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(**{name: f"{elsewhere.url}/v1"})

    assert answer.status == 200
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "sent", [b"", b"Bearer ", b"Bearer null", b"Bearer sk-proj-123", b"Basic eDp5"]
)
async def test_a_failed_authentication_is_never_somebody(
    redis_url: str, home: Path, org: str, sent: bytes
) -> None:
    """No key, an empty one, a foreign one: 401, and nothing leaves."""
    async with (
        ScriptedUpstream(chat.answer()) as one,
        gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(headers=[(b"authorization", sent)])

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert one.connections == 0


async def test_a_redirect_is_not_followed(redis_url: str, home: Path, org: str) -> None:
    """A backend cannot send a prompt and its key elsewhere."""
    async with ScriptedUpstream(chat.answer()) as elsewhere:
        moved = Script(status=307, headers=(("location", f"{elsewhere.url}/v1/chat/completions"),))
        async with (
            ScriptedUpstream(moved) as one,
            gateway_with(servers(one.url), redis_url, home, org=org) as gateway,
        ):
            answer = await gateway.chat()

    assert answer.status == 502
    assert elsewhere.connections == 0
