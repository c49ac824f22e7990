"""Makes the table of `gateway/classify/surprise.py`: how usual a letter is after another.

Run:  python ops/training/letter_pairs.py        prints the rows that the module holds

Counted are the names and words of the standard library's own sources (identifiers, comments and
documentation), each once, so the table says what words and names look like, and nothing else.
"""

from __future__ import annotations

import math
import re
import sysconfig
from pathlib import Path

KINDS = 28
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#: Steps of the table by bit.
STEPS = 4

_WORD = re.compile(r"[A-Za-z0-9_]{4,40}")
_NUMBER = re.compile(r"[0-9a-fA-F]{8,}|\d+")


def kind(character: str) -> int:
    """The letter's number, 26 for a digit, 27 for the rest and for the beginning."""
    lower = character.lower()
    if "a" <= lower <= "z":
        return ord(lower) - ord("a")
    return 26 if character.isdigit() else 27


def words() -> set[str]:
    """Every word and name in the standard library that is not a number."""
    seen: set[str] = set()
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts or "encodings" in path.parts:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        seen.update(word for word in _WORD.findall(text) if not _NUMBER.fullmatch(word))
    return seen


def table() -> list[str]:
    """One row a letter: the bits of surprise of each next letter, in steps, as characters."""
    counts = [[0.5] * KINDS for _ in range(KINDS)]
    for word in words():
        before = KINDS - 1
        for character in word:
            now = kind(character)
            counts[before][now] += 1
            before = now
    rows = []
    for row in counts:
        total = sum(row)
        bits = (-math.log2(count / total) for count in row)
        rows.append("".join(ALPHABET[min(63, round(b * STEPS))] for b in bits))
    return rows


if __name__ == "__main__":
    for line in table():
        print(f'    "{line}"')
