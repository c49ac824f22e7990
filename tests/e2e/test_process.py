"""The gateway as users run it: real processes, official SDK, real HTTP, real model."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
POLICY = """
fairlead: 1
deployments:
  scripted:
    adapter: openai_compatible
    base_url: "%s/v1"
    model: scripted-model
    clearance: restricted
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
  onboard:
    adapter: ctransformers
    model: fairlead-help
    clearance: restricted
    price: {gpu_hour_usd: 0.05, tokens_per_second: 200, utilisation: 0.1}
aliases:
  auto: {}
routes:
  - {id: scripted-first, use: [scripted, onboard]}
"""


def answering(received: Received) -> Script:
    """An OpenAI-wire server that answers tools with a call, schemas with JSON, else with text."""
    asked = received.json
    text, tools = "Hello from the upstream.", ()
    if asked.get("tools") and asked["messages"][-1]["role"] != "tool":
        tools = (("call_1", "get_weather", '{"city": "Paris"}'),)
    if asked.get("response_format", {}).get("type") == "json_schema":
        text = '{"city": "Paris", "degrees": 21}'
    whole, streamed = chat.answer(text, tools=tools), chat.stream(text, tools=tools)
    return (streamed if asked.get("stream") else whole)(received)


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    """The scripted backend of this module's gateway."""
    with upstream_thread(answering) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """One gateway process for the tests of this module."""
    home = tmp_path_factory.mktemp("gateway")
    started = GatewayProcess(home, POLICY % upstream.url).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    """A virtual key of that gateway."""
    return gateway.new_key()


@pytest.fixture
def client(gateway: GatewayProcess, key: str) -> Iterator[openai.OpenAI]:
    """The official SDK with `base_url` and key changed and nothing else."""
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0) as made:
        yield made


class Weather(BaseModel):
    """A structured answer."""

    city: str
    degrees: int


def ask(text: str = "hello") -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", ["auto", "onboard"])
def test_the_sdk_gets_a_whole_answer(client: openai.OpenAI, model: str) -> None:
    """Scripted upstream and built-in model alike, with usage and the routing headers."""
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=ask("What is Fairlead?"), max_tokens=40
    )
    answer = raw.parse()

    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert raw.headers["x-fairlead-deployment"] == ("scripted" if model == "auto" else "onboard")
    assert float(raw.headers["x-fairlead-cost-usd"]) > 0


@pytest.mark.parametrize("model", ["auto", "onboard"])
def test_the_sdk_streams(client: openai.OpenAI, model: str) -> None:
    """Chunks arrive in order, with usage at the end when it was asked for."""
    stream = client.chat.completions.create(
        model=model,
        messages=ask("What is Fairlead?"),
        stream=True,
        max_tokens=40,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.strip()
    assert chunks[-1].usage is not None
    assert len(chunks) > 3


@pytest.mark.parametrize("model", ["auto", "onboard"])
async def test_the_async_sdk_works_too(gateway: GatewayProcess, key: str, model: str) -> None:
    """Plain and streamed from an event loop."""
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key) as client:
        whole = await client.chat.completions.create(
            model=model, messages=ask("What is a clearance?"), max_tokens=30
        )
        stream = await client.chat.completions.create(
            model=model, messages=ask("What is a clearance?"), max_tokens=30, stream=True
        )
        parts = [c.choices[0].delta.content or "" async for c in stream if c.choices]

    assert whole.choices[0].message.content
    assert "".join(parts).strip()


def test_the_sdk_calls_tools_whole_and_streamed(client: openai.OpenAI) -> None:
    """A tool call comes back with its id, name and arguments, and its result is understood."""
    first = client.chat.completions.create(model="auto", messages=ask("weather?"), tools=[TOOL])  # type: ignore[list-item]
    call = first.choices[0].message.tool_calls[0]  # type: ignore[index]
    with client.chat.completions.stream(model="auto", messages=ask("weather?"), tools=[TOOL]) as s:  # type: ignore[list-item]
        streamed = s.get_final_completion().choices[0].message.tool_calls[0]  # type: ignore[index]
    told = [
        *ask("weather?"),
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    second = client.chat.completions.create(model="auto", messages=told, tools=[TOOL])  # type: ignore[list-item]

    assert json.loads(call.function.arguments) == {"city": "Paris"}  # type: ignore[union-attr]
    assert streamed.function.arguments == '{"city": "Paris"}'
    assert second.choices[0].message.content == "Hello from the upstream."


def test_the_built_in_model_calls_the_tool_that_is_forced(client: openai.OpenAI) -> None:
    """A forced call has the tool's name and arguments that fit its schema."""
    answer = client.chat.completions.create(
        model="onboard",
        messages=ask("weather in Paris?"),
        tools=[TOOL],  # type: ignore[list-item]
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        max_tokens=120,
    )
    call = answer.choices[0].message.tool_calls[0]  # type: ignore[index]

    assert call.function.name == "get_weather"  # type: ignore[union-attr]
    assert isinstance(json.loads(call.function.arguments)["city"], str)  # type: ignore[union-attr]


@pytest.mark.parametrize("model", ["auto", "onboard"])
def test_the_sdk_parses_a_structured_answer(client: openai.OpenAI, model: str) -> None:
    """A JSON schema is kept by the scripted upstream and by the built-in model."""
    answer = client.chat.completions.parse(
        model=model, messages=ask("weather in Paris?"), response_format=Weather, max_tokens=200
    )

    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_models_are_listed_in_the_shape_that_is_asked_for(
    gateway: GatewayProcess, client: openai.OpenAI, key: str
) -> None:
    """OpenAI's shape by default, Anthropic's when its version header is sent."""
    names = {model.id for model in client.models.list()}
    told = httpx2.get(
        f"{gateway.url}/v1/models",
        headers={"x-api-key": key, "anthropic-version": "2023-06-01"},
    ).json()

    assert names == {"auto", "scripted", "onboard"}
    assert {model["id"] for model in told["data"]} == names
    assert told["data"][0]["type"] == "model"
    assert client.models.retrieve("auto").id == "auto"


def post(gateway: GatewayProcess, content: bytes, key: str | None, path: str = "") -> Any:
    headers = {"content-type": "application/json"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    url = f"{gateway.url}{path or '/v1/chat/completions'}"
    return httpx2.post(url, content=content, headers=headers, timeout=60)


HELLO = b'{"model":"auto","messages":[{"role":"user","content":"hi"}]}'


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{broken", 400, "invalid_json"),
        (b"", 400, "invalid_request"),
        (b"\xff\xfe{}", 400, "invalid_utf8"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, 400, "too_deeply_nested"),
        (b'{"a":' + b"[" * 100_000, 400, "too_deeply_nested"),
        (HELLO[:-1] + b',"pad":"' + b"x" * 20_000_000 + b'"}', 413, "request_too_large"),
        (b'{"model":"auto","messages":"hi"}', 400, "invalid_type"),
        (b'{"model":"nothing","messages":[{"role":"user","content":"x"}]}', 404, "model_not_found"),
    ],
    ids=[
        "broken",
        "empty",
        "utf8",
        "nested",
        "very nested",
        "20 MB",
        "wrong type",
        "unknown model",
    ],
)
def test_a_bad_request_gets_its_status_in_openais_shape(
    gateway: GatewayProcess,
    upstream: ScriptedUpstream,
    key: str,
    content: bytes,
    status: int,
    code: str,
) -> None:
    """Right 4xx, right shape, and no model is bothered."""
    before = len(upstream.requests)
    answer = post(gateway, content, key)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert "Traceback" not in answer.text
    assert len(upstream.requests) == before


def test_a_key_must_be_known_fresh_and_whole(gateway: GatewayProcess, key: str) -> None:
    """Missing, wrong, expired and revoked keys are 401 and say which it is."""
    expired = gateway.new_key("--expires", "1s")
    revoked = gateway.json_command("keys", "create", "--team", "t", "--json")
    assert post(gateway, HELLO, revoked["key"]).status_code == 200
    gateway.command("keys", "revoke", revoked["id"])
    time.sleep(1.1)

    for bad in (None, "fl_nonsense", key[:-1] + ("a" if key[-1] != "a" else "b"), expired):
        answer = post(gateway, HELLO, bad)
        assert answer.status_code == 401, bad
        assert answer.json()["error"]["type"] == "authentication_error"
    assert post(gateway, HELLO, revoked["key"]).status_code == 401


def test_an_unknown_route_or_method_is_told_in_the_same_shape(
    gateway: GatewayProcess, key: str
) -> None:
    """404 and 405 are errors of the API, not pages."""
    missing = post(gateway, HELLO, key, "/v1/nothing")
    wrong = httpx2.get(f"{gateway.url}/v1/chat/completions")

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")


def test_explain_decides_without_calling_and_only_for_admins(
    gateway: GatewayProcess, upstream: ScriptedUpstream, key: str
) -> None:
    """A virtual key is not enough; the admin key gets every rule with its why."""
    admin = (gateway.home / "admin_key").read_text().strip()
    before = len(upstream.requests)
    told = post(gateway, HELLO, admin, "/admin/explain")

    assert post(gateway, HELLO, key, "/admin/explain").status_code == 401
    assert told.status_code == 200
    assert "scripted" in told.text
    given = post(gateway, b'{"given": {"team": "x"}}', admin, "/admin/explain")
    assert given.json()["api"] == "chat"
    wrong = post(gateway, b'{"given": {"tem": "x"}}', admin, "/admin/explain")
    assert (wrong.status_code, "did you mean 'team'?" in wrong.text) == (400, True)
    spoken = b'{"model": "auto", "input": "hello"}'
    assert post(gateway, spoken, admin, "/admin/explain").json()["api"] == "responses"
    assert len(upstream.requests) == before


def test_health_metrics_and_documentation_are_served(gateway: GatewayProcess, key: str) -> None:
    """Probes, Prometheus text with what was served, and OpenAPI with the data plane in it."""
    post(gateway, HELLO, key)
    metrics = httpx2.get(f"{gateway.url}/metrics").text
    described = httpx2.get(f"{gateway.url}/docs/openapi.json").json()

    assert httpx2.get(f"{gateway.url}/healthz").status_code == 200
    assert httpx2.get(f"{gateway.url}/readyz").json()["status"] == "ready"
    for name in (
        'fairlead_requests_total{outcome="served",status="200"}',
        'fairlead_tokens_total{class="output",deployment="scripted"}',
        "fairlead_cost_nanousd_total",
        "fairlead_stage_seconds_bucket",
        "fairlead_attempt_seconds_bucket",
        "fairlead_holds_open",
        'fairlead_breaker_state{deployment="scripted",state="closed"} 1.0',
    ):
        assert name in metrics, name
    for path in ("chat/completions", "responses", "completions", "embeddings", "messages"):
        assert "requestBody" in described["paths"][f"/v1/{path}"]["post"], path


def test_nothing_that_was_said_or_is_secret_reaches_a_log(
    gateway: GatewayProcess, key: str
) -> None:
    """Prompt text, card numbers and keys are in no log line, also not after errors."""
    secret = "xyzzy-4111 1111 1111 1111"
    post(gateway, HELLO.replace(b"hi", secret.encode()), key)
    post(gateway, b'{"model":"auto","messages":[{"role":"' + secret.encode() + b'"}', key)
    # The welcome of the first start shows the first key and a sample card on purpose.
    log = "\n".join(line for line in gateway.log().splitlines() if line.startswith("{"))

    assert '"event":"request"' in log
    assert "xyzzy" not in log
    assert "4111" not in log
    assert key not in log


def workers_of(gateway: GatewayProcess) -> list[int]:
    parent = gateway.process.pid  # type: ignore[union-attr]
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"gateway.app.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_one_worker_stays_small(gateway: GatewayProcess, key: str) -> None:
    """The gateway worker's memory stays within bounds, scanner data included."""
    post(gateway, HELLO, key)
    sizes = []
    for worker in workers_of(gateway):
        status = Path(f"/proc/{worker}/status").read_text()
        sizes += [int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line]

    assert sizes
    assert max(sizes) < 250 * 1024


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    """The supervisor keeps the port, so clients that come meanwhile wait instead of failing."""
    with upstream_thread(answering) as upstream:
        gateway = GatewayProcess(tmp_path, POLICY % upstream.url).start()
        try:
            key = gateway.new_key()
            (worker,) = workers_of(gateway)
            os.kill(worker, signal.SIGKILL)
            answer = post(gateway, HELLO, key)
            (successor,) = workers_of(gateway)
        finally:
            gateway.stop()

    assert answer.status_code == 200
    assert successor != worker
    assert "worker_died" in gateway.log()


def test_kill_in_the_middle_of_a_stream_loses_no_money(tmp_path: Path) -> None:
    """After kill -9 and a restart no hold outlives its lease, and the ledger has the attempt."""
    endless = chat.stream(["word "] * 1000, pause=0.02)
    with upstream_thread(endless) as upstream:
        settings = {"FAIRLEAD_LEASE_SECONDS": "1", "FAIRLEAD_REAP_SECONDS": "0.2"}
        gateway = GatewayProcess(tmp_path, POLICY % upstream.url, settings).start()
        key = gateway.new_key("--budget-usd", "5")
        body = HELLO[:-1] + b',"stream":true}'
        headers = {"authorization": f"Bearer {key}"}
        with httpx2.stream(
            "POST", f"{gateway.url}/v1/chat/completions", content=body, headers=headers
        ) as answer:
            next(answer.iter_bytes())
            gateway.kill()
        again = GatewayProcess(tmp_path, gateway.policy, settings, port=gateway.port).start()
        try:
            deadline = time.monotonic() + 20
            while not (rows := again.cost_rows()) and time.monotonic() < deadline:
                time.sleep(0.2)
            metrics = httpx2.get(f"{again.url}/metrics").text
            records = again.audit()
        finally:
            again.stop()

    (row,) = rows
    assert (row["deployment"], row["kind"]) == ("scripted", "in_doubt")
    assert row["cost_nanousd"] > 0
    assert 'fairlead_holds_open{org="default"} 0.0' in metrics
    assert [record["outcome"] for record in records] == ["in_doubt"]
    assert records[0]["attempts"][0]["deployment"] == "scripted"


def test_a_clean_stop_lets_a_stream_finish(tmp_path: Path) -> None:
    """SIGTERM drains: what was begun is answered to its end."""
    slow = chat.stream(["word "] * 30, pause=0.03)
    with upstream_thread(slow) as upstream:
        gateway = GatewayProcess(tmp_path, POLICY % upstream.url).start()
        headers = {"authorization": f"Bearer {gateway.new_key()}"}
        body = HELLO[:-1] + b',"stream":true}'
        with httpx2.stream(
            "POST", f"{gateway.url}/v1/chat/completions", content=body, headers=headers
        ) as answer:
            chunks = answer.iter_bytes()
            first = next(chunks)
            assert gateway.process is not None
            gateway.process.send_signal(signal.SIGTERM)
            rest = b"".join(chunks)
        gateway.process.wait(30)

    assert (first + rest).endswith(b"data: [DONE]\n\n")
    assert gateway.process.returncode == 0
    assert "Traceback" not in gateway.log()


def test_two_workers_share_the_port_and_the_metrics(tmp_path: Path) -> None:
    """Both workers serve, and one scrape sees what all of them did."""
    with upstream_thread(answering) as upstream:
        settings = {"FAIRLEAD_WORKERS": "2"}
        gateway = GatewayProcess(tmp_path, POLICY % upstream.url, settings).start()
        try:
            key = gateway.new_key()
            for _ in range(20):
                with httpx2.Client() as fresh:
                    fresh.post(
                        f"{gateway.url}/v1/chat/completions",
                        content=HELLO,
                        headers={"authorization": f"Bearer {key}"},
                    ).raise_for_status()
            metrics = httpx2.get(f"{gateway.url}/metrics").text
        finally:
            gateway.stop()

    assert 'fairlead_requests_total{outcome="served",status="200"} 20.0' in metrics


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    """The start fails with what to do, not with a trace."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        gateway = GatewayProcess(tmp_path, POLICY % "http://127.0.0.1:9")
        gateway.port = taken.getsockname()[1]
        gateway.home.mkdir(exist_ok=True)
        (gateway.home / "given.yaml").write_text(gateway.policy or "")
        done = gateway.command("serve")

    assert done.returncode == 1
    assert "FAIRLEAD_PORT" in done.stderr
    assert "Traceback" not in done.stderr
