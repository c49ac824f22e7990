"""JSON pointers of what was lost on the way, fit for logs, headers and messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

_API_WORD = re.compile(r"[a-z_]{1,40}|\d{1,4}")
#: The most pointers that are shown outside of the audit log.
MOST_SHOWN = 20


def without_text(pointer: str) -> str:
    """The pointer without keys that the caller made up, which may hold anything."""
    steps = pointer.split("/")
    return "/".join(step if not step or _API_WORD.fullmatch(step) else "*" for step in steps)


def shown_pointers(pointers: Sequence[str]) -> tuple[str, ...]:
    """Distinct pointers without text, few enough for a header; the last says if there are more."""
    shown = tuple(dict.fromkeys(map(without_text, pointers)))
    return shown if len(shown) <= MOST_SHOWN else (*shown[:MOST_SHOWN], "...")
