"""Answers of plain text completion servers as events."""

from __future__ import annotations

from typing import Any

from gateway.core.conversation import Event, Finished, TextDelta
from gateway.wire.lenient import text_of
from gateway.wire.logprobs import read_columns
from gateway.wire.openai_answers import AnswerReader, read_answer


def read_text(body: bytes) -> list[Event]:
    """A whole completion as the events that its stream would have been."""
    return read_answer(body, TextChoice)


def text_reader() -> AnswerReader:
    """What reads a stream."""
    return AnswerReader(TextChoice)


class TextChoice:
    """The first choice of one answer; see `gateway.wire.openai_answers.Choice`."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._begun = False

    def take(self, choice: dict[str, Any]) -> list[Event]:
        """The text of one chunk, or of the whole answer."""
        text = text_of(choice.get("text"))
        if not self._begun:
            # The blank after "ASSISTANT:" is the template's, though the model writes it.
            text = text.lstrip()
        self._begun = self._begun or bool(text)
        tokens = read_columns(choice.get("logprobs"))
        return [TextDelta(text, tokens)] if text or tokens else []

    def finish(self, reason: object) -> list[Event]:
        """The end of the choice."""
        return [Finished("length" if reason in ("length", "max_tokens") else "stop")]
