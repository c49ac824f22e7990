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

# How surprising a letter (a to z, then digits, then the rest) is after another in the words and
# names of the Python standard library: quarters of a bit. Made by ops/training/letter_pairs.py.
_PAIRS = (
    "kUPQjdTnVqZNQPqUoMPLXVdbZnac" "LZWZOdeiPTkLbcPYoRSaMrgmSgTV" "NhYcNciNV0ORcgJeoRYNUhltbsXU"
    "QcbTIZdhLklTgePepWUYShhmboRL" "SdRQYVajerkTUNeWaLMPgYZSZmcN" "PfZYQOajIqwRffLgrPWURplyZyUU"
    "UdecGgWRPvtSZRVd4PPWUghrlhcN" "IhecIimiO4eZadLiuTZQXnlsdskP" "WWRTVWStkpmPSIOVoUOOoXuW5Wpe"
    "OpVcHcicViTcfpMWpfQfKifpcpYR" "SdWaGWYdOlkTfXZZhZPZZgV0gpfK" "ObcSIdiiLwiOhfMYwiUSVflyUngS"
    "KUeZHimlQuhYTdNN0gUXWoqta0jS" "OgQNNUMhSpZZfYRZogPLVYkphqdQ" "XXRPiZXmboYSQKUQzLTSRYTbmkgU"
    "KhbaLbiZS8dOggOSmMVPWhgwT8eR" "cebehmjhmssWgWjcVVTgCjgsssZS" "NfVWIcWkN0aaVXNb0SPQXadqVxiR"
    "UjTeKedTOvaXddUSffPISgfoXsgQ" "PfXaJcmQMzhZbeQZsPTUVifjUkeL" "VSWZQXZqT1mORLbQ1OQNhoriupNd"
    "KfaiDehjN1shegXcvdcilfgnooYU" "LfaYQdjTJukXaQPdmNQaikde0neN" "YdQaQWkcR1oaXfcOqbZKdeiWVlHP"
    "cYWaVZegV0mUUQZKlXMOecYlgdaI" "PibcDetZMttYXgRbtgccdtgnacZT" "TVVQVVunrtpinlfk1ogjopsNsuDS"
    "SUPSSSVUSjaTSTVRhSOQSZXfkiVO"
)  # fmt: skip
_STEPS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BITS = tuple(_STEPS.index(step) / 4 for step in _PAIRS)
_ROW = 28
_KIND = {chr(code): code - 97 for code in range(97, 123)}
_KIND.update({chr(code): code - 65 for code in range(65, 91)})
_KIND.update({str(digit): 26 for digit in range(10)})
_BEGINNING = 27
#: Bits a letter from which a string is no word or name: 99.9 % of the names of 12 letters and more
#: in held-out code stay below, 99 % of random strings of letters and digits are above.
SURPRISING = 5.4


def bits_per_character(text: str) -> float:
    """Shannon entropy of the characters, in bits."""
    size = len(text)
    if size == 0:
        return 0.0
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())


def surprise(text: str) -> float:
    """Mean surprise, in bits a letter, of one who expects words; random text is above 5.4."""
    kind, bits = _KIND.get, _BITS
    before, total = _BEGINNING, 0.0
    for character in text:
        now = kind(character, _BEGINNING)
        total += bits[before * _ROW + now]
        before = now
    return total / max(1, len(text))


def alternations(text: str) -> int:
    """How often letters and digits take turns; names change seldom, generated strings often."""
    turns = 0
    before = ""
    for character in text:
        if character.isalnum():
            now = "d" if character.isdigit() else "a"
            turns += now != before
            before = now
    return turns


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
