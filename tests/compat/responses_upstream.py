"""The answering model behind OpenAI Responses, as strict as the vendor."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.compat.answering import Asked, Refused, Told, Tool, answer, pieces
from tests.compat.sightings import data_url, encoded
from tests.upstreams import openai_responses
from tests.upstreams.scripted import Received, Script

_FIELDS = frozenset(
    "background conversation include input instructions max_output_tokens max_tool_calls metadata "
    "model parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention "
    "reasoning safety_identifier service_tier store stream stream_options temperature text "
    "tool_choice tools top_logprobs top_p truncation user".split()
)

Item = dict[str, Any]


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
    given: Any = {
        "tools": told.calls,
        "reasoning": told.thinking,
        "used": (told.prompt_tokens, told.output_tokens),
        "status": "incomplete" if told.finish == "length" else "completed",
    }
    if asked.stream:
        return openai_responses.stream(told.deltas, **given)(received)
    return openai_responses.answer(told.text, **given)(received)


def read(body: dict[str, Any]) -> Asked:
    """What a request asks for.

    Raises:
        Refused: the vendor would answer 400.
    """
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise Refused(f"Unknown parameter: '{unknown[0]}'.")
    asked = Asked(
        model=body["model"],
        stream=bool(body.get("stream")),
        parallel=body.get("parallel_tool_calls") is not False,
        cap=body.get("max_output_tokens"),
        system=body.get("instructions") or "",
        thinks=bool((body.get("reasoning") or {}).get("effort")),
    )
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        asked.output = dict(wanted["schema"])
    elif wanted.get("type") == "json_object":
        asked.output = {}
    for tool in body.get("tools") or ():
        if tool["type"] != "function":
            raise Refused(f"Unknown tool type: {tool['type']}")
        schema = tool.get("parameters") or {}
        asked.tools.append(Tool(tool["name"], tool.get("description") or "", schema))
    choice = body.get("tool_choice") or "auto"
    asked.choice = choice["name"] if isinstance(choice, dict) else choice
    given = body["input"]
    _read_items([{"role": "user", "content": given}] if isinstance(given, str) else given, asked)
    return asked


def _read_items(items: list[Item], asked: Asked) -> None:
    names: dict[str, str] = {}
    open_calls: set[str] = set()
    for number, item in enumerate(items):
        match item.get("type", "message"):
            case "message":
                _read_message(item, asked)
            case "function_call":
                encoded(item["arguments"])
                names[item["call_id"]] = item["name"]
                open_calls.add(item["call_id"])
            case "function_call_output":
                if item["call_id"] not in open_calls:
                    raise Refused(f"No tool call found for the output of input[{number}].")
                open_calls.discard(item["call_id"])
                text, seen = _content(item["output"])
                asked.results.append((names[item["call_id"]], text))
                asked.seen += seen
                asked.words += len(pieces(text))
            case "reasoning":
                pass
            case kind:
                raise Refused(f"Invalid value: input[{number}].type '{kind}'")
    if open_calls:
        raise Refused(f"No tool output found for function call {sorted(open_calls)[0]}.")


def _read_message(message: Item, asked: Asked) -> None:
    text, seen = _content(message["content"])
    asked.words += len(pieces(text))
    match message["role"]:
        case "system" | "developer":
            asked.system = f"{asked.system} {text}".strip()
        case "user":
            asked.said, asked.results, asked.seen = text, [], seen
        case "assistant":
            pass
        case role:
            raise Refused(f"Unknown role {role}")


def _content(content: str | list[Item]) -> tuple[str, list[str]]:
    if isinstance(content, str):
        return content, []
    texts, seen = [], []
    for part in content:
        match part["type"]:
            case "input_text" | "output_text":
                texts.append(part["text"])
            case "refusal":
                texts.append(part["refusal"])
            case "input_image":
                seen.append(f"an image ({data_url(part['image_url'])})")
            case "input_file":
                given = part.get("file_data") or part.get("file_url") or part["file_id"]
                seen.append(f"a file ({data_url(given)})")
            case kind:
                raise Refused(f"Unknown content type {kind}")
    return "\n".join(texts), seen
