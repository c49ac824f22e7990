"""What a disguise is: a way to write something so that it is not seen.

Each disguise has a gate, which the engine answers in its one pass over the text, and a shape with
a function that gives what the writer meant. All whose gates stand open are undone together, places
kept, and what comes out is read as if it had been written so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from gateway.classify.engine import search_set


class Disguise(msgspec.Struct, frozen=True):
    """A way to write something differently: its gate, its shape, and how to read it.

    `gate` may be several patterns, any of which opens it, or none where the gaps between words
    do. `read` gives None where the shape is only a coincidence; `read_back` is for shapes that
    begin with a sign in the middle of what is meant, and gives where that begins as well.
    """

    name: str
    gate: str | tuple[str, ...]
    shape: re.Pattern[str]
    read: Callable[[re.Match[str]], str | None]
    read_back: Callable[[re.Match[str]], tuple[int, str] | None] | None = None

    def gates(self) -> tuple[str, ...]:
        """The patterns any of which opens the gate."""
        return (self.gate,) if isinstance(self.gate, str) else self.gate


#: Words beside which an odd way to write digits is taken for what it hides.
_NUMBER_WORDS = search_set(
    (
        r"card|\bpan\b|visa|master|amex|\bssn\b|social|\biban\b|account|konto|phone|\btel\b|mobile|"
        r"passport|karte|carte|tarjeta|\bid\b|cvv|\bexp|credit|debit|nummer|numero",
    )
)


def beside_number_words(match: re.Match[str], before: int = 80, after: int = 40) -> bool:
    """Whether words of cards, accounts or papers stand near a match."""
    start, end = match.span()
    lead = match.string[max(0, start - before) : start].lower()
    if _NUMBER_WORDS.Match(lead):
        return True
    return bool(_NUMBER_WORDS.Match(match.string[end : end + after].lower()))


def nothing(_match: re.Match[str]) -> str:
    """What separators without a meaning of their own stand for."""
    return ""
