"""Anthropic's official SDK against the gateway, before backends of every wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import beta_tool
from pydantic import BaseModel

from tests.e2e.backstage import upstream_thread
from tests.e2e.harness import GatewayProcess
from tests.upstreams import anthropic_messages as messages
from tests.upstreams import ollama, openai_responses, text_completion
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

TOOL: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
POLICY = """
fairlead: 1
deployments:
  claude:
    adapter: anthropic
    base_url: "%(url)s"
    model: claude-sonnet-5
    api_key: "env:UPSTREAM_KEY"
    clearance: restricted
    price: {input_usd_per_mtok: 3, output_usd_per_mtok: 15}
  gpt:
    adapter: openai_compatible
    base_url: "%(url)s/v1"
    model: house-model
    clearance: restricted
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
  o-series:
    adapter: openai
    base_url: "%(url)s/v1"
    model: o-model
    api_key: "env:UPSTREAM_KEY"
    clearance: restricted
    options: {wire: openai_responses}
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
  llama:
    adapter: ollama_native
    base_url: "%(url)s"
    model: llama
    clearance: restricted
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
  plain:
    adapter: text_completion
    base_url: "%(url)s/v1"
    model: old-model
    clearance: restricted
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
  broken:
    adapter: openai_compatible
    base_url: "%(url)s/broken"
    model: house-model
    clearance: restricted
    retries: 0
    price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}
aliases:
  auto: {}
constraints:
  - id: no-cards
    because: Card numbers are not for models.
    when: {findings: [payment_card]}
    block: true
routes:
  - {id: all, use: [gpt, claude]}
"""
#: The deployments by what their backends speak; the last one has no tools.
CALLING = ["claude", "gpt", "o-series", "llama"]
BACKS = [*CALLING, "plain"]
CALLS = (("toolu_1", "get_weather", '{"city": "Paris"}'), ("toolu_2", "get_weather", "{}"))
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200).decode()


WIRES: dict[str, Any] = {
    "/v1/messages": messages,
    "/v1/chat/completions": chat,
    "/v1/responses": openai_responses,
    "/api/chat": ollama,
    "/v1/completions": text_completion,
}


def answering(received: Received) -> Script:
    """Every wire by its path: tools are called once, schemas answered in JSON, else with text."""
    asked, path = received.json, received.path.partition("?")[0]
    if path.startswith("/broken"):
        return breaking(asked)
    wire = WIRES[path]
    text: Any = "Hello from the upstream."
    more: dict[str, Any] = {}
    if asked.get("tools") and not answered(asked):
        more["tools"] = CALLS
    if b"degrees" in received.body:
        text = '{"city": "Paris", "degrees": 21}'
    if wire is messages:
        more["used"] = (10, 7, 90, 5)
    if wire is text_completion and asked.get("stream"):
        text = [text]
    if asked.get("stream"):
        played: Script = wire.stream(text, **more)(received)
    else:
        played = wire.answer(text, **more)(received)
    return played


def answered(asked: dict[str, Any]) -> bool:
    """Whether the last turn brings the results of tools, in any wire's words."""
    last = (asked.get("messages") or asked["input"])[-1]
    if last.get("role") == "tool" or last.get("type") == "function_call_output":
        return True
    content = last.get("content")
    return isinstance(content, list) and content[0]["type"] == "tool_result"


def breaking(asked: dict[str, Any]) -> Script:
    """A server that fails by what it is asked."""
    said = asked["messages"][-1]["content"]
    if said == "overload":
        return chat.error(503, "server_error")
    if said == "reject":
        return chat.error(400, message="unsupported picture")
    received = Received("POST", "/", (), json.dumps(asked).encode(), b"", 1, 0.0)
    # Apart in time, so that content has reached the client before the error comes.
    return replace(chat.error_event_stream(["one ", "two"])(received), pause=0.1)


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    """The scripted backends of this module's gateway."""
    with upstream_thread(answering) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(
    upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """One gateway process for the tests of this module."""
    home = tmp_path_factory.mktemp("gateway")
    settings = {"UPSTREAM_KEY": "sk-ant-scripted"}
    started = GatewayProcess(home, POLICY % {"url": upstream.url}, settings).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def key(gateway: GatewayProcess) -> str:
    """A virtual key of that gateway."""
    return gateway.new_key()


@pytest.fixture
def client(gateway: GatewayProcess, key: str) -> Iterator[anthropic.Anthropic]:
    """The official SDK with base URL and key changed, refusing answers off its schema."""
    with anthropic.Anthropic(
        base_url=gateway.url, api_key=key, max_retries=0, _strict_response_validation=True
    ) as made:
        yield made


class Weather(BaseModel):
    """A structured answer."""

    city: str
    degrees: int


def ask(text: str = "hello") -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", BACKS)
def test_the_sdk_gets_a_whole_message(client: anthropic.Anthropic, model: str) -> None:
    """Text, stop reason and usage in Anthropic's terms, and the routing headers."""
    raw = client.messages.with_raw_response.create(
        model=model, messages=ask(), max_tokens=50, system="Be brief.", stop_sequences=["END"]
    )
    answer = raw.parse()

    assert answer.content[0].type == "text"
    assert answer.content[0].text.strip() == "Hello from the upstream."
    assert (answer.stop_reason, answer.role) == ("end_turn", "assistant")
    usage = answer.usage
    told = (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    assert (*told, usage.output_tokens) == ((10, 90, 5, 7) if model == "claude" else (11, 0, 0, 7))
    assert raw.headers["x-fairlead-deployment"] == model
    assert float(raw.headers["x-fairlead-cost-usd"]) > 0


@pytest.mark.parametrize("model", BACKS)
async def test_the_async_sdk_answers_and_streams(
    gateway: GatewayProcess, key: str, model: str
) -> None:
    """Plain, raw events and the streaming helper from an event loop."""
    async with anthropic.AsyncAnthropic(
        base_url=gateway.url, auth_token=key, api_key=None, _strict_response_validation=True
    ) as client:
        whole = await client.messages.create(model=model, messages=ask(), max_tokens=50)
        raw = await client.messages.create(model=model, messages=ask(), max_tokens=50, stream=True)
        kinds = [event.type async for event in raw]
        async with client.messages.stream(model=model, messages=ask(), max_tokens=50) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()

    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert text.strip() == "Hello from the upstream."
    assert final.content[0].to_dict()["text"] == whole.content[0].to_dict()["text"]
    for name in ("role", "model", "stop_reason", "stop_sequence", "usage"):
        assert getattr(final, name) == getattr(whole, name), name


@pytest.mark.parametrize("model", CALLING)
def test_streamed_tool_calls_equal_the_whole_ones(client: anthropic.Anthropic, model: str) -> None:
    """Two calls, one without arguments, with their ids and in order."""
    asked: Any = {"model": model, "messages": ask("weather?"), "max_tokens": 99, "tools": [TOOL]}
    whole = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()

    calls = [(b.id, b.name, b.input) for b in whole.content if b.type == "tool_use"]
    assert calls == [
        ("toolu_1", "get_weather", {"city": "Paris"}),
        ("toolu_2", "get_weather", {}),
    ]
    assert [b.to_dict() for b in streamed.content if b.type == "tool_use"] == [
        b.to_dict() for b in whole.content if b.type == "tool_use"
    ]
    assert streamed.stop_reason == whole.stop_reason == "tool_use"
    assert streamed.usage.input_tokens == whole.usage.input_tokens


@pytest.mark.parametrize("model", CALLING)
@pytest.mark.parametrize("streaming", [False, True])
def test_the_tool_runner_completes_its_rounds(
    client: anthropic.Anthropic, upstream: ScriptedUpstream, model: str, streaming: bool
) -> None:
    """Calls are run, their results go back with the right ids, and the last answer is text."""
    cities = []

    @beta_tool
    def get_weather(city: str = "nowhere") -> str:
        """The weather of a city.

        Args:
            city: its name
        """
        cities.append(city)
        return f"sunny in {city}"

    before = len(upstream.requests)
    runner: Any = client.beta.messages.tool_runner(
        model=model, max_tokens=99, messages=ask("weather?"), tools=[get_weather], stream=streaming
    )
    final = runner.until_done()
    last = upstream.requests[-1]

    assert cities == ["Paris", "nowhere"]
    assert final.content[0].text == "Hello from the upstream."
    assert len(upstream.requests) - before == 2
    assert b'"thread"' not in last.body
    told = last.body.decode()
    assert "sunny in Paris" in told
    assert told.index("sunny in Paris") < told.index("sunny in nowhere")
    if model != "llama":  # whose API knows no ids
        assert told.count("toolu_1") == told.count("toolu_2") == 2


def test_a_thread_that_must_be_held_by_the_server_is_refused(client: anthropic.Anthropic) -> None:
    """A caller who insists is told, with the class that the SDK has for it."""
    thread = client.beta.messages.thread(model="claude", max_tokens=9)
    with pytest.raises(anthropic.BadRequestError) as caught:
        thread.send({"role": "user", "content": "hello"})

    assert caught.value.error_code == "thread_unsupported_request"


@pytest.mark.parametrize("model", BACKS)
def test_the_sdk_parses_a_structured_answer(
    client: anthropic.Anthropic, upstream: ScriptedUpstream, model: str
) -> None:
    """A schema is asked of the backend in its own words, and the answer obeys it."""
    parsed = client.messages.parse(
        model=model, messages=ask("weather in Paris?"), max_tokens=99, output_format=Weather
    )
    with client.messages.stream(
        model=model, messages=ask("weather in Paris?"), max_tokens=99, output_format=Weather
    ) as stream:
        streamed = stream.get_final_message()

    assert parsed.parsed_output == streamed.parsed_output == Weather(city="Paris", degrees=21)
    assert b"degrees" in upstream.requests[-1].body


def test_a_claude_backend_gets_the_clients_own_bytes(
    gateway: GatewayProcess, upstream: ScriptedUpstream, key: str
) -> None:
    """Only the model changes; versions and betas cross, the client's key does not."""
    body = (
        b'{"max_tokens": 50, "temperature":0.30000000000000004, "messages":[{"role":"user",'
        b'"content":"h\\u00e9"}],"model":"claude", "metadata":{"x": 1e400}}'
    )
    headers = {
        "x-api-key": key,
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "fine-grained-2026",
        "content-type": "application/json",
    }
    answer = httpx2.post(f"{gateway.url}/v1/messages", content=body, headers=headers)
    sent = upstream.requests[-1]

    assert answer.status_code == 200
    assert answer.json()["id"] == messages.ID
    for kept in (b'"temperature":0.30000000000000004', b'"content":"h\\u00e9"', b'{"x": 1e400}'):
        assert kept in sent.body
    assert sent.json["model"] == "claude-sonnet-5"
    assert sent.json["max_tokens"] == 50
    assert sent.header("anthropic-version") == "2023-06-01"
    assert sent.header("anthropic-beta") == "fine-grained-2026"
    assert key not in sent.raw_head.decode()


def test_an_openai_backend_gets_everything_in_its_own_words(
    client: anthropic.Anthropic, upstream: ScriptedUpstream
) -> None:
    """System prompt, picture, tools, choice, caps and stops arrive; cache control is named."""
    picture = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    raw = client.messages.with_raw_response.create(
        model="gpt",
        max_tokens=50,
        system=[{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": picture},  # type: ignore[typeddict-item, list-item]
                    {"type": "text", "text": "What is it?"},
                ],
            }
        ],
        tools=[TOOL],  # type: ignore[list-item]
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        extra_body={"temperature": 0.5},  # clients of the older version still send it
        metadata={"user_id": "u-1"},
    )
    sent = upstream.requests[-1].json

    assert sent["messages"][0] == {"role": "system", "content": "Be kind."}
    assert sent["messages"][1]["content"][0]["image_url"]["url"].endswith(PICTURE)
    assert sent["tools"][0]["function"]["parameters"] == TOOL["input_schema"]
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == ("required", False)
    assert (sent["stop"], sent["temperature"], sent["user"]) == (["END"], 0.5, "u-1")
    assert 50 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    assert "/system/0/cache_control" in raw.headers["x-fairlead-lossy"]


def test_tokens_are_counted_here(
    client: anthropic.Anthropic, gateway: GatewayProcess, upstream: ScriptedUpstream, key: str
) -> None:
    """Counting calls no backend, needs no cap, and a picture costs what pictures cost."""
    before = len(upstream.requests)
    few = client.messages.count_tokens(model="claude", messages=ask("one two three"))
    many = client.messages.count_tokens(
        model="claude",
        messages=ask("one two three " * 100),
        system="Be brief.",
        tools=[TOOL],  # type: ignore[list-item]
    )
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    seen = client.messages.count_tokens(
        model="claude",
        messages=[{"role": "user", "content": [{"type": "image", "source": source}]}],  # type: ignore[list-item, typeddict-item]
    )
    refused = httpx2.post(
        f"{gateway.url}/v1/messages/count_tokens",
        json={"model": "claude"},
        headers={"x-api-key": key, "anthropic-version": "2023-06-01"},
    )

    assert 3 <= few.input_tokens < 20
    assert 300 <= many.input_tokens < 500
    assert 1_000 <= seen.input_tokens < 2_000
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    assert len(upstream.requests) == before


def test_models_are_listed_for_the_sdk(client: anthropic.Anthropic) -> None:
    """Anthropic's shape, page by page and one by one."""
    assert {model.id for model in client.models.list()} >= {"auto", "claude", "gpt"}
    assert client.models.retrieve("claude").id == "claude"


@pytest.mark.parametrize(
    ("changes", "error", "kind"),
    [
        ({"model": "nothing"}, anthropic.NotFoundError, "not_found_error"),
        ({"max_tokens": -1}, anthropic.BadRequestError, "invalid_request_error"),
        ({"messages": []}, anthropic.BadRequestError, "invalid_request_error"),
        (
            {"messages": ask("card 4111 1111 1111 1111")},
            anthropic.PermissionDeniedError,
            "permission_error",
        ),
        ({"model": "broken", "messages": ask("reject")}, anthropic.BadRequestError, None),
        (
            {"model": "broken", "messages": ask("overload")},
            anthropic.InternalServerError,
            "overloaded_error",
        ),
    ],
)
def test_errors_speak_anthropics_dialect(
    client: anthropic.Anthropic, changes: dict[str, Any], error: Any, kind: str | None
) -> None:
    """The SDK raises the class that it has for the case, with type and request id."""
    with pytest.raises(error) as caught:
        client.messages.create(**{"model": "gpt", "messages": ask(), "max_tokens": 9} | changes)

    body = caught.value.body
    assert body["type"] == "error"
    assert body["request_id"].startswith("req_")
    assert body["error"]["type"] == (kind or "invalid_request_error")
    if kind is None:
        assert body["error"]["message"] == "unsupported picture"


def test_a_wrong_key_is_told_in_anthropics_dialect(gateway: GatewayProcess) -> None:
    """For messages, token counts and models alike."""
    with anthropic.Anthropic(base_url=gateway.url, api_key="fl_wrong", max_retries=0) as client:
        for call in (
            lambda: client.messages.create(model="gpt", messages=ask(), max_tokens=9),
            lambda: client.messages.count_tokens(model="gpt", messages=ask()),
            lambda: list(client.models.list()),
        ):
            with pytest.raises(anthropic.AuthenticationError) as caught:
                call()

            assert caught.value.type == "authentication_error"


def test_an_error_inside_a_stream_is_an_error_event(client: anthropic.Anthropic) -> None:
    """After content the stream ends with an error, never with a clean message_stop."""
    pieces = []

    def read() -> None:
        for event in client.messages.create(
            model="broken", messages=ask("fall over"), max_tokens=9, stream=True
        ):
            pieces.append(event.type)

    with pytest.raises(anthropic.APIStatusError) as caught:
        read()

    assert "content_block_delta" in pieces
    assert "message_stop" not in pieces
    assert caught.value.type == "api_error"
