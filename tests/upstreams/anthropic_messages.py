"""Scripts of a server that speaks Anthropic Messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.upstreams.scripted import Ending, Received, Script, sse, sse_script

Tool = tuple[str, str, str]
"""Call id, tool name, input as JSON text."""

ID = "msg_scripted"


def usage(input_tokens: int, output_tokens: int, read: int = 0, written: int = 0) -> dict[str, Any]:
    """A usage object; `input_tokens` leaves out what was read from or written to the cache."""
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }


def answer(
    text: str = "Hello from the upstream.",
    *,
    thinking: str = "",
    tools: Sequence[Tool] = (),
    used: tuple[int, ...] = (11, 7),
    stop: str = "",
    stopped_by: str = "",
) -> Callable[[Received], Script]:
    """A whole message; `used` is input, output, cache read, cache written.

    `stopped_by` is the stop sequence that ended it.
    """

    def play(received: Received) -> Script:
        content: list[dict[str, Any]] = []
        if thinking:
            content.append({"type": "thinking", "thinking": thinking, "signature": "c2ln"})
        if text:
            content.append({"type": "text", "text": text})
        content += [_tool(i, name, msgspec.json.decode(given)) for i, name, given in tools]
        body = {
            **_message(received),
            "content": content,
            "stop_reason": stop or ("tool_use" if tools else "end_turn"),
            "stop_sequence": stopped_by or None,
            "usage": usage(*used),
        }
        return Script(pieces=(msgspec.json.encode(body),))

    return play


def stream(
    text: str | Sequence[str] = "Hello from the upstream.",
    *,
    thinking: Sequence[str] = (),
    tools: Sequence[Tool] = (),
    used: tuple[int, ...] = (11, 7),
    stop: str = "",
    stopped_by: str = "",
    pause: float = 0.0,
    before: float = 0.0,
    ending: Ending = "clean",
    cut_after: int | None = None,
    error_after: int | None = None,
) -> Callable[[Received], Script]:
    """A streamed message, one piece per event, with the pings that the vendor sends.

    `error_after` puts an `overloaded_error` event after that many pieces and ends there.
    """
    deltas = [text] if isinstance(text, str) else list(text)

    def play(received: Received) -> Script:
        pieces = list(sse(_events(received, deltas, thinking, tools, used, (stop, stopped_by))))
        if error_after is not None:
            told = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
            pieces = [*pieces[:error_after], *sse([("error", told)])]
        return sse_script(pieces[:cut_after], pause=pause, before=before, ending=ending)

    return play


def error(
    status: int,
    kind: str = "invalid_request_error",
    message: str = "scripted error",
    *,
    headers: tuple[tuple[str, str], ...] = (),
) -> Script:
    """An error in the vendor's own shape."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return Script(
        status=status,
        headers=(("content-type", "application/json"), *headers),
        pieces=(msgspec.json.encode(body),),
    )


def _events(
    received: Received,
    deltas: Sequence[str],
    thinking: Sequence[str],
    tools: Sequence[Tool],
    used: tuple[int, ...],
    stop: tuple[str, str],
) -> list[tuple[str, object]]:
    first = {**_message(received), "content": [], "stop_reason": None}
    first["usage"] = usage(used[0], 1, *used[2:])
    events: list[tuple[str, object]] = [
        ("message_start", {"type": "message_start", "message": first})
    ]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if thinking:
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in thinking]
        signature = {"type": "signature_delta", "signature": "c2ln"}
        start = {"type": "thinking", "thinking": "", "signature": ""}
        blocks.append((start, [*thoughts, signature]))
    if any(deltas):
        texts = [{"type": "text_delta", "text": piece} for piece in deltas]
        blocks.append(({"type": "text", "text": ""}, texts))
    for call_id, name, given in tools:
        middle = len(given) // 2
        parts = ["", given[:middle], given[middle:]]
        inputs = [{"type": "input_json_delta", "partial_json": piece} for piece in parts]
        blocks.append((_tool(call_id, name, {}), inputs))
    for index, (start, pieces) in enumerate(blocks):
        opened = {"type": "content_block_start", "index": index, "content_block": start}
        events.append(("content_block_start", opened))
        if index == 0:
            events.append(("ping", {"type": "ping"}))
        for piece in pieces:
            moved = {"type": "content_block_delta", "index": index, "delta": piece}
            events.append(("content_block_delta", moved))
        events.append(("content_block_stop", {"type": "content_block_stop", "index": index}))
    reason = stop[0] or ("tool_use" if tools else "end_turn")
    ended = {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": stop[1] or None},
        "usage": {"output_tokens": used[1]},
    }
    return [*events, ("message_delta", ended), ("message_stop", {"type": "message_stop"})]


def _message(received: Received) -> dict[str, Any]:
    return {
        "id": ID,
        "type": "message",
        "role": "assistant",
        "model": received.json.get("model", ""),
        "stop_sequence": None,
    }


def _tool(call_id: str, name: str, given: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}
