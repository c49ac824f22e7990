"""One scripted model behind every endpoint: the same answer in the wire that is asked for.

Log probabilities come with it when they are asked for, one token for each piece of text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tests.upstreams import anthropic_messages as messages
from tests.upstreams import openai_chat as chat
from tests.upstreams import openai_responses as responses
from tests.upstreams import openai_small as small
from tests.upstreams.scripted import Received, Script

USED = (11, 7)


@dataclass(frozen=True)
class Said:
    """What the model says: text or calls, whether it was cut, and how sure it was."""

    text: str = ""
    tools: tuple[tuple[str, str, str], ...] = ()
    cut: bool = False
    logprob: float = -0.05


def say(said: Said) -> Callable[[Received], Script]:
    """The script of a model that says this on whatever endpoint it is asked."""

    def play(received: Received) -> Script:
        script = _plain(said, received)
        if not _asks_logprobs(received):
            return script
        pieces = tuple(_with_logprobs(piece, said.logprob) for piece in script.pieces)
        return replace(script, pieces=pieces)

    return play


def _plain(said: Said, received: Received) -> Script:
    length = "length" if said.cut else ""
    if received.path.endswith("/chat/completions"):
        make = chat.stream if received.json.get("stream") else chat.answer
        return make(said.text, tools=said.tools, finish=length, used=USED)(received)  # type: ignore[operator]
    if received.path.endswith("/completions"):
        finish = length or "stop"
        if received.json.get("stream"):
            return small.completion_stream((said.text,), used=USED, finish=finish)(received)
        return small.completion((said.text,), used=USED, finish=finish)(received)
    if received.path.endswith("/responses"):
        respond = responses.stream if received.json.get("stream") else responses.answer
        status = "incomplete" if said.cut else "completed"
        return respond(said.text, tools=said.tools, status=status, used=USED)(received)  # type: ignore[operator]
    tell = messages.stream if received.json.get("stream") else messages.answer
    stop = "max_tokens" if said.cut else ""
    return tell(said.text, tools=said.tools, stop=stop, used=USED)(received)  # type: ignore[operator]


def _asks_logprobs(received: Received) -> bool:
    asked = received.json
    return bool(asked.get("logprobs")) or "message.output_text.logprobs" in asked.get("include", [])


def _with_logprobs(piece: bytes, logprob: float) -> bytes:
    """The piece, an event or a whole body, with log probabilities wherever they belong."""
    head, data, payload = piece.rpartition(b"data: ")
    if payload.startswith(b"[DONE]"):
        return piece
    body = msgspec.json.decode(payload)
    _tell(body, logprob)
    return head + data + msgspec.json.encode(body) + (b"\n\n" if data else b"")


def _tell(node: Any, logprob: float) -> None:
    if isinstance(node, list):
        for inner in node:
            _tell(inner, logprob)
    if not isinstance(node, dict):
        return
    token = {"token": "t", "logprob": logprob, "bytes": [116], "top_logprobs": []}
    if "finish_reason" in node and "text" in node:
        tops = [{"t": logprob}]
        node["logprobs"] = {"tokens": ["t"], "token_logprobs": [logprob], "text_offset": [0]}
        node["logprobs"]["top_logprobs"] = tops
    elif "finish_reason" in node:
        node["logprobs"] = {"content": [token], "refusal": None}
    elif node.get("type") in ("output_text", "response.output_text.delta"):
        node["logprobs"] = [token]
    for inner in node.values():
        _tell(inner, logprob)
