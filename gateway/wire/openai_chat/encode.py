"""Answers of another wire, written as OpenAI chat completions, whole or chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.core.conversation import (
    Answer,
    ArgumentsDelta,
    Cited,
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    TokenLogprob,
    ToolCallStarted,
)
from gateway.core.usage import Usage
from gateway.wire.citations import nested_annotation
from gateway.wire.logprobs import write_tokens

_ENCODER = msgspec.json.Encoder()
_DONE = b"data: [DONE]\n\n"


def encode_completion(answer: Answer, *, new_id: str, created: int) -> bytes:
    """A whole completion; `created` is epoch seconds."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text or (None if answer.tool_calls or answer.refusal else ""),
        "refusal": answer.refusal or None,
        "annotations": [nested_annotation(cited) for cited in answer.citations],
    }
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in answer.tool_calls
        ]
    completion: dict[str, Any] = {
        "id": new_id,
        "object": "chat.completion",
        "created": created,
        "model": answer.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": _logprobs(answer.logprobs),
                "finish_reason": answer.finish or "stop",
            }
        ],
    }
    if answer.usage is not None:
        completion |= _used(answer.usage)
    return _ENCODER.encode(completion)


def encode_usage(usage: Usage) -> dict[str, Any]:
    """Usage as OpenAI reports it: the prompt's total includes what came from a cache."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": usage.input_audio_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": usage.output_audio_tokens,
        },
    }


def _used(usage: Usage) -> dict[str, Any]:
    tier = {"service_tier": usage.service_tier} if usage.service_tier else {}
    return {"usage": encode_usage(usage)} | tier


def _logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any] | None:
    return {"content": write_tokens(tokens), "refusal": None} if tokens else None


class ChunkWriter:
    """Writes one stream: an event in, at most one chunk out; the tail comes from `end`."""

    def __init__(self, *, new_id: str, created: int, include_usage: bool) -> None:
        self._new_id = new_id
        self._created = created
        self._include_usage = include_usage
        self._model = ""

    def write(self, event: Event) -> bytes:
        """The chunk for one event; nothing where OpenAI's wire has no place for it."""
        match event:
            case Started(model):
                self._model = model
                return self._chunk({"role": "assistant", "content": ""})
            case TextDelta(text, logprobs):
                return self._chunk({"content": text}, logprobs=logprobs)
            case Cited():
                return self._chunk({"annotations": [nested_annotation(event)]})
            case RefusalDelta(text):
                return self._chunk({"refusal": text})
            case ReasoningDelta(text):
                return self._chunk({"reasoning_content": text})
            case ToolCallStarted(index, call_id, name):
                function = {"name": name, "arguments": ""}
                call = {"index": index, "id": call_id, "type": "function", "function": function}
                return self._chunk({"tool_calls": [call]})
            case ArgumentsDelta(index, text):
                piece = {"index": index, "function": {"arguments": text}}
                return self._chunk({"tool_calls": [piece]})
            case Finished(reason):
                return self._chunk({}, reason)
        return b""

    def end(self, usage: Usage | None) -> bytes:
        """The usage chunk, if the client asked for one, and the end marker."""
        if not self._include_usage or usage is None:
            return _DONE
        told = {**self._envelope(), "choices": [], **_used(usage)}
        return _event(told) + _DONE

    def _chunk(
        self,
        delta: dict[str, Any],
        finish: str | None = None,
        logprobs: Sequence[TokenLogprob] = (),
    ) -> bytes:
        told = _logprobs(logprobs)
        choice = {"index": 0, "delta": delta, "logprobs": told, "finish_reason": finish}
        return _event({**self._envelope(), "choices": [choice]})

    def _envelope(self) -> dict[str, Any]:
        return {
            "id": self._new_id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
        }


def _event(payload: dict[str, Any]) -> bytes:
    return b"data: " + _ENCODER.encode(payload) + b"\n\n"
