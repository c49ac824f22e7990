"""The compliance cases of the Open Responses specification, in front of each kind of backend.

The cases and the required fields are those of openresponses.org (version 2026-04-24): its suite
sends these requests and checks the answers against the schema of the response resource and of
each streaming event. The schemas below say the same in our own words, with no field left open
that the specification requires.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from tests.e2e.inprocess import InProcessGateway, gateway_with
from tests.upstreams import anthropic_messages as messages
from tests.upstreams import openai_chat as chat
from tests.upstreams.scripted import Received, Script, ScriptedUpstream

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def shaped(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def kind(named: str, /, **properties: Schema) -> Schema:
    return shaped(type={"const": named}, **properties)


OUTPUT_TEXT = kind("output_text", text=TEXT, annotations=listed({}), logprobs=listed({}))
REFUSAL = kind("refusal", refusal=TEXT)
STATUS: Schema = {"enum": ["in_progress", "completed", "incomplete"]}
MESSAGE = kind(
    "message",
    id=TEXT,
    status=STATUS,
    role={"const": "assistant"},
    content=listed({"anyOf": [OUTPUT_TEXT, REFUSAL]}),
)
CALL = kind("function_call", id=TEXT, call_id=TEXT, name=TEXT, arguments=TEXT, status=STATUS)
REASONING = kind("reasoning", id=TEXT, summary=listed(kind("summary_text", text=TEXT)))
ITEM: Schema = {"anyOf": [MESSAGE, CALL, REASONING]}
FUNCTION = kind(
    "function",
    name=TEXT,
    description=maybe(TEXT),
    parameters=maybe({"type": "object"}),
    strict=maybe(FLAG),
)
USAGE = shaped(
    input_tokens=WHOLE,
    output_tokens=WHOLE,
    total_tokens=WHOLE,
    input_tokens_details=shaped(cached_tokens=WHOLE),
    output_tokens_details=shaped(reasoning_tokens=WHOLE),
)
RESPONSE = shaped(
    id=TEXT,
    object={"const": "response"},
    created_at=WHOLE,
    completed_at=maybe(WHOLE),
    status=TEXT,
    incomplete_details=maybe(shaped(reason=TEXT)),
    model=TEXT,
    previous_response_id=maybe(TEXT),
    instructions=maybe({"anyOf": [TEXT, listed({"type": "object"})]}),
    output=listed(ITEM),
    error=maybe(shaped(code=TEXT, message=TEXT)),
    tools=listed(FUNCTION),
    tool_choice={"anyOf": [{"enum": ["none", "auto", "required"]}, {"type": "object"}]},
    truncation={"enum": ["auto", "disabled"]},
    parallel_tool_calls=FLAG,
    text=shaped(format=shaped(type=TEXT)),
    top_p=NUMBER,
    presence_penalty=NUMBER,
    frequency_penalty=NUMBER,
    top_logprobs=WHOLE,
    temperature=NUMBER,
    reasoning=maybe(shaped(effort=maybe(TEXT), summary=maybe(TEXT))),
    user=maybe(TEXT),
    usage=maybe(USAGE),
    max_output_tokens=maybe(WHOLE),
    max_tool_calls=maybe(WHOLE),
    store=FLAG,
    background=FLAG,
    service_tier=TEXT,
    metadata={"type": "object"},
    safety_identifier=maybe(TEXT),
    prompt_cache_key=maybe(TEXT),
)


def event(named: str, /, **properties: Schema) -> Schema:
    return kind(named, sequence_number=WHOLE, **properties)


IN_ITEM: Schema = {"item_id": TEXT, "output_index": WHOLE}
IN_PART: Schema = {**IN_ITEM, "content_index": WHOLE}
IN_SUMMARY: Schema = {**IN_ITEM, "summary_index": WHOLE}
PART: Schema = {"anyOf": [OUTPUT_TEXT, REFUSAL]}
EVENTS = {
    schema["properties"]["type"]["const"]: schema
    for schema in (
        *(
            event(f"response.{name}", response=RESPONSE)
            for name in ("created", "in_progress", "completed", "incomplete", "failed")
        ),
        event("response.output_item.added", output_index=WHOLE, item=ITEM),
        event("response.output_item.done", output_index=WHOLE, item=ITEM),
        event("response.content_part.added", **IN_PART, part=PART),
        event("response.content_part.done", **IN_PART, part=PART),
        event("response.output_text.delta", **IN_PART, delta=TEXT, logprobs=listed({})),
        event("response.output_text.done", **IN_PART, text=TEXT, logprobs=listed({})),
        event("response.refusal.delta", **IN_PART, delta=TEXT),
        event("response.refusal.done", **IN_PART, refusal=TEXT),
        event("response.function_call_arguments.delta", **IN_ITEM, delta=TEXT),
        event("response.function_call_arguments.done", **IN_ITEM, arguments=TEXT),
        event("response.reasoning_summary_part.added", **IN_SUMMARY, part={"type": "object"}),
        event("response.reasoning_summary_part.done", **IN_SUMMARY, part={"type": "object"}),
        event("response.reasoning_summary_text.delta", **IN_SUMMARY, delta=TEXT),
        event("response.reasoning_summary_text.done", **IN_SUMMARY, text=TEXT),
    )
}

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a place",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string", "description": "City and country"}},
        "required": ["location"],
    },
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)


def said(role: str, content: object) -> dict[str, object]:
    return {"type": "message", "role": role, "content": content}


CASES: dict[str, dict[str, Any]] = {
    "basic-response": {"input": [said("user", "Say hello in three words.")]},
    "streaming-response": {"input": [said("user", "Count to five.")], "stream": True},
    "system-prompt": {
        "input": [said("system", "Speak as a pirate does."), said("user", "Say hello.")]
    },
    "tool-calling": {
        "input": [said("user", "What is the weather in San Francisco?")],
        "tools": [TOOL],
    },
    "tool-calling-streaming": {
        "input": [said("user", "What is the weather in San Francisco?")],
        "tools": [TOOL],
        "stream": True,
    },
    "image-input": {
        "input": [
            said(
                "user",
                [
                    {"type": "input_text", "text": "What do you see?"},
                    {"type": "input_image", "image_url": PIXEL},
                ],
            )
        ]
    },
    "multi-turn": {
        "input": [
            said("user", "My cat is called Mouse."),
            said("assistant", "What a name for a cat!"),
            said("user", "What is my cat called?"),
        ]
    },
}


def policy(url: str) -> str:
    """One deployment of each kind of backend whose answers the gateway writes itself."""
    common = "clearance: restricted, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}"
    seeing = "capabilities: [vision, tools]"
    return f"""
fairlead: 1
deployments:
  claude: {{adapter: anthropic, base_url: "{url}", model: m, api_key: "env:K", {common}, {seeing}}}
  chat: {{adapter: openai_compatible, base_url: "{url}/v1", model: m, {common}, {seeing}}}
aliases: {{auto: {{}}}}
routes:
  - {{id: all, use: [claude, chat]}}
"""


def answering(received: Received) -> Script:
    """Calls the tool that it is given, and speaks otherwise."""
    asked = received.json
    wire: Any = messages if received.path == "/v1/messages" else chat
    tools = (
        (("call_1", "get_weather", '{"location": "San Francisco"}'),) if "tools" in asked else ()
    )
    make = wire.stream if asked.get("stream") else wire.answer
    script: Script = make("" if tools else "Ahoy there, matey!", tools=tools)(received)
    return script


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    """A server of both wires."""
    async with ScriptedUpstream(answering) as running:
        yield running


@pytest.fixture
async def gateway(
    upstream: ScriptedUpstream, redis_url: str, home: Path, org: str
) -> AsyncIterator[InProcessGateway]:
    """A gateway over that server."""
    async with gateway_with(
        policy(upstream.url), redis_url, home, org=org, environ={"K": "sk-scripted"}
    ) as running:
        yield running


def read_events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each checked against the schema of its type."""
    events = []
    for block in body.decode().strip().split("\n\n"):
        name, payload = block.split("\n")
        found = json.loads(payload.removeprefix("data: "))
        assert name == f"event: {found['type']}"
        jsonschema.validate(found, EVENTS[found["type"]])
        events.append(found)
    return events


@pytest.mark.parametrize("model", ["claude", "chat"])
@pytest.mark.parametrize("case", CASES)
async def test_a_compliance_case(
    gateway: InProcessGateway, upstream: ScriptedUpstream, case: str, model: str
) -> None:
    """The response resource, each event and the meaning of the answer are as specified."""
    asked = CASES[case] | {"model": model}
    answer = await gateway.chat(path="/v1/responses", body=msgspec.json.encode(asked))
    assert answer.status == 200, answer.body

    events = read_events(answer.body) if asked.get("stream") else []
    response = events[-1]["response"] if events else answer.json
    jsonschema.validate(response, RESPONSE)
    assert response["status"] == "completed"
    wanted = "function_call" if "tools" in asked else "message"
    assert [item["type"] for item in response["output"]] == [wanted]
    if events:
        assert [one["sequence_number"] for one in events] == list(range(len(events)))
        begun = [one["item"]["type"] for one in events if one["type"].endswith("item.added")]
        ended = [one["item"] for one in events if one["type"].endswith("item.done")]
        assert begun == [wanted]
        assert ended == response["output"]
        piecewise = {
            "function_call": "response.function_call_arguments",
            "message": "response.output_text",
        }[wanted]
        kinds = [one["type"] for one in events]
        assert kinds.index(f"{piecewise}.delta") < kinds.index(f"{piecewise}.done")
    if case == "image-input":
        assert PIXEL.partition(",")[2].encode() in upstream.requests[-1].body
