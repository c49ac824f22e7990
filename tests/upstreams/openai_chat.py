"""Scripts of servers that speak OpenAI chat completions: as the vendor's own, and with quirks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from tests.upstreams.scripted import Ending, Received, Script, sse, sse_script

Tool = tuple[str, str, str]
"""Call id, function name, arguments as JSON text."""
UsageStyle = Literal["asked", "always", "never", "every_chunk", "zero"]

ID = "chatcmpl-scripted"
CREATED = 1_760_000_000


def usage(prompt: int, completion: int, cached: int = 0, reasoning: int = 0) -> dict[str, Any]:
    """A usage object with the details that the API has today."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }


def answer(
    text: str = "Hello from the upstream.",
    *,
    tools: Sequence[Tool] = (),
    used: tuple[int, int] | None = (11, 7),
    finish: str = "",
    before: float = 0.0,
) -> Callable[[Received], Script]:
    """A whole completion; `used` None leaves the usage out, (0, 0) says zero."""

    def play(received: Received) -> Script:
        message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
        if tools:
            message["tool_calls"] = [_tool(*tool) for tool in tools]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": finish or ("tool_calls" if tools else "stop"),
        }
        body = _envelope(received, "chat.completion", [choice])
        if used is not None:
            body["usage"] = usage(*used)
        return Script(pieces=(msgspec.json.encode(body),), before=before)

    return play


def stream(
    text: str | Sequence[str] = "Hello from the upstream.",
    *,
    tools: Sequence[Tool] = (),
    used: tuple[int, int] = (11, 7),
    usage_style: UsageStyle = "asked",
    done: bool = True,
    newline: bytes = b"\n",
    comments: bool = False,
    pause: float = 0.0,
    before: float = 0.0,
    ending: Ending = "clean",
    cut_after: int | None = None,
    finish: str = "",
) -> Callable[[Received], Script]:
    """A streamed completion, one piece per event.

    Args:
        text: one delta per item; a plain string is cut into words.
        tools: calls whose arguments come in two deltas each.
        used: prompt and completion tokens of the usage chunk.
        usage_style: when usage is sent; `asked` obeys `stream_options.include_usage`.
        done: whether `[DONE]` ends the stream.
        newline: the line ending of the events.
        comments: whether keep-alive comments stand between the events.
        pause: seconds between two pieces.
        before: seconds before the first byte.
        ending: what happens after the last piece.
        cut_after: only this many pieces are sent before `ending` happens.
        finish: finish reason in place of the natural one.
    """
    deltas = list(text) if not isinstance(text, str) else _words(text)

    def play(received: Received) -> Script:
        asked = bool((received.json.get("stream_options") or {}).get("include_usage"))
        events = _chunk_events(received, deltas, tools, finish)
        if usage_style == "every_chunk":
            for number, event in enumerate(events):
                event["usage"] = usage(used[0], min(number, used[1]))
            events[-1]["usage"] = usage(*used)
        elif usage_style in ("always", "zero") or (usage_style == "asked" and asked):
            figures = (0, 0) if usage_style == "zero" else used
            last = _envelope(received, "chat.completion.chunk", [])
            last["usage"] = usage(*figures)
            events.append(last)
        payloads: list[tuple[str, object]] = [("", event) for event in events]
        pieces = list(sse(payloads, newline=newline))
        if done:
            pieces.append(b"data: [DONE]" + newline + newline)
        if comments:
            pieces = [b": keep-alive" + newline + newline + piece for piece in pieces]
        return sse_script(pieces[:cut_after], pause=pause, before=before, ending=ending)

    return play


def error_event_stream(
    text: Sequence[str] = ("Hello",), kind: str = "server_error"
) -> Callable[[Received], Script]:
    """A stream that tells an error after some content, as vLLM and OpenAI do."""

    def play(received: Received) -> Script:
        events = _chunk_events(received, list(text), (), "")[:-1]
        error = {"error": {"message": "The model fell over.", "type": kind, "code": None}}
        return sse_script(sse([*(("", event) for event in events), ("", error)]))

    return play


def error(
    status: int,
    kind: str = "invalid_request_error",
    code: str | None = None,
    message: str = "scripted error",
    *,
    headers: tuple[tuple[str, str], ...] = (),
) -> Script:
    """An error in the vendor's own shape; status 200 makes a lying one."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Script(
        status=status,
        headers=(("content-type", "application/json"), *headers),
        pieces=(msgspec.json.encode(body),),
    )


def either(
    whole: Callable[[Received], Script], streamed: Callable[[Received], Script]
) -> Callable[[Received], Script]:
    """Answer as the request asks: streamed when it says `stream`."""
    return lambda received: (streamed if received.json.get("stream") else whole)(received)


def _chunk_events(
    received: Received, deltas: Sequence[str], tools: Sequence[Tool], finish: str
) -> list[dict[str, Any]]:
    parts: list[tuple[dict[str, Any], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        *(({"content": piece}, None) for piece in deltas),
    ]
    for index, (call_id, name, arguments) in enumerate(tools):
        head = {**_tool(call_id, name, ""), "index": index}
        middle = len(arguments) // 2
        parts.append(({"tool_calls": [head]}, None))
        for piece in (arguments[:middle], arguments[middle:]):
            call = {"index": index, "function": {"arguments": piece}}
            parts.append(({"tool_calls": [call]}, None))
    parts.append(({}, finish or ("tool_calls" if tools else "stop")))
    return [_chunk(received, delta, reason) for delta, reason in parts]


def _chunk(received: Received, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _envelope(received, "chat.completion.chunk", [choice])


def _envelope(received: Received, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    model = received.json.get("model", "")
    return {"id": ID, "object": kind, "created": CREATED, "model": model, "choices": choices}


def _tool(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [*(word + " " for word in words[:-1]), words[-1]]
