"""Scripts of a server that completes plain text, as `/v1/completions` of older servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.upstreams.scripted import Received, Script, sse, sse_script

ID = "cmpl-scripted"


def answer(
    text: str = " Hello from the upstream.",
    *,
    used: tuple[int, int] | None = (11, 7),
    finish: str = "stop",
) -> Callable[[Received], Script]:
    """A whole completion; `used` None leaves the usage out."""

    def play(received: Received) -> Script:
        body = _envelope(received, text, finish)
        if used is not None:
            body["usage"] = _usage(used)
        return Script(pieces=(msgspec.json.encode(body),))

    return play


def stream(
    text: Sequence[str] = (" Hello ", "from the ", "upstream."),
    *,
    used: tuple[int, int] | None = (11, 7),
    finish: str = "stop",
    done: bool = True,
) -> Callable[[Received], Script]:
    """A streamed completion, one piece per event; the last one has the usage, if any."""

    def play(received: Received) -> Script:
        events = [_envelope(received, piece, None) for piece in text]
        events.append(_envelope(received, "", finish))
        if used is not None:
            events[-1]["usage"] = _usage(used)
        pieces = list(sse(("", event) for event in events))
        if done:
            pieces.append(b"data: [DONE]\n\n")
        return sse_script(pieces)

    return play


def _envelope(received: Received, text: str, finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    model = received.json.get("model", "")
    return {"id": ID, "object": "text_completion", "model": model, "choices": [choice]}


def _usage(used: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
