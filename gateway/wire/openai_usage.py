"""Usage as OpenAI-wire servers report it, read leniently: servers differ and lie."""

from __future__ import annotations

from typing import Any

from gateway.core.usage import Usage
from gateway.wire.lenient import count_of, dict_of, text_of


def read_usage(found: object, tier: object = None) -> Usage | None:
    """A `usage` object as our `Usage`; None when it is missing, broken or all zero.

    A server that reports zero input tokens cannot have read the request, so such figures are
    treated as missing and estimated. `tier` is the service tier that stands beside the usage.
    """
    usage = dict_of(found)
    prompt = count_of(usage.get("prompt_tokens"))
    if prompt == 0:
        return None
    inputs = dict_of(usage.get("prompt_tokens_details"))
    outputs = dict_of(usage.get("completion_tokens_details"))
    return usage_of(prompt, inputs, count_of(usage.get("completion_tokens")), outputs, tier)


def usage_of(
    total: int, inputs: dict[str, Any], output: int, outputs: dict[str, Any], tier: object
) -> Usage:
    """The details that OpenAI's wires tell under the same names; a part never exceeds its total.

    What was read from a cache may be told by kind in `cached_tokens_details`.
    """
    cached = dict_of(inputs.get("cached_tokens_details"))

    def read(holder: dict[str, Any], name: str, most: int) -> int:
        return min(most, count_of(holder.get(name)))

    return Usage(
        input_tokens=total,
        cached_input_tokens=read(inputs, "cached_tokens", total),
        cache_write_tokens=read(inputs, "cache_write_tokens", total),
        input_audio_tokens=read(inputs, "audio_tokens", total),
        cached_audio_tokens=read(cached, "audio_tokens", total),
        input_image_tokens=read(inputs, "image_tokens", total),
        cached_image_tokens=read(cached, "image_tokens", total),
        output_tokens=output,
        reasoning_tokens=count_of(outputs.get("reasoning_tokens")),
        output_audio_tokens=read(outputs, "audio_tokens", output),
        output_image_tokens=read(outputs, "image_tokens", output),
        service_tier=text_of(tier),
    )
