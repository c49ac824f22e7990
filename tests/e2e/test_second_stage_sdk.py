"""The second stage with the official SDKs against a real process: what clients see of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.e2e.test_second_stage import ANSWER, BADGE, SAID, by_presidio, policy
from tests.upstreams import presidio
from tests.upstreams.every_wire import say
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

DOWN = "Is the analyzer down?"


def analyzing(received: Received) -> Script:
    """Finds badges, and answers nothing of use where it is asked whether it is down."""
    if DOWN in received.json.get("text", ""):
        return presidio.told({"error": "no"})
    return presidio.finds(BADGE=BADGE)(received)


@pytest.fixture(scope="module")
def outside() -> Iterator[ScriptedUpstream]:
    with upstream_thread(say(ANSWER)) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    outside: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    home: Path = tmp_path_factory.mktemp("gateway")
    with upstream_thread(say(ANSWER)) as house, upstream_thread(analyzing) as analyzer:
        text = policy(house.url, outside.url, by_presidio(analyzer.url))
        process = GatewayProcess(home, policy=text)
        process.start()
        yield process
        process.stop()


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    return gateway.new_key()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("text", "deployment"),
    [("Hello.", "outside"), (SAID, "house"), (DOWN, "house")],
    ids=["harmless", "found", "failed"],
)
def test_openais_sdk_is_answered_as_ever(
    gateway: GatewayProcess, key: str, outside: ScriptedUpstream, text: str, deployment: str,
    stream: bool,
) -> None:  # fmt: skip
    """Whole and streamed; the headers tell who answered, and what was found stayed at home."""
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
    before = len(outside.requests)
    asked = client.chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": text}], stream=stream
    )
    answer = asked.parse()
    told = (
        "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
        if isinstance(answer, openai.Stream)
        else answer.choices[0].message.content
    )

    assert told == ANSWER.text
    assert asked.headers["x-fairlead-deployment"] == deployment
    assert len(outside.requests) - before == (deployment == "outside")


@pytest.mark.parametrize(
    ("text", "deployment"),
    [("Hello.", "outside"), (SAID, "house"), (DOWN, "house")],
    ids=["harmless", "found", "failed"],
)
def test_anthropics_sdk_is_answered_as_ever(
    gateway: GatewayProcess, key: str, text: str, deployment: str
) -> None:
    """The other dialect, whole and streamed."""
    client = anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0)
    said: list[anthropic.types.MessageParam] = [{"role": "user", "content": text}]
    whole = client.messages.with_raw_response.create(model="auto", max_tokens=50, messages=said)
    with client.messages.stream(model="auto", max_tokens=50, messages=said) as stream:
        streamed = stream.get_final_text()

    assert whole.headers["x-fairlead-deployment"] == deployment
    assert [block.text for block in whole.parse().content if block.type == "text"] == [ANSWER.text]
    assert streamed == ANSWER.text


def test_a_refusal_is_told_in_the_callers_dialect(gateway: GatewayProcess, key: str) -> None:
    """Who asks for the model outside by name gets that one or none, and is told why."""
    opened = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)
    other = anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError) as refused:
        opened.chat.completions.create(
            model="outside", messages=[{"role": "user", "content": SAID}]
        )
    with pytest.raises(anthropic.PermissionDeniedError) as told:
        other.messages.create(
            model="outside", max_tokens=9, messages=[{"role": "user", "content": SAID}]
        )

    for words in (refused.value.message, told.value.message):
        assert "its clearance is internal, and the request is restricted" in words
        assert BADGE not in words


def test_the_command_line_tells_of_it(gateway: GatewayProcess, tmp_path: Path) -> None:
    """The audit log says that it ran; `explain` whether it would; `classify` that it does not."""
    file = tmp_path / "policy.yaml"
    file.write_text(gateway.policy or "", encoding="utf-8")
    records = [one for one in gateway.audit() if one["second_stage"]]
    explained = gateway.command("policy", "explain", str(file), "--text", "Hello.")
    judged = gateway.command("classify", "--policy", str(file), given='{"id": 1, "text": "Hi."}\n')

    assert {one["second_stage"]["outcome"] for one in records} == {"ok", "malformed"}
    assert "second stage: presidio would be asked: the request might leave" in explained.stdout
    assert judged.returncode == 0
    assert "second stage is not asked here" in judged.stderr
