"""Refusals in prose, in several languages, and answers that only look like one."""

from __future__ import annotations

import pytest

from gateway.wire.refusals import calls_in_text, is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, I cannot assist with that request.",
        "Sorry, I can't do that.",
        "As an AI language model, I cannot provide medical advice.",
        "Unfortunately, I can't access the internet.",
        "I'm unable to help with that.",
        "I must decline.",
        "I don't know.",
        "Es tut mir leid, aber das kann ich nicht beantworten.",
        "Désolé, je ne peux pas répondre.",
        "Lo siento, pero no puedo ayudarte.",
        "Mi dispiace, ma non posso aiutarti.",
        "申し訳ありませんが、お答えできません。",
    ],
)
def test_a_refusal_is_known_by_its_beginning(text: str) -> None:
    """Models refuse in few words, and at once."""
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I cannot recommend this book enough.",
        "I'm sorry to hear that. Here is what you can do.",
        "I'm sorry for the delay; the flight can be cancelled.",
        "I can't believe how well this went.",
        "Paris.",
        "Dear Sir, I am unable to attend. I'm sorry, but I can't help with that.",
    ],
)
def test_an_answer_with_such_words_is_no_refusal(text: str) -> None:
    """Apologies and idioms are answers."""
    assert not is_refusal(text)


def test_a_call_in_a_models_own_marks_is_found() -> None:
    """The server should have told it as a call."""
    assert calls_in_text('Let me see.\n<tool_call>{"name": "f"}</tool_call>')
    assert not calls_in_text("Use the tool, then call me.")
