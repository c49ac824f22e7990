"""The part of an answer in prose that says what it comes to, so that two answers can be compared.

Models that reason first say their result last, and usually mark it.
"""

from __future__ import annotations

import re

#: Answers of at most so many words say nothing but their result.
_SHORT = 8
#: Where a marked result is looked for: the end of the answer, in characters.
_END = 2000

_BOXED = re.compile(r"\\boxed\{([^{}]{1,200})\}")
_HASHES = re.compile(r"####[ \t]*([^\n]{1,200})")
_TOLD = re.compile(
    r"\b(?:answer|result|solution|antwort|ergebnis|réponse|respuesta)\b"
    r"(?:[ \t]+(?:is|was|ist|est|es))?[ \t]*[:=]?[ \t]*(?=([^\n]{1,200}))",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*")
_WORD = re.compile(r"\w+")


def final_answer(text: str) -> str:
    """The result that an answer names, in one spelling; empty where it names none."""
    words = _WORD.findall(text)
    if len(words) <= _SHORT:
        return _plain(text)
    end = text[-_END:]
    for marked in (_BOXED, _HASHES, _TOLD):
        found = marked.findall(end)
        if found:
            return _plain(found[-1])
    return ""


def words_of(text: str) -> frozenset[str]:
    """The words that an answer in prose uses."""
    return frozenset(_WORD.findall(text.casefold()))


def _plain(text: str) -> str:
    """A number where there is just one, else the words in lower case."""
    numbers = _NUMBER.findall(text)
    if len(numbers) == 1:
        return _number(numbers[0])
    return " ".join(_WORD.findall(text.casefold()))


def _number(written: str) -> str:
    plain = re.sub(r",(?=\d{3}\b)", "", written).removeprefix("+")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
