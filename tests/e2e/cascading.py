"""Requests and answers of every API, for tests that ask a cascade through each of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.e2e.inprocess import Response
from tests.upstreams.every_wire import Said

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PROMPT = "What is the capital of France?"
#: The weak model's answer that fails each check, and the strong one's that does not.
FAILING = {
    "schema": (Said('{"town": 7}'), Said('{"city": "Paris"}')),
    "tools": (
        Said(tools=(("call_1", "get_wether", '{"city": "Paris"}'),)),
        Said(tools=(("call_2", "get_weather", '{"city": "Paris"}'),)),
    ),
    "refusal": (Said("I'm sorry, but I can't help with that."), Said("It is Paris.")),
    "truncated": (Said("The capital of", cut=True), Said("It is Paris.")),
    "logprob": (Said("Perhaps Lyon.", logprob=-2.5), Said("It is Paris.")),
}
PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "completions": "/v1/completions",
}


def ask(api: str, check: str, *, stream: bool) -> bytes:
    """A request through an API that the check has something to say about."""
    said = [{"role": "user", "content": PROMPT}]
    body: dict[str, Any] = {"model": "auto", "stream": stream}
    match api:
        case "completions":
            body |= {"prompt": PROMPT, "max_tokens": 100}
        case "responses":
            body |= {"input": PROMPT}
        case "messages":
            body |= {"messages": said, "max_tokens": 100}
        case _:
            body |= {"messages": said}
    wanted = {"type": "json_schema", "name": "city", "strict": True, "schema": SCHEMA}
    tool = {"name": "get_weather", "parameters": SCHEMA}
    match check, api:
        case "schema", "chat":
            given = {"name": "city", "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": given}
        case "schema", "responses":
            body["text"] = {"format": wanted}
        case "schema", "messages":
            body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
        case "tools", "chat":
            body["tools"] = [{"type": "function", "function": tool}]
        case "tools", "responses":
            body["tools"] = [{"type": "function", **tool}]
        case "tools", "messages":
            body["tools"] = [{"name": "get_weather", "input_schema": SCHEMA}]
    return json.dumps(body).encode()


@dataclass
class Read:
    """What a client makes of a response: its text, its calls by name, and how often it ended."""

    text: str = ""
    calls: str = ""
    endings: int = 0


def read(api: str, response: Response, *, stream: bool) -> Read:
    """The answer as a client of the API reads it, told apart only by the API's own words."""
    found = Read()
    if stream:
        for event in response.body.decode().split("\n\n"):
            payload = event.rpartition("data: ")[2].strip()
            if payload == "[DONE]":
                found.endings += 1
            elif payload:
                _EVENTS[api](json.loads(payload), found)
        return found
    found.endings = 1
    _WHOLE[api](response.json, found)
    return found


def _chat_event(event: Any, found: Read) -> None:
    for choice in event["choices"]:
        assert not choice.get("logprobs")
        found.text += choice["delta"].get("content") or ""
        for call in choice["delta"].get("tool_calls") or ():
            found.calls += call["function"].get("name") or ""


def _chat_whole(body: Any, found: Read) -> None:
    (choice,) = body["choices"]
    assert not choice.get("logprobs")
    found.text = choice["message"]["content"] or ""
    found.calls = "".join(c["function"]["name"] for c in choice["message"].get("tool_calls") or ())


def _completion_event(event: Any, found: Read) -> None:
    for choice in event["choices"]:
        assert not choice.get("logprobs")
        found.text += choice["text"]


def _message_event(event: Any, found: Read) -> None:
    found.text += event.get("delta", {}).get("text", "")
    found.calls += event.get("content_block", {}).get("name", "")
    found.endings += event["type"] == "message_stop"


def _message_whole(body: Any, found: Read) -> None:
    found.text = "".join(part.get("text", "") for part in body["content"])
    found.calls = "".join(part.get("name", "") for part in body["content"])


def _response_event(event: Any, found: Read) -> None:
    assert not event.get("logprobs")
    if event["type"] == "response.output_text.delta":
        found.text += event["delta"]
    if event["type"] == "response.output_item.done":
        found.calls += event["item"].get("name", "")
    found.endings += event["type"] in ("response.completed", "response.incomplete")


def _response_whole(body: Any, found: Read) -> None:
    for item in body["output"]:
        found.calls += item.get("name", "")
        for part in item.get("content", ()):
            assert not part.get("logprobs")
            found.text += part["text"]


_EVENTS = {
    "chat": _chat_event,
    "responses": _response_event,
    "messages": _message_event,
    "completions": _completion_event,
}
_WHOLE = {
    "chat": _chat_whole,
    "responses": _response_whole,
    "messages": _message_whole,
    "completions": _completion_event,
}
