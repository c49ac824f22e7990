"""Reading what servers send without trusting it: a wrong type is an empty value, never an error."""

from __future__ import annotations

from typing import Any

import msgspec


def object_of(body: bytes) -> dict[str, Any] | None:
    """A JSON object; None where the bytes hold none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def dict_of(found: object) -> dict[str, Any]:
    """The object, or an empty one."""
    return found if isinstance(found, dict) else {}


def list_of(found: object) -> list[Any]:
    """The array, or an empty one."""
    return found if isinstance(found, list) else []


def text_of(found: object) -> str:
    """The string, or an empty one."""
    return found if isinstance(found, str) else ""


def count_of(found: object) -> int:
    """A count: a number that is not negative, else 0."""
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 2**63:
        return 0
    return int(found)
