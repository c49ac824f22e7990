"""Ids for tool calls of servers that give none."""

from __future__ import annotations

import hashlib


def made_id(seed: str, number: int) -> str:
    """The id of a call by its place in an answer; `seed` is whatever tells answers apart.

    The same answer gives the same id at every reading.
    """
    return "call_" + hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()[:24]
