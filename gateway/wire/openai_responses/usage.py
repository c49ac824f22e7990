"""Usage as the Responses API tells it, read leniently and written in full."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.usage import Usage
from gateway.wire.lenient import count_of, dict_of, list_of
from gateway.wire.openai_usage import usage_of


def read_usage(response: dict[str, Any]) -> Usage | None:
    """A response's usage; None when it is missing, broken or without input.

    A server that reports zero input tokens cannot have read the request. Searches of the web are
    billed by the piece; they stand among the output items.
    """
    found = dict_of(response.get("usage"))
    total = count_of(found.get("input_tokens"))
    if total == 0:
        return None
    usage = usage_of(
        total,
        dict_of(found.get("input_tokens_details")),
        count_of(found.get("output_tokens")),
        dict_of(found.get("output_tokens_details")),
        response.get("service_tier"),
    )
    searches = sum(map(_is_search, list_of(response.get("output"))))
    return msgspec.structs.replace(usage, web_searches=searches) if searches else usage


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


def _is_search(item: object) -> bool:
    """Opening a page that was found, or looking into it, is no search of its own."""
    held = dict_of(item)
    action = dict_of(held.get("action")).get("type", "search")
    return held.get("type") == "web_search_call" and action == "search"
