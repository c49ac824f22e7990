"""The official SDK's Responses client, strictly validated, in front of every kind of backend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import anthropic
import httpx2
import openai
import pytest
from pydantic import BaseModel

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.upstreams import anthropic_messages as messages
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_responses as responses
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

#: A deployment of each kind: same wire, two translated ones, and one that has no other API.
BACKENDS = ["native", "claude", "chat", "only"]
POLICY = """
fairlead: 1
deployments:
  native:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: scripted-model
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
    options: {{responses_path: /responses}}
  claude:
    adapter: anthropic
    base_url: "{url}"
    model: scripted-model
    api_key: "env:SCRIPTED_KEY"
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  chat:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: scripted-model
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  only:
    adapter: openai_compatible
    base_url: "{url}/v1"
    model: scripted-model
    clearance: restricted
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
    options: {{wire: openai_responses}}
aliases:
  auto: {{}}
routes:
  - {{id: all, use: [native, claude, chat, only]}}
"""
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALL = ("call_1", "get_weather", '{"city": "Paris"}')


class Weather(BaseModel):
    """A structured answer."""

    city: str
    degrees: int


def answering(received: Received) -> Script:
    """Three APIs on one server: a call for tools, JSON for schemas, else words."""
    asked = received.json
    wire: Any = {
        "/v1/responses": responses,
        "/v1/messages": messages,
        "/v1/chat/completions": chat,
    }[received.path]
    text, tools = "Hello from the upstream.", ()
    if asked.get("tools") and b"sunny" not in received.body:
        tools = (CALL,)
    if b"json_schema" in received.body:
        text = '{"city": "Paris", "degrees": 21}'
    fields: dict[str, Any] = {"tools": tools}
    if wire is responses:
        number = len(received.body)
        fields["response_id"] = f"resp_scripted{number}x{received.at:.9f}".replace(".", "")
    whole, streamed = wire.answer(text, **fields), wire.stream(text, **fields)
    script: Script = (streamed if asked.get("stream") else whole)(received)
    return script


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    """The scripted backend of this module's gateway."""
    with upstream_thread(answering) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway process over the four deployments."""
    process = GatewayProcess(
        Path(tmp_path_factory.mktemp("home")),
        policy=POLICY.format(url=upstream.url),
        settings={"SCRIPTED_KEY": "sk-scripted"},
    )
    yield process.start()
    process.stop()


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    """A virtual key of the default org."""
    return gateway.new_key()


@pytest.fixture(scope="module")
def client(gateway: GatewayProcess, key: str) -> Iterator[openai.OpenAI]:
    """The official SDK, which refuses answers that are not of its types."""
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, _strict_response_validation=True, max_retries=0
    ) as opened:
        yield opened


@pytest.mark.parametrize("model", BACKENDS)
def test_a_whole_answer(client: openai.OpenAI, model: str) -> None:
    """Text in, text out, with usage, on every backend."""
    answer = client.responses.create(
        model=model, input="What is Fairlead?", instructions="Be brief.", max_output_tokens=50
    )

    assert answer.output_text == "Hello from the upstream."
    assert (answer.status, answer.error) == ("completed", None)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert answer.instructions == "Be brief."


@pytest.mark.parametrize("model", BACKENDS)
def test_a_streamed_answer(client: openai.OpenAI, model: str) -> None:
    """Typed events in order, whose deltas are the final text."""
    events = list(client.responses.create(model=model, input="Hello?", stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]

    assert [event.sequence_number for event in events] == list(range(len(events)))  # type: ignore[union-attr]
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert "".join(deltas) == events[-1].response.output_text == "Hello from the upstream."


@pytest.mark.parametrize("model", BACKENDS)
def test_the_stream_helper_follows_tool_calls(client: openai.OpenAI, model: str) -> None:
    """The SDK's own accumulation of a streamed call equals the final response."""
    with client.responses.stream(model=model, input="Weather in Paris?", tools=[TOOL]) as stream:
        snapshots = [
            event.snapshot
            for event in stream
            if event.type == "response.function_call_arguments.delta"
        ]
        final = stream.get_final_response()
    (call,) = [item for item in final.output if item.type == "function_call"]

    assert json.loads(snapshots[-1]) == json.loads(call.arguments) == {"city": "Paris"}
    assert (call.name, call.call_id) == ("get_weather", "call_1")


@pytest.mark.parametrize("second", ["native", "claude", "chat"])
@pytest.mark.parametrize("first", ["native", "claude"])
def test_a_tool_loop_across_backends_by_id(
    client: openai.OpenAI,
    upstream: ScriptedUpstream,
    first: Literal["native", "claude"],
    second: str,
) -> None:
    """A call made by one backend is answered on another: the gateway holds the conversation."""
    asked = client.responses.create(model=first, input="Weather in Paris?", tools=[TOOL])
    result: Any = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
    answer = client.responses.create(
        model=second, input=[result], previous_response_id=asked.id, tools=[TOOL]
    )
    sent = upstream.requests[-1]

    assert answer.output_text == "Hello from the upstream."
    assert answer.previous_response_id == asked.id
    assert b"Weather in Paris?" in sent.body
    assert sent.body.index(b"get_weather") < sent.body.index(b"sunny")
    assert b"previous_response_id" not in sent.body
    assert asked.id.encode() not in sent.body


@pytest.mark.parametrize("model", BACKENDS)
def test_structured_answers_are_parsed(client: openai.OpenAI, model: str) -> None:
    """`responses.parse` returns the caller's own class."""
    answer = client.responses.parse(model=model, input="Weather?", text_format=Weather)

    assert answer.output_parsed == Weather(city="Paris", degrees=21)


@pytest.mark.parametrize("model", ["native", "claude"])
def test_stored_responses_are_shown_listed_and_deleted(client: openai.OpenAI, model: str) -> None:
    """The same object again, what it answered, and then nothing."""
    first = client.responses.create(model=model, input="One.")
    second = client.responses.create(model=model, input="Two.", previous_response_id=first.id)
    shown = client.responses.retrieve(second.id)
    items = list(client.responses.input_items.list(second.id, order="asc"))
    said = [item.content[0].text for item in items if item.type == "message"]  # type: ignore[union-attr]
    page = client.responses.input_items.list(second.id, limit=1)
    has_more, newest_first = page.has_more, list(page)
    client.responses.delete(second.id)

    assert shown == second
    assert said == ["One.", "Hello from the upstream.", "Two."]
    assert has_more
    assert [item.id for item in newest_first] == [item.id for item in items][::-1]
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(second.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(second.id)
    assert client.responses.retrieve(first.id) == first


async def test_the_async_sdk_works_too(gateway: GatewayProcess, key: str) -> None:
    """Created, streamed, continued, shown and deleted from an event loop."""
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, _strict_response_validation=True, max_retries=0
    ) as client:
        first = await client.responses.create(model="claude", input="One.")
        async with client.responses.stream(
            model="native", input="Two.", previous_response_id=first.id
        ) as stream:
            kinds = [event.type async for event in stream]
            second = await stream.get_final_response()
        third = await client.responses.create(
            model="chat", input="Three.", previous_response_id=second.id
        )
        shown = await client.responses.retrieve(third.id)
        listed = [item async for item in client.responses.input_items.list(third.id)]
        await client.responses.delete(third.id)

    assert kinds[-1] == "response.completed"
    assert shown == third
    assert len(listed) == 5


def test_no_other_org_reads_or_continues_a_response(
    gateway: GatewayProcess, client: openai.OpenAI
) -> None:
    """To a key of another org it does not exist."""
    kept = client.responses.create(model="native", input="Our secret plan.")
    other = openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.new_key("--org", "rivals"), max_retries=0
    )

    with pytest.raises(openai.NotFoundError):
        other.responses.retrieve(kept.id)
    with pytest.raises(openai.NotFoundError):
        other.responses.input_items.list(kept.id)
    with pytest.raises(openai.NotFoundError):
        other.responses.delete(kept.id)
    with pytest.raises(openai.BadRequestError) as refused:
        other.responses.create(model="native", input="x", previous_response_id=kept.id)
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"
    assert client.responses.retrieve(kept.id) == kept


def test_nothing_is_kept_for_clients_that_do_not_want_it(client: openai.OpenAI) -> None:
    """`store=False` leaves no trace."""
    answer = client.responses.create(model="native", input="Forget this.", store=False)

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)


def test_stored_responses_need_a_key(gateway: GatewayProcess) -> None:
    """And a good one."""
    url = f"{gateway.url}/v1/responses/resp_1"

    assert httpx2.get(url).status_code == 401
    assert httpx2.get(url, headers={"authorization": "Bearer fl_x"}).status_code == 401


@pytest.mark.parametrize("stream", [False, True])
def test_chat_clients_are_served_by_a_responses_only_backend(
    client: openai.OpenAI, upstream: ScriptedUpstream, stream: bool
) -> None:
    """The other direction: Chat Completions in front, Responses behind."""
    tool: Any = {"type": "function", "function": {k: TOOL[k] for k in ("name", "parameters")}}
    asked: Any = {
        "model": "only",
        "messages": [{"role": "user", "content": "Weather in Paris?"}],
        "tools": [tool],
    }
    if stream:
        with client.chat.completions.stream(**asked) as events:
            for _ in events:
                pass
            answer: Any = events.get_final_completion()
    else:
        answer = client.chat.completions.create(**asked)
    (call,) = answer.choices[0].message.tool_calls

    assert upstream.requests[-1].path == "/v1/responses"
    assert upstream.requests[-1].json["store"] is False
    assert (call.id, call.function.name) == ("call_1", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert answer.choices[0].finish_reason == "tool_calls"


def test_messages_clients_are_served_by_a_responses_only_backend(
    gateway: GatewayProcess, key: str, upstream: ScriptedUpstream
) -> None:
    """Anthropic's SDK in front, Responses behind, streamed."""
    with (
        anthropic.Anthropic(
            base_url=gateway.url, api_key=key, _strict_response_validation=True, max_retries=0
        ) as client,
        client.messages.stream(
            model="only", max_tokens=50, messages=[{"role": "user", "content": "Hello?"}]
        ) as stream,
    ):
        text = stream.get_final_text()

    assert text == "Hello from the upstream."
    assert upstream.requests[-1].path == "/v1/responses"
    assert upstream.requests[-1].json["max_output_tokens"] == 50
