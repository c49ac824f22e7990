"""The words a backend uses for a request that it calls wrong."""

from __future__ import annotations

from typing import Any

import msgspec

_LONGEST_WORD = 128


def read_rejection(body: bytes) -> tuple[str, str | None, str | None] | None:
    """Message, code and parameter of an error body; None when it is no known error shape.

    OpenAI, Anthropic and most servers of their wires put an object or a text under `error`.
    """
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    error = answer.get("error", answer) if isinstance(answer, dict) else None
    if isinstance(error, str) and error:
        return error, None, None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return None
    return error["message"], _word(error.get("code")), _word(error.get("param"))


def _word(found: object) -> str | None:
    return found if isinstance(found, str) and len(found) <= _LONGEST_WORD else None
