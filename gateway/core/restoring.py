"""Puts hidden values back in place of their placeholders, also while a text is still coming.

Rules of this file:
- only placeholders of this very request are known; any other text passes as it is;
- of a text that comes in pieces no more is held back than may become a placeholder: never more
  than the longest one, and never past the piece that completes or breaks it;
- models leave out the brackets at times (in links, in code), so the name alone is known too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping


class Restoration:
    """The placeholders of one request and the values that they stand for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        known = dict(values)
        for placeholder, value in values.items():
            known.setdefault(placeholder.strip("[]"), value)
        self._values = known
        longest_first = sorted(known, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self.beginnings = frozenset(
            name[:length] for name in known for length in range(1, len(name))
        )
        self.longest = max(map(len, known), default=0)

    def whole(self, text: str, escape: Callable[[str], str] = str) -> str:
        """A text that is all there, with each value as `escape` writes it."""
        return self.pattern.sub(lambda found: escape(self._values[found[0]]), text)


class Restoring:
    """One text of an answer that comes in pieces."""

    def __init__(self, restoration: Restoration, escape: Callable[[str], str] = str) -> None:
        self._restoration = restoration
        self._escape = escape
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may go out now, from what was held back and this piece."""
        text = self._held + piece
        cut = len(text) - self._waiting(text)
        self._held = text[cut:]
        return self._restoration.whole(text[:cut], self._escape)

    def end(self) -> str:
        """What is left when nothing more comes."""
        held, self._held = self._held, ""
        return self._restoration.whole(held, self._escape)

    def _waiting(self, text: str) -> int:
        """How many characters at the end may be the beginning of a placeholder."""
        beginnings, longest = self._restoration.beginnings, self._restoration.longest
        whole = [found.span() for found in self._restoration.pattern.finditer(text)]
        last = whole[-1] if whole else (0, 0)
        for length in range(min(len(text), longest - 1), 0, -1):
            start = len(text) - length
            # A placeholder that is there is not cut for the sake of one that may come.
            if text[start:] in beginnings and not last[0] < start < last[1]:
                return length
        return 0
