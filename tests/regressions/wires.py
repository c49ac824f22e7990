"""Two wires and what lies between them, without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from gateway.core.request import ChatRequest
from gateway.runtime.bridges import APIS, bridge_between
from gateway.wire.base import Bridge, Encoded, Sending, StreamReader

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
COMPLETIONS = "/v1/completions"
SENDING = Sending(model="real-model", output_cap=1000)


def request(path: str = CHAT, **fields: Any) -> ChatRequest:
    """A small request of that API with further fields."""
    known: dict[str, Any] = {"model": "auto"}
    if path == COMPLETIONS:
        known["prompt"] = "hello"
    else:
        known["messages"] = [{"role": "user", "content": "hello"}]
    if path == MESSAGES:
        known["max_tokens"] = 100
    return APIS[path].decode(json.dumps(known | fields).encode())


def bridge(back: str, path: str = CHAT) -> Bridge:
    """What lies between an API and a back wire."""
    return bridge_between(APIS[path], back, new_id="1", created=1)


def encoded(asked: ChatRequest, back: str, path: str = CHAT) -> tuple[Any, Encoded]:
    """The body that the backend gets, decoded, and its losses."""
    sent = bridge(back, path).encode(asked, SENDING)
    return json.loads(sent.body), sent


def streamed(
    chunks: Iterable[bytes], back: str = "openai_chat", path: str = CHAT, **fields: Any
) -> tuple[bytes, StreamReader]:
    """What the client gets of a stream, and the reader at its end."""
    reader = bridge(back, path).stream(request(path, stream=True, **fields))
    passed = b"".join([reader.feed(chunk) for chunk in chunks])
    return passed + reader.finish(), reader


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One event of an OpenAI chat stream."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    payload = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]} | more
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def event(kind: str, **fields: Any) -> bytes:
    """One event of an Anthropic stream."""
    payload = json.dumps({"type": kind} | fields, ensure_ascii=False).encode()
    return b"event: " + kind.encode() + b"\ndata: " + payload + b"\n\n"


def anthropic_stream(*inner: bytes, stop: str = "end_turn", **usage: int) -> list[bytes]:
    """An Anthropic stream around those events."""
    told = {"input_tokens": 9, "output_tokens": 4} | usage
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "usage": {**told, "output_tokens": 1},
    }
    return [
        event("message_start", message=message),
        *inner,
        event("message_delta", delta={"stop_reason": stop}, usage=told),
        event("message_stop"),
    ]


DONE = b"data: [DONE]\n\n"
HELLO = [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hello"})]
END = [chunk({}, "stop"), DONE]


def payloads(body: bytes) -> list[Any]:
    """The JSON of every event; the end marker as its own text."""
    found = []
    for line in body.splitlines():
        if line.startswith(b"data:"):
            text = line[5:].strip()
            found.append("[DONE]" if text == b"[DONE]" else json.loads(text))
    return found


def deltas(body: bytes) -> list[Any]:
    """The deltas of an OpenAI chat stream."""
    chunks = [one for one in payloads(body) if one != "[DONE]"]
    return [choice["delta"] for one in chunks for choice in one["choices"]]


def calls(body: bytes) -> dict[int, dict[str, str]]:
    """The tool calls of an OpenAI chat stream, put together as its clients do: by index."""
    found: dict[int, dict[str, str]] = {}
    for delta in deltas(body):
        for piece in delta.get("tool_calls") or []:
            call = found.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
            call["id"] += piece.get("id") or ""
            call["name"] += piece["function"].get("name") or ""
            call["arguments"] += piece["function"].get("arguments") or ""
    return found


def blocks(body: bytes) -> list[dict[str, Any]]:
    """The content blocks of an Anthropic stream, put together as its clients do."""
    found: dict[int, dict[str, Any]] = {}
    for one in payloads(body):
        if one["type"] == "content_block_start":
            found[one["index"]] = {**one["content_block"], "json": ""}
        elif one["type"] == "content_block_delta":
            delta = one["delta"]
            block = found[one["index"]]
            if delta["type"] == "text_delta":
                block["text"] += delta["text"]
            elif delta["type"] == "input_json_delta":
                block["json"] += delta["partial_json"]
    return [found[index] for index in sorted(found)]
