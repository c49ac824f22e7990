"""How random a string looks, and whether it only stands where a secret would stand."""

from __future__ import annotations

import math
import re
from collections import Counter

_HEX = re.compile(r"[0-9a-fA-F]+")
_STANDS_FOR = re.compile(
    r"your|<|\$\{|\{\{|\$\(|%\(|x{6,}|\*{3,}|\.{3,}|_{4,}|change[-_]?me|replace[-_]?me|placeholder|"
    r"redacted|insert[-_]|todo|dummy|sample|my[-_](?:api|secret|token|key|password)|process\.env|"
    r"os\.environ|getenv|secrets\.",
    re.I,
)
_SEPARATOR = re.compile(r"[-_.]")


def bits_per_character(text: str) -> float:
    """Shannon entropy of the characters, in bits."""
    size = len(text)
    if size == 0:
        return 0.0
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def placeholder(text: str) -> bool:
    """Whether the text is a stand-in such as `<your-api-key>`, `xxxxxxxx` or `${TOKEN}`."""
    if len(set(text)) <= 3 and not text.isdigit():
        return True
    # After a vendor's prefix a stand-in repeats one sign or says that it is one.
    body = _SEPARATOR.split(text)[-1]
    if len(body) >= 6 and len(set(body)) <= 2:
        return True
    return _STANDS_FOR.match(text) is not None or _STANDS_FOR.match(body) is not None


def random_looking(text: str) -> bool:
    """Whether a string looks generated: several kinds of characters and little repetition."""
    if len(text) < 8:
        return False
    kinds = (
        any(c.islower() for c in text) + any(c.isupper() for c in text)
        + any(c.isdigit() for c in text)
    )  # fmt: skip
    if _HEX.fullmatch(text):
        return len(text) >= 16 and bits_per_character(text) >= 2.5
    return kinds >= 2 and bits_per_character(text) >= min(3.0, math.log2(len(text)) * 0.75)
