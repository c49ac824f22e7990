"""Scripts of servers that speak OpenAI Responses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.upstreams.scripted import Ending, Received, Script, sse, sse_script

Tool = tuple[str, str, str]
"""Call id, function name, arguments as JSON text."""

ID = "resp_scripted"
CREATED = 1_760_000_000


def usage(input_tokens: int, output_tokens: int, cached: int = 0) -> dict[str, Any]:
    """A usage object with the details that the API has today."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def answer(
    text: str = "Hello from the upstream.",
    *,
    tools: Sequence[Tool] = (),
    reasoning: str = "",
    used: tuple[int, ...] | None = (11, 7),
    status: str = "completed",
    response_id: str = ID,
) -> Callable[[Received], Script]:
    """A whole response; `used` is input, output and cached tokens, None leaves the usage out."""

    def play(received: Received) -> Script:
        items = _items(text, tools, reasoning)
        body = _response(received, items, used, status, response_id)
        return Script(pieces=(msgspec.json.encode(body),))

    return play


def stream(
    text: str | Sequence[str] = "Hello from the upstream.",
    *,
    tools: Sequence[Tool] = (),
    reasoning: str = "",
    used: tuple[int, ...] | None = (11, 7),
    status: str = "completed",
    response_id: str = ID,
    pause: float = 0.0,
    ending: Ending = "clean",
    cut_after: int | None = None,
) -> Callable[[Received], Script]:
    """A streamed response, one piece per event; `text` one delta per item or cut into words."""
    deltas = list(text) if not isinstance(text, str) else _words(text)

    def play(received: Received) -> Script:
        items = _items("".join(deltas), tools, reasoning)
        response = _response(received, items, used, status, response_id)
        empty = response | {"status": "in_progress", "output": [], "usage": None}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": empty},
            {"type": "response.in_progress", "response": empty},
        ]
        for place, item in enumerate(items):
            events += _item_events(place, item, deltas)
        events.append({"type": f"response.{status}", "response": response})
        numbered = [
            (event["type"], event | {"sequence_number": number})
            for number, event in enumerate(events)
        ]
        return sse_script(sse(numbered)[:cut_after], pause=pause, ending=ending)

    return play


def failing_stream(
    *, code: str = "server_error", after: Sequence[str] = (), flat: bool = False
) -> Callable[[Received], Script]:
    """A stream that fails: with `response.failed`, or with a bare `error` event."""

    def play(received: Received) -> Script:
        begun = stream(after, cut_after=4 + len(after) if after else 2)(received)
        told = {"code": code, "message": "The model fell over."}
        failed = _response(received, [], None, "failed") | {"error": told}
        event = {"type": "response.failed", "response": failed, "sequence_number": 99}
        if flat:
            event = {"type": "error", "param": None, "sequence_number": 99, **told}
        return sse_script((*begun.pieces, *sse([(event["type"], event)])))

    return play


def either(
    whole: Callable[[Received], Script], streamed: Callable[[Received], Script]
) -> Callable[[Received], Script]:
    """Answer as the request asks: streamed when it says `stream`."""
    return lambda received: (streamed if received.json.get("stream") else whole)(received)


def _items(text: str, tools: Sequence[Tool], reasoning: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reasoning:
        summary = [{"type": "summary_text", "text": reasoning}]
        sealed = "gAAAA-scripted"
        items.append(
            {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": sealed}
        )
    if text:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        items.append(
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for call_id, name, arguments in tools:
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{call_id}",
                "status": "completed",
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
            }
        )
    return items


def _item_events(place: int, item: dict[str, Any], deltas: Sequence[str]) -> list[dict[str, Any]]:
    where = {"item_id": item["id"], "output_index": place}
    begun = {**item, "status": "in_progress"}
    middle: list[dict[str, Any]] = []
    match item["type"]:
        case "message":
            begun["content"] = []
            part = item["content"][0]
            where["content_index"] = 0
            middle = [
                {"type": "response.content_part.added", **where, "part": part | {"text": ""}},
                *(
                    {"type": "response.output_text.delta", **where, "delta": d, "logprobs": []}
                    for d in deltas
                ),
                {
                    "type": "response.output_text.done",
                    **where,
                    "text": part["text"],
                    "logprobs": [],
                },
                {"type": "response.content_part.done", **where, "part": part},
            ]
        case "reasoning":
            begun["summary"] = []
            part = item["summary"][0]
            where["summary_index"] = 0
            kind = "response.reasoning_summary"
            middle = [
                {"type": f"{kind}_part.added", **where, "part": part | {"text": ""}},
                {"type": f"{kind}_text.delta", **where, "delta": part["text"]},
                {"type": f"{kind}_text.done", **where, "text": part["text"]},
                {"type": f"{kind}_part.done", **where, "part": part},
            ]
        case "function_call":
            begun["arguments"] = ""
            arguments = item["arguments"]
            half = len(arguments) // 2
            kind = "response.function_call_arguments"
            middle = [
                *(
                    {"type": f"{kind}.delta", **where, "delta": piece}
                    for piece in (arguments[:half], arguments[half:])
                ),
                {"type": f"{kind}.done", **where, "name": item["name"], "arguments": arguments},
            ]
    return [
        {"type": "response.output_item.added", "output_index": place, "item": begun},
        *middle,
        {"type": "response.output_item.done", "output_index": place, "item": item},
    ]


def _response(
    received: Received,
    items: list[dict[str, Any]],
    used: tuple[int, ...] | None,
    status: str,
    response_id: str = ID,
) -> dict[str, Any]:
    asked = received.json
    cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
    return {
        "id": response_id,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": cut,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "model": asked.get("model", ""),
        "output": items,
        "parallel_tool_calls": True,
        "previous_response_id": asked.get("previous_response_id"),
        "store": asked.get("store", True),
        "temperature": 1.0,
        "text": asked.get("text") or {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice", "auto"),
        "tools": asked.get("tools", []),
        "top_p": 1.0,
        "usage": None if used is None else usage(*used),
        "metadata": asked.get("metadata") or {},
    }


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [*(word + " " for word in words[:-1]), words[-1]]
