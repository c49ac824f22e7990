"""Reads the files of terms that policies name: a company's own words, one on each line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

#: Larger files are no lists of words; bytes.
_LARGEST = 64 * 1024 * 1024
#: Shorter terms stand in every other text; characters.
_SHORTEST = 2


def terms_lookup(folder: Path = Path()) -> Callable[[str], tuple[str, ...] | None]:
    """A function from a path to the terms of that file; None where there are none to be had.

    Blank lines and those that begin with `#` are left out. Paths begin at `folder`, that of the
    policy file.
    """

    def look_up(path: str) -> tuple[str, ...] | None:
        try:
            with (folder / path).open("rb") as file:
                raw = file.read(_LARGEST + 1)
            text = raw.decode("utf-8-sig")
        except (OSError, ValueError):
            return None
        if len(raw) > _LARGEST:
            return None
        lines = (line.strip() for line in text.splitlines())
        terms = tuple(line for line in lines if len(line) >= _SHORTEST and not line.startswith("#"))
        return terms or None

    return look_up
