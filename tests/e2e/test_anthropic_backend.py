"""An OpenAI client before an Anthropic backend: translated both ways, priced and booked."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.inprocess import gateway_with
from tests.upstreams import anthropic_messages as messages
from tests.upstreams.scripted import ScriptedUpstream

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def policy(url: str) -> str:
    return f"""
fairlead: 1
deployments:
  claude:
    adapter: anthropic
    base_url: "{url}"
    model: claude-sonnet-5
    api_key: "env:ANTHROPIC_API_KEY"
    clearance: internal
    price: {{input_usd_per_mtok: 3, output_usd_per_mtok: 15}}
aliases:
  auto: {{}}
routes:
  - {{id: all, use: [claude]}}
"""


KEY = {"ANTHROPIC_API_KEY": "sk-ant-scripted"}


async def test_a_chat_request_is_served_by_an_anthropic_model(
    redis_url: str, home: Path, org: str
) -> None:
    """System prompt hoisted, cap sent, cached tokens priced as told, the answer in chat's shape."""
    script = messages.answer("Bonjour", used=(10, 7, 90, 0))
    async with ScriptedUpstream(script) as upstream:
        async with gateway_with(
            policy(upstream.url), redis_url, home, org=org, environ=KEY
        ) as gateway:
            told = [
                {"role": "system", "content": "Answer in French."},
                {"role": "user", "content": "Hello"},
            ]
            answer = await gateway.chat(messages=told)
            (line,) = gateway.ledger()
        sent = upstream.requests[0]

    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "Bonjour"
    assert answer.json["usage"]["prompt_tokens"] == 100
    assert sent.path == "/v1/messages"
    assert sent.header("authorization") == "Bearer sk-ant-scripted"
    assert "Answer in French." in json.dumps(sent.json["system"])
    assert sent.json["max_tokens"] == 4096
    assert (line.usage.input_tokens, line.usage.cached_input_tokens) == (100, 90)


async def test_tool_calls_of_an_anthropic_model_stream_as_chat_chunks(
    redis_url: str, home: Path, org: str
) -> None:
    """Index, id, name and argument pieces arrive as OpenAI clients expect them."""
    calls = (("toolu_1", "get_weather", '{"city": "Paris"}'),)
    script = messages.stream("Let me look.", tools=calls)
    async with (
        ScriptedUpstream(script) as upstream,
        gateway_with(policy(upstream.url), redis_url, home, org=org, environ=KEY) as gateway,
    ):
        answer = await gateway.chat("weather?", stream=True, tools=TOOLS)
        (line,) = gateway.ledger()

    events = [part[6:] for part in answer.body.decode().split("\n\n") if part]
    chunks = [json.loads(event) for event in events[:-1]]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    pieces = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert events[-1] == "[DONE]"
    assert "".join(delta.get("content") or "" for delta in deltas) == "Let me look."
    assert (pieces[0]["id"], pieces[0]["index"]) == ("toolu_1", 0)
    arguments = "".join(piece["function"].get("arguments", "") for piece in pieces)
    assert json.loads(arguments) == {"city": "Paris"}
    assert (line.usage.input_tokens, line.usage.output_tokens) == (11, 7)
    assert not line.usage.estimated


async def test_an_anthropic_refusal_of_the_request_is_told_in_openais_shape(
    redis_url: str, home: Path, org: str
) -> None:
    """The backend's own words, in the client's dialect."""
    wrong = messages.error(400, message="messages: roles must alternate")
    async with (
        ScriptedUpstream(wrong) as upstream,
        gateway_with(policy(upstream.url), redis_url, home, org=org, environ=KEY) as gateway,
    ):
        answer = await gateway.chat()

    assert answer.status == 400
    assert answer.json["error"]["message"] == "messages: roles must alternate"
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
