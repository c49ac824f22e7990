"""Completions, embeddings and repeated requests with the official SDK against a real process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.e2e.test_small_apis import policy
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_small as small
from tests.upstreams.scripted import Received, Script, ScriptedUpstream


def answering(received: Received) -> Script:
    """A server with completions and embeddings."""
    if received.path == "/v1/embeddings":
        return small.embeddings(["AACAPgAAAL8="])(received)
    if received.path == "/v1/chat/completions":
        return chat.answer(before=0.2)(received)
    whole, streamed = small.completion(), small.completion_stream()
    return (streamed if received.json.get("stream") else whole)(received)


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    with upstream_thread(answering) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    home: Path = tmp_path_factory.mktemp("gateway")
    process = GatewayProcess(home, policy=policy(upstream.url))
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    return gateway.new_key()


def client(gateway: GatewayProcess, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


def test_the_sdk_completes_text_whole_and_streamed(gateway: GatewayProcess, key: str) -> None:
    """The old API's objects and chunks, and the SDK's own view of our request id."""
    asking = client(gateway, key)
    whole = asking.completions.create(model="auto", prompt="Once upon")
    stream = asking.completions.create(model="auto", prompt="Once upon", stream=True)

    assert whole.choices[0].text == " a time"
    assert whole._request_id is not None
    assert whole._request_id.startswith("req_")
    assert "".join(chunk.choices[0].text for chunk in stream) == " a time"


def test_the_sdk_reads_embeddings_that_it_asked_for_in_base64(
    gateway: GatewayProcess, key: str
) -> None:
    """Without being told, the SDK asks for base64 and decodes it."""
    answer = client(gateway, key).embeddings.create(model="auto", input=["hello"])

    assert answer.data[0].embedding == [0.25, -0.5]
    assert answer.usage.prompt_tokens == 4


async def test_concurrent_duplicates_over_http_are_one_call(
    gateway: GatewayProcess, key: str, upstream: ScriptedUpstream
) -> None:
    """Several connections, one key, one request at the backend."""
    before = len(upstream.requests)
    asking = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
    raw = await asyncio.gather(
        *(
            asking.chat.completions.with_raw_response.create(
                model="auto",
                messages=[{"role": "user", "content": "hello"}],
                extra_headers={"Idempotency-Key": "sdk-once"},
            )
            for _ in range(5)
        )
    )
    await asking.close()

    assert len(upstream.requests) - before == 1
    assert len({one.headers["x-request-id"] for one in raw}) == 1
    assert sorted(one.headers.get("x-fairlead-idempotent-replay", "") for one in raw) == [
        "",
        *["true"] * 4,
    ]
