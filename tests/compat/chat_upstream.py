"""The answering model behind OpenAI Chat Completions, as strict as the vendor."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.compat.answering import Asked, Refused, Told, Tool, answer, pieces
from tests.compat.sightings import data_url, encoded
from tests.upstreams import openai_chat
from tests.upstreams.scripted import Received, Script

_FIELDS = frozenset(
    "messages model audio frequency_penalty function_call functions logit_bias logprobs "
    "max_completion_tokens max_tokens metadata modalities n parallel_tool_calls prediction "
    "presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort response_format "
    "safety_identifier seed service_tier stop store stream stream_options temperature tool_choice "
    "tools top_logprobs top_p user verbosity web_search_options".split()
)
_FINISHES = {"end": "stop", "stop": "stop", "length": "length", "tools": "tool_calls"}


def play(received: Received) -> Script:
    """Answer one request."""
    try:
        asked = read(received.json)
        told = answer(asked)
    except Refused as refusal:
        error = {"message": str(refusal), "type": "invalid_request_error", "param": None}
        body = msgspec.json.encode({"error": {**error, "code": None}})
        return Script(status=400, pieces=(body,))
    return _script(received, asked, told)


def _script(received: Received, asked: Asked, told: Told) -> Script:
    used = (told.prompt_tokens, told.output_tokens)
    finish = _FINISHES[told.finish]
    if asked.stream:
        streamed = openai_chat.stream(told.deltas, tools=told.calls, used=used, finish=finish)
        return streamed(received)
    return openai_chat.answer(told.text, tools=told.calls, used=used, finish=finish)(received)


def read(body: dict[str, Any]) -> Asked:
    """What a request asks for.

    Raises:
        Refused: the vendor would answer 400.
    """
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise Refused(f"Unrecognized request argument supplied: {unknown[0]}")
    asked = Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        parallel=body.get("parallel_tool_calls") is not False,
        cap=body.get("max_completion_tokens") or body.get("max_tokens"),
    )
    if body.get("stop"):
        asked.stop = [body["stop"]] if isinstance(body["stop"], str) else list(body["stop"])
    asked.output = _output(body.get("response_format") or {})
    asked.tools = [_tool(tool) for tool in body.get("tools") or ()]
    asked.choice = _choice(body.get("tool_choice"))
    _read_messages(body["messages"], asked)
    return asked


def _output(wanted: dict[str, Any]) -> dict[str, Any] | None:
    match wanted.get("type"):
        case "json_schema":
            return dict(wanted["json_schema"]["schema"])
        case "json_object":
            return {}
        case None | "text":
            return None
    raise Refused(f"Invalid response_format: {wanted['type']}")


def _tool(tool: dict[str, Any]) -> Tool:
    if tool.get("type") != "function":
        raise Refused(f"Unknown tool type: {tool.get('type')}")
    made = tool["function"]
    return Tool(made["name"], made.get("description") or "", made.get("parameters") or {})


def _choice(given: Any) -> str:
    if isinstance(given, dict):
        return str(given["function"]["name"])
    return str(given or "auto")


def _read_messages(messages: list[dict[str, Any]], asked: Asked) -> None:
    names: dict[str, str] = {}
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        role = message["role"]
        if open_calls and role != "tool":
            raise Refused(
                f"messages[{number}]: an assistant message with 'tool_calls' must be followed by "
                f"tool messages responding to each 'tool_call_id'; missing: {sorted(open_calls)}"
            )
        text, seen = _content(message.get("content"))
        asked.words += len(pieces(text))
        match role:
            case "system" | "developer":
                asked.system = f"{asked.system} {text}".strip()
            case "user":
                asked.said, asked.results, asked.seen = text, [], seen
            case "assistant":
                for call in message.get("tool_calls") or ():
                    names[call["id"]] = call["function"]["name"]
                    open_calls.add(call["id"])
                    encoded(call["function"]["arguments"])
            case "tool":
                if message["tool_call_id"] not in open_calls:
                    raise Refused(f"messages[{number}]: no tool call of that id is open")
                open_calls.discard(message["tool_call_id"])
                asked.results.append((names[message["tool_call_id"]], text))
                asked.seen += seen
            case _:
                raise Refused(f"messages[{number}]: unknown role {role}")
    if open_calls:
        raise Refused(f"No tool output for {sorted(open_calls)}")


def _content(content: Any) -> tuple[str, list[str]]:
    if content is None or isinstance(content, str):
        return content or "", []
    texts, seen = [], []
    for part in content:
        match part["type"]:
            case "text":
                texts.append(part["text"])
            case "refusal":
                texts.append(part["refusal"])
            case "image_url":
                seen.append(f"an image ({data_url(part['image_url']['url'])})")
            case "input_audio":
                seen.append(f"a sound ({part['input_audio']['format']})")
            case "file":
                given = part["file"].get("file_data")
                seen.append(f"a file ({data_url(given) if given else part['file']['file_id']})")
            case _:
                raise Refused(f"Unknown content part type: {part['type']}")
    return "\n".join(texts), seen
