"""What crosses between a client's headers and a backend's, and what never does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.inprocess import gateway_with
from tests.upstreams import anthropic_messages as messages
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Answering, Received, Script, ScriptedUpstream

KEY = {"ANTHROPIC_API_KEY": "sk-ant-scripted"}
#: Of a client; none of it is the backend's business.
CLIENTS = {
    b"connection": b"keep-alive, x-secret",
    b"keep-alive": b"timeout=5",
    b"proxy-authorization": b"Basic c2VjcmV0",
    b"te": b"trailers",
    b"transfer-encoding": b"identity",
    b"upgrade": b"h2c",
    b"cookie": b"session=secret",
    b"host": b"internal.example",
    b"forwarded": b"for=10.0.0.7",
    b"x-forwarded-for": b"10.0.0.7",
    b"x-real-ip": b"10.0.0.7",
    b"x-api-key": b"secret",
    b"openai-organization": b"org-secret",
    b"openai-project": b"proj-secret",
    b"idempotency-key": b"secret-once",
    b"x-fairlead-tags": b"case=secret",
    b"x-fairlead-session": b"secret",
    b"x-stainless-os": b"Linux",
    b"x-secret": b"secret",
    b"user-agent": b"secret-client/1",
    b"referer": b"http://internal.example/secret",
    b"traceparent": b"00-secret",
}
#: Of a backend; none of it is the client's business.
BACKENDS = (
    ("set-cookie", "session=theirs"),
    ("server", "theirs"),
    ("via", "1.1 theirs"),
    ("keep-alive", "timeout=theirs"),
    ("x-request-id", "theirs"),
    ("openai-organization", "theirs"),
    ("x-fairlead-deployment", "theirs"),
    ("x-internal", "theirs"),
    ("cf-ray", "theirs"),
    ("proxy-authenticate", "theirs"),
)
LIMITS = (("x-ratelimit-remaining-requests", "9"), ("x-ratelimit-reset-requests", "6m0s"))
ANTHROPIC_LIMITS = (
    ("anthropic-ratelimit-requests-remaining", "9"),
    ("anthropic-ratelimit-requests-reset", "2099-01-01T00:00:00Z"),
)


def policy(
    url: str, claude: str = "", *, use: str = "server", extra: str = "", retries: int = 0
) -> str:
    text = f"""
fairlead: 1
defaults: {{retries: {retries}{extra}}}
deployments:
  server:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: gpt
    clearance: internal
    price: {{input_usd_per_mtok: 2, output_usd_per_mtok: 8}}
"""
    if claude:
        text += f"""
  claude:
    adapter: anthropic
    base_url: "{claude}"
    model: claude-sonnet-5
    api_key: "env:ANTHROPIC_API_KEY"
    clearance: internal
    price: {{input_usd_per_mtok: 3, output_usd_per_mtok: 15}}
"""
    return text + f"aliases: {{auto: {{}}}}\nroutes:\n  - {{id: all, use: [{use}]}}\n"


def with_headers(script: Answering, *added: tuple[str, str]) -> Answering:
    """The same answer with further headers."""

    def play(received: Received) -> Script:
        made = script(received) if callable(script) else script
        return replace(made, headers=(*made.headers, *added))

    return play


ANSWERS = chat.either(chat.answer(), chat.stream())


@pytest.mark.parametrize("stream", [False, True])
async def test_only_limits_cross_and_each_side_keeps_its_own_headers(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """Nothing of the client's headers reaches the backend, nothing internal comes back."""
    script = with_headers(ANSWERS, *LIMITS, *BACKENDS, ("openai-version", "2020-10-01"))
    headers = {**CLIENTS, b"openai-beta": b"assistants=v2"}
    async with (
        ScriptedUpstream(script) as server,
        gateway_with(policy(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await gateway.chat(stream=stream, headers=headers.items())
        sent = server.requests[0]

    names = {name.lower() for name, _ in sent.headers}
    assert answer.status == 200
    assert names == {
        *("host", "accept", "accept-encoding", "content-type", "content-length", "user-agent"),
        "openai-beta",
    }
    assert b"secret" not in sent.raw_head
    assert answer.headers["x-ratelimit-remaining-requests"] == "9"
    assert answer.headers["x-ratelimit-reset-requests"] == "6m0s"
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["x-request-id"] == answer.headers["x-fairlead-request-id"]
    assert int(answer.headers["openai-processing-ms"]) > 0
    assert "theirs" not in json.dumps(answer.headers)


async def test_another_dialects_limits_are_translated(redis_url: str, home: Path, org: str) -> None:
    """An OpenAI client before Claude reads OpenAI's headers."""
    script = with_headers(messages.answer(), *ANTHROPIC_LIMITS, *BACKENDS)
    async with ScriptedUpstream(script) as claude:
        rules = policy("http://127.0.0.1:9", claude.url, use="claude")
        async with gateway_with(rules, redis_url, home, org=org, environ=KEY) as gateway:
            answer = await gateway.chat()

    assert answer.headers["x-ratelimit-remaining-requests"] == "9"
    assert answer.headers["x-ratelimit-reset-requests"].endswith("s")
    assert not [name for name in answer.headers if name.startswith("anthropic-")]


async def test_limits_of_an_attempt_that_failed_are_not_told(
    redis_url: str, home: Path, org: str
) -> None:
    """Only those of the deployment that served."""
    broken = with_headers(chat.error(200, "server_error"), *LIMITS)
    async with ScriptedUpstream(broken) as server, ScriptedUpstream(messages.answer()) as claude:
        rules = policy(server.url, claude.url, use="server, claude")
        async with gateway_with(rules, redis_url, home, org=org, environ=KEY) as gateway:
            answer = await gateway.chat()

    assert answer.headers["x-fairlead-deployment"] == "claude"
    assert not [name for name in answer.headers if "ratelimit" in name]


@pytest.mark.parametrize(
    ("status", "told", "expected"), [(429, 429, "rate_limit_exceeded"), (503, 503, "overloaded")]
)
async def test_a_busy_backends_own_wait_is_passed_on(
    redis_url: str, home: Path, org: str, status: int, told: int, expected: str
) -> None:
    """The shortest wait of all candidates, as whole seconds, and that trying again makes sense."""
    long = chat.error(status, headers=(("retry-after", "90"),))
    short = Script(status=status, headers=(("retry-after-ms", "41500"),))
    async with ScriptedUpstream(long) as server, ScriptedUpstream(short) as claude:
        rules = policy(server.url, claude.url, use="server, claude", retries=1)
        async with gateway_with(rules, redis_url, home, org=org, environ=KEY) as gateway:
            answer = await gateway.chat()

    assert answer.status == told
    assert answer.json["error"]["code"] == expected
    assert answer.headers["retry-after"] == "42"
    assert answer.headers["x-should-retry"] == "true"


async def test_what_was_lost_is_told_without_the_callers_own_words(
    redis_url: str, home: Path, org: str
) -> None:
    """Policy records: pointers in a header and in the audit log, made-up keys as stars."""
    async with ScriptedUpstream(messages.answer()) as claude:
        rules = policy("http://127.0.0.1:9", claude.url, use="claude")
        async with gateway_with(rules, redis_url, home, org=org, environ=KEY) as gateway:
            odd = {f"own_field_{n}": 1 for n in "abcdefghijklmnopqrstuvwxyz"}
            few = await gateway.chat(n=2, **{"Jane Roe\r\nset-cookie: a": 1})
            many = await gateway.chat(**odd)
            record = gateway.audit()[0]

    assert few.status == 200
    assert few.headers["x-fairlead-lossy"].split(",") == ["/n", "/*"]
    assert record.lossy == ("/n", "/*")
    assert len(many.headers["x-fairlead-lossy"].split(",")) == 21


async def test_policy_can_refuse_what_a_wire_cannot_carry_whole(
    redis_url: str, home: Path, org: str
) -> None:
    """The next candidate that carries it serves; without one the refusal names the pointers."""
    async with ScriptedUpstream(ANSWERS) as server, ScriptedUpstream(messages.answer()) as claude:
        both = policy(server.url, claude.url, use="claude, server", extra=", on_lossy: refuse")
        async with gateway_with(both, redis_url, home, org=org, environ=KEY) as gateway:
            served = await gateway.chat(n=2)
            lines = gateway.ledger()
        alone = policy(server.url, claude.url, use="claude", extra=", on_lossy: refuse")
        async with gateway_with(alone, redis_url, home, org=org, environ=KEY) as gateway:
            refused = await gateway.chat(n=2, logit_bias={"1": 5})
            carried = await gateway.chat()
        own_word = alone.replace("model: claude", "on_lossy: record\n    model: claude")
        async with gateway_with(own_word, redis_url, home, org=org, environ=KEY) as gateway:
            recorded = await gateway.chat(n=2)

    assert served.headers["x-fairlead-deployment"] == "server"
    assert "x-fairlead-lossy" not in served.headers
    assert [(line.deployment, line.outcome, line.cost_nanousd > 0) for line in lines] == [
        ("claude", "lossy", False),
        ("server", "ok", True),
    ]
    assert refused.status == 400
    assert refused.json["error"]["code"] == "cannot_carry"
    assert "/n, /logit_bias" in refused.json["error"]["message"]
    assert carried.status == 200
    assert recorded.headers["x-fairlead-lossy"] == "/n"
    assert len(claude.requests) == 2  # `carried` and `recorded`
