"""Scripts of a server that speaks Ollama's native chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.upstreams.scripted import Ending, Received, Script

Tool = tuple[str, str, str]
"""Call id (empty as older servers have it), tool name, arguments as JSON text."""

CREATED = "2026-11-20T09:30:00.123456Z"


def answer(
    text: str = "Hello from the upstream.",
    *,
    thinking: str = "",
    tools: Sequence[Tool] = (),
    used: tuple[int, int] | None = (11, 7),
    done_reason: str = "stop",
) -> Callable[[Received], Script]:
    """A whole answer; `used` None leaves the counts out, as for a prompt that was cached."""

    def play(received: Received) -> Script:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thinking:
            message["thinking"] = thinking
        if tools:
            message["tool_calls"] = [_call(*tool) for tool in tools]
        body = {**_envelope(received, message), **_last(done_reason, used)}
        return Script(pieces=(msgspec.json.encode(body),))

    return play


def stream(
    text: str | Sequence[str] = ("Hello ", "from the ", "upstream."),
    *,
    thinking: Sequence[str] = (),
    tools: Sequence[Tool] = (),
    used: tuple[int, int] | None = (11, 7),
    done_reason: str = "stop",
    error_after: int | None = None,
    cut_after: int | None = None,
    ending: Ending = "clean",
) -> Callable[[Received], Script]:
    """A streamed answer, one piece a line.

    Args:
        text: one line per item.
        thinking: lines before the text.
        tools: each whole in a line of its own, as the server sends them.
        used: counts of the last line.
        done_reason: why the model stopped.
        error_after: this many lines are followed by an error line.
        cut_after: only this many lines are sent before `ending` happens.
        ending: what happens after the last piece.
    """

    def play(received: Received) -> Script:
        messages: list[dict[str, Any]] = [{"content": "", "thinking": piece} for piece in thinking]
        messages += [{"content": piece} for piece in ([text] if isinstance(text, str) else text)]
        messages += [{"content": "", "tool_calls": [_call(*tool)]} for tool in tools]
        lines = [_envelope(received, {"role": "assistant", **message}) for message in messages]
        end = _envelope(received, {"role": "assistant", "content": ""})
        lines.append({**end, **_last(done_reason, used)})
        if error_after is not None:
            lines[error_after:] = [{"error": "an error was encountered while running the model"}]
        pieces = tuple(msgspec.json.encode(line) + b"\n" for line in lines)[:cut_after]
        return Script(
            headers=(("content-type", "application/x-ndjson"),),
            pieces=pieces,
            framing="chunked",
            ending=ending,
        )

    return play


def error(status: int, message: str) -> Script:
    """An error in the server's own shape."""
    return Script(status=status, pieces=(msgspec.json.encode({"error": message}),))


def either(
    whole: Callable[[Received], Script], streamed: Callable[[Received], Script]
) -> Callable[[Received], Script]:
    """Answer as the request asks; a request that does not say is streamed."""
    return lambda received: (streamed if received.json.get("stream", True) else whole)(received)


def _envelope(received: Received, message: dict[str, Any]) -> dict[str, Any]:
    model = received.json.get("model", "")
    return {"model": model, "created_at": CREATED, "message": message, "done": False}


def _last(done_reason: str, used: tuple[int, int] | None) -> dict[str, Any]:
    last: dict[str, Any] = {"done": True, "done_reason": done_reason, "total_duration": 5_000_000}
    if used is not None:
        last |= {"prompt_eval_count": used[0], "eval_count": used[1]}
    return last


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    call: dict[str, Any] = {"function": {"name": name, "arguments": msgspec.json.decode(arguments)}}
    return {"id": call_id, **call} if call_id else call
