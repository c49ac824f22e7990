"""OpenAI clients before Ollama's native chat, plain text servers and servers without schemas."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.e2e.inprocess import gateway_with
from tests.upstreams import ollama, openai_chat, text_completion
from tests.upstreams.scripted import ScriptedUpstream

SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}


def policy(adapter: str, url: str, *, options: str = "{}", retries: int = 1) -> str:
    return f"""
fairlead: 1
deployments:
  theirs:
    adapter: {adapter}
    base_url: "{url}"
    model: small
    clearance: internal
    capabilities: [tools, schema]
    retries: {retries}
    options: {options}
    price: {{input_usd_per_mtok: 3, output_usd_per_mtok: 15}}
aliases:
  auto: {{}}
routes:
  - {{id: all, use: [theirs]}}
"""


async def test_ollama_is_asked_natively(redis_url: str, home: Path, org: str) -> None:
    """The cap, the model and thinking go in Ollama's words; its answer comes in chat's."""
    script = ollama.answer("4", thinking="2 + 2", used=(9, 3))
    async with (
        ScriptedUpstream(script) as upstream,
        gateway_with(
            policy("ollama_native", upstream.url, options="{num_ctx: 8192}"),
            redis_url,
            home,
            org=org,
        ) as gateway,
    ):
        answer = await gateway.chat("2 + 2?", max_tokens=50, reasoning_effort="low")
        (line,) = gateway.ledger()
    sent = upstream.requests[0]

    assert (sent.path, sent.json["think"], sent.json["stream"]) == ("/api/chat", "low", False)
    assert sent.json["options"] == {"num_predict": 50, "num_ctx": 8192}
    message = answer.json["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("4", "2 + 2")
    assert (line.usage.input_tokens, line.usage.output_tokens) == (9, 3)
    assert not line.usage.estimated


async def test_a_prompt_becomes_text_by_the_template_of_a_file(
    redis_url: str, home: Path, org: str, tmp_path: Path
) -> None:
    """The deployment's own template makes the prompt, and its end of a turn stops the model."""
    template = tmp_path / "chat.jinja"
    template.write_text(
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>\n{% endfor %}<a>"
    )
    async with ScriptedUpstream(text_completion.stream()) as upstream:
        text = policy(
            "text_completion", f"{upstream.url}/v1", options=f'{{chat_template: "{template}"}}'
        )
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("hi", stream=True)
            (line,) = gateway.ledger()
    sent = upstream.requests[0]

    assert sent.path == "/v1/completions"
    assert sent.json["prompt"] == "<user>hi<end>\n<a>"
    assert sent.json["stop"][0] == "<end>"
    assert b'"content":"Hello "' in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert (line.usage.input_tokens, line.usage.output_tokens) == (11, 7)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_breaks_the_schema_is_repaired_once(
    redis_url: str, home: Path, org: str, stream: bool
) -> None:
    """The second try is told what was wrong; the client sees the good answer, both are booked."""
    played = openai_chat.stream if stream else openai_chat.answer
    scripts = [played('{"age": "twelve"}'), played('Here you are: {"age": 10}')]
    async with ScriptedUpstream(*scripts) as upstream:
        text = policy("openai_compatible", f"{upstream.url}/v1", options="{schema: guided}")
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("age?", response_format=FORMAT, stream=stream)
            lines = gateway.ledger()
    first, second = (request.json for request in upstream.requests)

    assert "response_format" not in first
    assert msgspec.json.encode(SCHEMA).decode() in first["messages"][0]["content"]
    assert "'twelve' is not of type 'integer'" in second["messages"][-1]["content"]
    assert b'{\\"age\\": 10}' in answer.body
    assert b"twelve" not in answer.body
    assert [line.outcome for line in lines] == ["bad_response", "ok"]
    assert all(line.cost_nanousd for line in lines)


async def test_a_model_that_fails_twice_is_not_asked_again(
    redis_url: str, home: Path, org: str
) -> None:
    """One repair is all, however many tries the deployment has, and its server is not blamed."""
    async with ScriptedUpstream(openai_chat.answer("no")) as upstream:
        text = policy(
            "openai_compatible", f"{upstream.url}/v1", options="{schema: guided}", retries=5
        )
        async with gateway_with(text, redis_url, home, org=org) as gateway:
            answer = await gateway.chat("age?", response_format=FORMAT)
            health = gateway.services.health.breakers

    assert answer.status == 502
    assert len(upstream.requests) == 2
    assert not health
