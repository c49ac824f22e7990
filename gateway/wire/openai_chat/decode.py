"""Answers of servers that speak OpenAI chat as events.

Servers differ here too: reasoning comes under two names, content as parts, `finish_reason` says
`stop` after a tool call; see `gateway.wire.openai_chat.calls` for tool calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.conversation import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
)
from gateway.wire.citations import read_annotations
from gateway.wire.lenient import dict_of, list_of, text_of
from gateway.wire.logprobs import read_tokens
from gateway.wire.openai_answers import AnswerReader, read_answer
from gateway.wire.openai_chat.calls import CallReader

_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {
        "stop": "stop",
        "eos": "stop",
        "eos_token": "stop",
        "end_turn": "stop",
        "stop_sequence": "stop",
        "length": "length",
        "max_tokens": "length",
        "model_length": "length",
        "tool_calls": "tool_calls",
        "tool_use": "tool_calls",
        "function_call": "tool_calls",
        "content_filter": "content_filter",
    }
)


def read_completion(body: bytes) -> list[Event]:
    """A whole completion as the events that its stream would have been."""
    return read_answer(body, ChatChoice)


def completion_reader() -> AnswerReader:
    """What reads a stream."""
    return AnswerReader(ChatChoice)


class ChatChoice:
    """The first choice of one answer; see `gateway.wire.openai_answers.Choice`."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._calls = CallReader(seed=f"{answer.get('id')}{answer.get('created')}")

    def take(self, choice: dict[str, Any]) -> list[Event]:
        """What one delta, or a whole message, adds."""
        said = dict_of(choice.get("delta") or choice.get("message"))
        events: list[Event] = []
        # Servers that send both say the same in them.
        if thought := text_of(said.get("reasoning_content") or said.get("reasoning")):
            events.append(ReasoningDelta(thought))
        events += _content(said.get("content"), choice.get("logprobs"))
        events += read_annotations(said.get("annotations"))
        if refusal := text_of(said.get("refusal")):
            events.append(RefusalDelta(refusal))
        return events + self._calls.take(said)

    def finish(self, reason: object) -> list[Event]:
        """The end of the choice."""
        meant = _REASONS.get(text_of(reason), "stop")
        events = self._calls.finish()
        if meant == "stop" and self._calls.seen:
            meant = "tool_calls"
        return [*events, Finished(meant)]


def _content(found: object, logprobs: object) -> list[Event]:
    """Content as text, or as the parts that some vendors send."""
    if isinstance(found, str):
        tokens = read_tokens(dict_of(logprobs).get("content"))
        return [TextDelta(found, tokens)] if found or tokens else []
    events: list[Event] = []
    for part in list_of(found):
        match part:
            case str():
                events.append(TextDelta(part))
            case {"type": "thinking", "thinking": [*pieces]}:
                texts = (text_of(dict_of(piece).get("text")) for piece in pieces)
                events.append(ReasoningDelta("".join(texts)))
            case {"type": "thinking", "thinking": str(thought)}:
                events.append(ReasoningDelta(thought))
            case {"type": "refusal", "refusal": str(refusal)}:
                events.append(RefusalDelta(refusal))
            case {"text": str(text)}:
                events.append(TextDelta(text))
    return events
