"""Scripts of servers that speak OpenAI's text completions and embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.upstreams.openai_chat import usage
from tests.upstreams.scripted import Received, Script, sse, sse_script

ID = "cmpl-scripted"
CREATED = 1_760_000_000


def completion(
    texts: Sequence[str] = (" a time",),
    *,
    used: tuple[int, int] | None = (5, 3),
    finish: str = "stop",
) -> Callable[[Received], Script]:
    """A whole text completion with one choice a text."""

    def play(received: Received) -> Script:
        body = _envelope(received, [_choice(i, text, finish) for i, text in enumerate(texts)])
        if used is not None:
            body["usage"] = usage(*used)
        return Script(pieces=(msgspec.json.encode(body),))

    return play


def completion_stream(
    deltas: Sequence[str] = (" a", " time"),
    *,
    used: tuple[int, int] = (5, 3),
    done: bool = True,
    finish: str = "stop",
) -> Callable[[Received], Script]:
    """A streamed text completion; usage comes when it is asked for."""

    def play(received: Received) -> Script:
        asked = bool((received.json.get("stream_options") or {}).get("include_usage"))
        events = [_envelope(received, [_choice(0, delta, None)]) for delta in deltas]
        events.append(_envelope(received, [_choice(0, "", finish)]))
        if asked:
            for event in events:
                event["usage"] = None
            events.append(_envelope(received, []) | {"usage": usage(*used)})
        pieces = list(sse([("", event) for event in events]))
        return sse_script([*pieces, b"data: [DONE]\n\n"] if done else pieces)

    return play


def embeddings(
    vectors: Sequence[Any] = ([0.25, -0.5],), *, used: int | None = 4
) -> Callable[[Received], Script]:
    """An embeddings answer; a vector may be a base64 text."""

    def play(received: Received) -> Script:
        listed = [
            {"object": "embedding", "index": i, "embedding": vector}
            for i, vector in enumerate(vectors)
        ]
        body: dict[str, Any] = {
            "object": "list",
            "data": listed,
            "model": received.json.get("model"),
        }
        if used is not None:
            body["usage"] = {"prompt_tokens": used, "total_tokens": used}
        return Script(pieces=(msgspec.json.encode(body),))

    return play


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _envelope(received: Received, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": ID,
        "object": "text_completion",
        "created": CREATED,
        "model": received.json.get("model"),
        "choices": choices,
    }
