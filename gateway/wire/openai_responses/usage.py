"""Usage as the Responses API tells it, read leniently and written in full."""

from __future__ import annotations

from typing import Any

from gateway.core.usage import Usage


def read_usage(found: object) -> Usage | None:
    """A `usage` object as our `Usage`; None when it is missing, broken or without input.

    A server that reports zero input tokens cannot have read the request.
    """
    if not isinstance(found, dict):
        return None
    total = _count(found, "input_tokens")
    if total == 0:
        return None
    inputs = found.get("input_tokens_details")
    return Usage(
        input_tokens=total,
        cached_input_tokens=min(total, _count(inputs, "cached_tokens")),
        cache_write_tokens=min(total, _count(inputs, "cache_write_tokens")),
        output_tokens=_count(found, "output_tokens"),
        reasoning_tokens=_count(found.get("output_tokens_details"), "reasoning_tokens"),
    )


def encode_usage(usage: Usage) -> dict[str, Any]:
    """Usage with the details that the official types require."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _count(holder: Any, name: str) -> int:
    count = holder.get(name) if isinstance(holder, dict) else None
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 0:
        return 0
    return int(count)
