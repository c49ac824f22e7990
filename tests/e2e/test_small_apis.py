"""Text completions and embeddings through the whole pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types import Completion

from tests.e2e.inprocess import InProcessGateway, Response, gateway_with
from tests.upstreams import anthropic_messages as messages
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_small as small
from tests.upstreams.scripted import Answering, ScriptedUpstream

KEY = {"ANTHROPIC_API_KEY": "sk-ant-scripted"}
CARD = "my card is 4111 1111 1111 1111"


def policy(server: str, *, options: str = "", claude: str = "", use: str = "server") -> str:
    """One OpenAI-like server, cleared for internal data, and maybe an Anthropic one."""
    text = f"""
fairlead: 1
defaults: {{retries: 0}}
deployments:
  server:
    adapter: openai_compatible
    base_url: "{server}/v1"
    model: text-model
    clearance: internal
    price: {{input_usd_per_mtok: 2, output_usd_per_mtok: 8}}
    {options}
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


async def complete(gateway: InProcessGateway, **fields: Any) -> Response:
    body = json.dumps({"model": "auto", "prompt": "Once upon"} | fields).encode()
    return await gateway.chat(path="/v1/completions", body=body)


async def embed(gateway: InProcessGateway, given: Any, **fields: Any) -> Response:
    body = json.dumps({"model": "auto", "input": given} | fields).encode()
    return await gateway.chat(path="/v1/embeddings", body=body)


def chunks_of(answer: Response) -> list[Any]:
    events = [part[6:] for part in answer.body.decode().split("\n\n") if part]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


async def test_a_text_completion_passes_through_and_is_priced(
    redis_url: str, home: Path, org: str
) -> None:
    """The server's own bytes come back; the documented default of 16 tokens is the cap sent."""
    async with (
        ScriptedUpstream(small.completion()) as server,
        gateway_with(policy(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await complete(gateway, logit_bias={"50256": -100})
        (line,) = gateway.ledger()
        sent = server.requests[0]

    assert answer.status == 200
    assert Completion.model_validate(answer.json, strict=True).choices[0].text == " a time"
    assert sent.path == "/v1/completions"
    assert sent.json == {
        "model": "text-model",
        "prompt": "Once upon",
        "logit_bias": {"50256": -100},
        "max_tokens": 16,
    }
    assert (line.usage.input_tokens, line.usage.output_tokens) == (5, 3)
    assert line.cost_nanousd == 5 * 2000 + 3 * 8000


async def test_a_text_completion_streams_through_without_the_usage_nobody_asked_for(
    redis_url: str, home: Path, org: str
) -> None:
    """Usage is asked for upstream, booked, and taken out for the client."""
    async with (
        ScriptedUpstream(small.completion_stream()) as server,
        gateway_with(policy(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await complete(gateway, stream=True)
        (line,) = gateway.ledger()

    chunks = chunks_of(answer)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == " a time"
    assert all("usage" not in chunk for chunk in chunks)
    assert (line.usage.output_tokens, line.usage.estimated) == (3, False)


@pytest.mark.parametrize("back", ["chat", "anthropic"])
async def test_a_plain_prompt_is_translated_for_chat_models(
    redis_url: str, home: Path, org: str, back: str
) -> None:
    """A server without completions gets a chat; the client gets a text_completion."""
    whole: dict[str, Answering] = {"chat": chat.answer("Hi."), "anthropic": messages.answer("Hi.")}
    streamed: dict[str, Answering] = {
        "chat": chat.stream(["H", "i."]),
        "anthropic": messages.stream(["H", "i."]),
    }
    async with ScriptedUpstream(whole[back], streamed[back]) as server:
        rules = policy(
            server.url,
            options='options: {completions_path: ""}',
            claude=server.url,
            use="server" if back == "chat" else "claude",
        )
        async with gateway_with(rules, redis_url, home, org=org, environ=KEY) as gateway:
            plain = await complete(gateway, max_tokens=50, stop=["\n"], temperature=1)
            stream = await complete(
                gateway, max_tokens=50, stream=True, stream_options={"include_usage": True}
            )
        sent = server.requests[0].json

    assert plain.status == 200, plain.body
    whole_answer = Completion.model_validate(plain.json, strict=True)
    assert whole_answer.id.startswith("cmpl-")
    assert (whole_answer.choices[0].text, whole_answer.choices[0].finish_reason) == ("Hi.", "stop")
    chunks = chunks_of(stream)
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == "Hi."
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    # The API tells null until the end, whatever its published schema says.
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]][-2:] == [None, "stop"]
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert sent["messages"][0]["role"] == "user"
    assert "Once upon" in json.dumps(sent["messages"])


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"prompt": ["one", "two"]}, "/prompt"),
        ({"prompt": [1, 2, 3]}, "/prompt"),
        ({"echo": True}, "/echo"),
        ({"suffix": "the end"}, "/suffix"),
    ],
)
async def test_what_only_a_text_model_can_do_is_refused_by_its_pointer(
    redis_url: str, home: Path, org: str, fields: dict[str, Any], pointer: str
) -> None:
    """No chat model is asked for something that it cannot do; the refusal names what."""
    async with ScriptedUpstream(chat.answer()) as server:
        # Token ids count as restricted, so this server must be cleared for that.
        rules = policy(server.url, options='options: {completions_path: ""}').replace(
            "clearance: internal", "clearance: restricted"
        )
        async with gateway_with(rules, redis_url, home, org=org) as gateway:
            answer = await complete(gateway, **fields)
            (record,) = gateway.audit()

    assert answer.status == 400
    assert answer.json["error"]["code"] == "endpoint_not_supported"
    assert pointer in answer.json["error"]["message"]
    assert record.rejected == {"server": "endpoint"}
    assert server.connections == 0


async def test_embeddings_pass_through_untouched_and_cost_their_input(
    redis_url: str, home: Path, org: str
) -> None:
    """Numbers keep their spelling, no output cap goes out, and only input is paid for."""
    async with (
        ScriptedUpstream(small.embeddings(["AACAPgAAAL8="])) as server,
        gateway_with(policy(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await embed(gateway, ["one", "two"], encoding_format="base64", dimensions=2)
        (line,) = gateway.ledger()
        sent = server.requests[0]

    assert answer.status == 200
    assert answer.json["data"][0]["embedding"] == "AACAPgAAAL8="
    assert answer.json["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    assert sent.path == "/v1/embeddings"
    assert sent.json == {
        "model": "text-model",
        "input": ["one", "two"],
        "encoding_format": "base64",
        "dimensions": 2,
    }
    assert (line.usage.input_tokens, line.usage.output_tokens) == (4, 0)
    assert line.cost_nanousd == 4 * 2000
    # The bound of the input alone is held: a byte is at most a token.
    assert line.held_nanousd <= len(sent.body) * 2000 * 2


@pytest.mark.parametrize(
    "given", [CARD, ["harmless", CARD], [1820, 3786, 374], [[1820], [3786, 374]]]
)
async def test_every_input_is_judged_and_token_ids_count_as_unread(
    redis_url: str, home: Path, org: str, given: Any
) -> None:
    """A card number anywhere, or ids that nobody can read, stay away from an internal server."""
    async with (
        ScriptedUpstream(small.embeddings()) as server,
        gateway_with(policy(server.url), redis_url, home, org=org) as gateway,
    ):
        answer = await embed(gateway, given)

    assert answer.status == 403
    assert answer.headers["x-fairlead-sensitivity"] == "restricted"
    assert server.connections == 0


async def test_a_deployment_without_embeddings_leaves_the_plan_with_a_reason(
    redis_url: str, home: Path, org: str
) -> None:
    """The next one that has them serves; alone, the refusal names who lacks them."""
    async with ScriptedUpstream(small.embeddings()) as server, ScriptedUpstream() as claude:
        both = policy(server.url, claude=claude.url, use="claude, server")
        async with gateway_with(both, redis_url, home, org=org, environ=KEY) as gateway:
            served = await embed(gateway, "hello")
            record = gateway.audit()[-1]
        alone = policy(server.url, claude=claude.url, use="claude")
        async with gateway_with(alone, redis_url, home, org=org, environ=KEY) as gateway:
            refused = await embed(gateway, "hello")

    assert served.headers["x-fairlead-deployment"] == "server"
    assert record.rejected == {"claude": "endpoint"}
    assert refused.status == 400
    assert "'claude' does not have the endpoint" in refused.json["error"]["message"]
    assert claude.connections == 0


async def test_an_embeddings_answer_that_is_none_falls_back_or_fails(
    redis_url: str, home: Path, org: str
) -> None:
    """An error under 200 and missing usage are found out."""
    async with (
        ScriptedUpstream(chat.error(200, "server_error"), small.embeddings(used=None)) as server,
        gateway_with(policy(server.url), redis_url, home, org=org) as gateway,
    ):
        broken = await embed(gateway, "hello")
        estimated = await embed(gateway, "hello")
        lines = gateway.ledger()

    assert broken.status == 502
    assert estimated.status == 200
    assert lines[-1].usage.estimated
    assert lines[-1].usage.input_tokens > 0
