"""Renders the events of a call in the OpenAI chat wire, streamed or whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.ctransformers.events import (
    AnswerEnded,
    ArgumentsAdded,
    CallFailed,
    CallServed,
    Event,
    TextAdded,
    ToolCalled,
)

DONE = b"data: [DONE]\n\n"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer of a call repeats; `created` is in epoch seconds."""

    id: str
    created: int
    model: str


def _usage(served: CallServed) -> dict[str, int]:
    return {
        "prompt_tokens": served.prompt_tokens,
        "completion_tokens": served.completion_tokens,
        "total_tokens": served.prompt_tokens + served.completion_tokens,
    }


class StreamWriter:
    """Server-sent events, one per event of the call."""

    def __init__(self, identity: Identity, *, include_usage: bool) -> None:
        self._identity = identity
        self._include_usage = include_usage
        self._begun: set[int] = set()

    def write(self, event: Event) -> bytes:
        """The bytes for one event."""
        match event:
            case TextAdded(choice, text):
                return self._delta(choice, {"content": text})
            case ToolCalled(choice, name):
                return self._delta(
                    choice, {"tool_calls": [{"index": 0, **self._call(choice, name)}]}
                )
            case ArgumentsAdded(choice, text):
                call = {"index": 0, "function": {"arguments": text}}
                return self._delta(choice, {"tool_calls": [call]})
            case AnswerEnded(choice, reason):
                begun = self._begin(choice)
                return begun + self._chunk([_choice(choice, {}, reason)])
            case CallServed():
                usage = self._chunk([], _usage(event)) if self._include_usage else b""
                return usage + DONE
            case CallFailed(error):
                return b"data: " + error.body() + b"\n\n"

    def _call(self, choice: int, name: str) -> dict[str, Any]:
        return _tool_call(self._identity, choice, name, "")

    def _delta(self, choice: int, delta: Mapping[str, Any]) -> bytes:
        return self._begin(choice) + self._chunk([_choice(choice, delta, None)])

    def _begin(self, choice: int) -> bytes:
        if choice in self._begun:
            return b""
        self._begun.add(choice)
        return self._chunk([_choice(choice, {"role": "assistant", "content": ""}, None)])

    def _chunk(
        self, choices: list[dict[str, Any]], usage: Mapping[str, int] | None = None
    ) -> bytes:
        chunk: dict[str, Any] = {
            "id": self._identity.id,
            "object": "chat.completion.chunk",
            "created": self._identity.created,
            "model": self._identity.model,
            "choices": choices,
        }
        if self._include_usage:
            chunk["usage"] = usage
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


class WholeWriter:
    """One JSON document, ready when the call is served."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._text: dict[int, list[str]] = {}
        self._names: dict[int, str] = {}
        self._reasons: dict[int, str] = {}

    def take(self, event: Event) -> None:
        """Remember one event of the call."""
        match event:
            case TextAdded(choice, text) | ArgumentsAdded(choice, text):
                self._text.setdefault(choice, []).append(text)
            case ToolCalled(choice, name):
                self._names[choice] = name
            case AnswerEnded(choice, reason):
                self._reasons[choice] = reason
            case CallServed() | CallFailed():
                pass

    def body(self, served: CallServed) -> bytes:
        """The whole answer."""
        return msgspec.json.encode(
            {
                "id": self._identity.id,
                "object": "chat.completion",
                "created": self._identity.created,
                "model": self._identity.model,
                "choices": [self._whole(choice) for choice in sorted(self._reasons)],
                "usage": _usage(served),
            }
        )

    def _whole(self, choice: int) -> dict[str, Any]:
        text = "".join(self._text.get(choice, ()))
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if choice in self._names:
            call = _tool_call(self._identity, choice, self._names[choice], text)
            message.update(content=None, tool_calls=[call])
        return {
            "index": choice,
            "message": message,
            "logprobs": None,
            "finish_reason": self._reasons[choice],
        }


def _choice(index: int, delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


def _tool_call(identity: Identity, choice: int, name: str, arguments: str) -> dict[str, Any]:
    suffix = identity.id.removeprefix("chatcmpl-")
    return {
        "id": f"call_{suffix}{choice}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
