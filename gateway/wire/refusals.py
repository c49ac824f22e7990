"""Answers that are none: refusals in prose, and tool calls that the server did not recognise."""

from __future__ import annotations

import re

#: A refusal says so at once; characters that are looked at.
_BEGINNING = 240

_CANNOT = (
    r"(?:can(?:'|no)?t|can not|could ?n'?t|won'?t|am unable|'m unable|am not able|'m not able)"
)
_DOING = (
    r"(?:answer|assist|help|provide|comply|fulfil+|do (?:that|this)|complete|create|generate|"
    r"discuss|engage|write|share|give|access|process|respond|continue|support|offer)"
)
_REFUSAL = re.compile(
    "|".join(
        (
            rf"\W*(?:i'?m|i am|we are|we're)?\s*(?:very |so |really |truly )?(?:sorry|afraid)\b"
            rf"[^.!?\n]{{0,80}}?\b(?:{_CANNOT}|unable|not able)\b",
            rf"\W*(?:unfortunately,?\s*|i apologi[sz]e,?\s*(?:but\s*)?)?"
            rf"(?:as an? (?:ai|language model)\b[^.!?\n]{{0,80}}?)?"
            rf"\bi\s*{_CANNOT}\s+(?:to\s+)?{_DOING}\b",
            r"\W*i (?:must|have to) (?:respectfully )?decline\b",
            r"\W*i (?:do not|don'?t) (?:know\b|have (?:enough |any |sufficient )?"
            r"(?:information|access|knowledge)\b)",
            r"\W*(?:es tut mir (?:sehr )?leid|tut mir leid)\b[^.!?\n]{0,60}?\bkann\b",
            r"\W*leider kann ich\b[^.!?\n]{0,80}?\bnicht\b",
            r"\W*ich kann (?:ihnen |dir )?(?:dabei|damit|diese[rsn]?|das) [^.!?\n]{0,60}?nicht\b",
            r"\W*(?:je suis )?(?:vraiment )?désolée?\b[^.!?\n]{0,60}?\bne (?:peux|puis)\b",
            r"\W*lo siento\b[^.!?\n]{0,60}?\bno puedo\b",
            r"\W*mi dispiace\b[^.!?\n]{0,60}?\bnon posso\b",
            r"\W*(?:desculpe|sinto muito|lamento)\b[^.!?\n]{0,60}?\bnão posso\b",
            r"\W*(?:het spijt me|sorry)\b[^.!?\n]{0,60}?\bkan (?:ik|dat)\b",
            r"\W*(?:申し訳(?:ありません|ございません)|抱歉|对不起|很抱歉)",
        )
    ),
    re.IGNORECASE,
)
_UNREAD_CALL = re.compile(
    r"<tool_call>|<function=|<function_calls?>|\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call"
)


def is_refusal(text: str) -> bool:
    """Whether an answer begins by saying that it will not or cannot answer."""
    beginning = text[:_BEGINNING].replace("\u2019", "'")
    return _REFUSAL.match(beginning) is not None


def calls_in_text(text: str) -> bool:
    """Whether a model wrote a call in its own marks, and the server passed it on as text."""
    return _UNREAD_CALL.search(text) is not None
