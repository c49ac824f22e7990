"""Usage as OpenAI-wire servers report it, read leniently: servers differ and lie."""

from __future__ import annotations

from typing import Any

from gateway.core.usage import Usage


def read_usage(found: object) -> Usage | None:
    """A `usage` object as our `Usage`; None when it is missing, broken or all zero.

    A server that reports zero input tokens cannot have read the request, so such figures are
    treated as missing and estimated.
    """
    if not isinstance(found, dict):
        return None
    prompt = _count(found, "prompt_tokens")
    completion = _count(found, "completion_tokens")
    if prompt == 0:
        return None
    inputs = found.get("prompt_tokens_details")
    outputs = found.get("completion_tokens_details")
    return Usage(
        input_tokens=prompt,
        cached_input_tokens=min(prompt, _count(inputs, "cached_tokens")),
        output_tokens=completion,
        reasoning_tokens=_count(outputs, "reasoning_tokens"),
    )


def _count(holder: Any, name: str) -> int:
    if not isinstance(holder, dict):
        return 0
    count = holder.get(name)
    if isinstance(count, bool) or not isinstance(count, int | float) or count < 0:
        return 0
    return int(count)
