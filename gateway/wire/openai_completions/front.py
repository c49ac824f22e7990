"""Text completions as the client's side of a translation, for a single plain prompt.

`view.untranslatable` names what keeps a request from being translated; whoever plans asks it
first. What is left is read here, and what a conversation has no place for is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from gateway.core.conversation import (
    Answer,
    Conversation,
    Event,
    Finished,
    Message,
    RefusalDelta,
    Started,
    Text,
    TextDelta,
    TokenLogprob,
)
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.wire.document import hide
from gateway.wire.logprobs import write_columns
from gateway.wire.openai_completions.view import single_prompt, untranslatable
from gateway.wire.strings import pointer

# Decimals keep numbers that a double cannot hold, such as 1e400.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder()
_DONE = b"data: [DONE]\n\n"

#: Fields that are read here or belong to the gateway.
_READ = frozenset(
    "model prompt stream stream_options max_tokens temperature top_p stop user seed "
    "frequency_penalty presence_penalty echo suffix logprobs".split()
)
#: Values that ask for nothing, by field.
_DEFAULTS: Mapping[str, tuple[object, ...]] = {"n": (1,), "best_of": (1,), "logit_bias": ({},)}


class OpenAICompletionsFront:
    """See `gateway.wire.translate.FrontCodec`."""

    def read(self, request: ChatRequest, hidden: Sequence[tuple[str, str]]) -> Conversation:
        """The prompt as the only message of a user."""
        fields = dict(request.fields)
        hide(fields, tuple(hidden))
        document: dict[str, Any] = {name: _DECODER.decode(raw) for name, raw in fields.items()}
        prompt = Text(single_prompt(document.get("prompt")) or "", "/prompt")
        stop, stop_is_odd = _stop(document.get("stop"))
        skipped = [
            pointer((name,))
            for name, found in document.items()
            if name not in _READ and found is not None and found not in _DEFAULTS.get(name, ())
        ]
        return Conversation(
            messages=(Message(role="user", parts=(prompt,), pointer="/prompt"),),
            stream=request.stream,
            output_cap=request.max_output_tokens,
            temperature=_number(document.get("temperature")),
            top_p=_number(document.get("top_p")),
            stop=stop,
            user=str(document.get("user") or ""),
            frequency_penalty=_number(document.get("frequency_penalty")) or None,
            presence_penalty=_number(document.get("presence_penalty")) or None,
            seed=document.get("seed"),
            logprobs=document.get("logprobs"),
            origins={"output_cap": "/max_tokens", "messages": "/prompt"},
            not_understood=(
                *untranslatable(request),
                *skipped,
                *(["/stop"] if stop_is_odd else []),
            ),
        )

    def write(self, request: ChatRequest, answer: Answer, *, new_id: str, created: int) -> bytes:
        """A whole answer."""
        completion: dict[str, Any] = {
            "id": f"cmpl-{new_id}",
            "object": "text_completion",
            "created": created,
            "model": answer.model,
            "choices": [
                _choice(
                    answer.text or answer.refusal,
                    _finish(answer.finish or "stop"),
                    answer.logprobs,
                )
            ],
        }
        if answer.usage is not None:
            completion["usage"] = _usage(answer.usage)
        return _ENCODER.encode(completion)

    def writer(self, request: ChatRequest, *, new_id: str, created: int) -> ChunkWriter:
        """What writes a stream."""
        return ChunkWriter(
            new_id=f"cmpl-{new_id}", created=created, include_usage=request.include_usage
        )


class ChunkWriter:
    """Writes one stream of text completion chunks; see `gateway.wire.translate.EventWriter`."""

    def __init__(self, *, new_id: str, created: int, include_usage: bool) -> None:
        self._new_id = new_id
        self._created = created
        self._include_usage = include_usage
        self._model = ""
        self._written = 0

    def write(self, event: Event) -> bytes:
        """The chunk for one event; nothing where this old wire has no place for it."""
        match event:
            case Started(model):
                self._model = model
            case TextDelta(text, logprobs):
                offset, self._written = self._written, self._written + len(text)
                return self._chunk([_choice(text, None, logprobs, offset)])
            case RefusalDelta(text):
                self._written += len(text)
                return self._chunk([_choice(text, None)])
            case Finished(reason):
                return self._chunk([_choice("", _finish(reason))])
        return b""

    def end(self, usage: Usage | None) -> bytes:
        """The usage chunk, if the client asked for one, and the end marker."""
        if not self._include_usage or usage is None:
            return _DONE
        return self._chunk([], _usage(usage)) + _DONE

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
        chunk: dict[str, Any] = {
            "id": self._new_id,
            "object": "text_completion",
            "created": self._created,
            "choices": choices,
            "model": self._model,
        }
        if self._include_usage:
            chunk["usage"] = usage
        return b"data: " + _ENCODER.encode(chunk) + b"\n\n"


def _choice(
    text: str, finish: str | None, logprobs: Sequence[TokenLogprob] = (), offset: int = 0
) -> dict[str, Any]:
    told = write_columns(logprobs, offset) if logprobs else None
    return {"text": text, "index": 0, "logprobs": told, "finish_reason": finish}


def _finish(reason: str) -> str:
    """This wire knows no tool calls, and its clients parse the reason strictly."""
    return reason if reason in ("length", "content_filter") else "stop"


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _stop(found: Any) -> tuple[tuple[str, ...], bool]:
    """Stop strings, and whether something else was among them."""
    if isinstance(found, str):
        return (found,), False
    listed = found if isinstance(found, list) else []
    texts = tuple(text for text in listed if isinstance(text, str))
    return texts, len(texts) != len(listed)


def _number(found: Any) -> float | None:
    return None if found is None else float(found)
