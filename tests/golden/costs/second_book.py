"""The same usage at the prices of a second, independent list (LiteLLM's public table)."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

NANO = 10**9
_PREFIXES = {
    "openai": "",
    "anthropic": "",
    "google": "gemini/",
    "mistral": "mistral/",
    "groq": "groq/",
    "azure": "azure/",
    "together": "together_ai/",
}
_TIERS = {"": "", "default": "", "batch": "_batches", "flex": "_flex", "priority": "_priority"}
#: Each class with the columns that may price it, the most particular first.
_COLUMNS = {
    "cached_audio": ("cache_read_input_audio_token_cost",),
    "cached_image": ("cache_read_input_image_token_cost",),
    "cached": ("cache_read_input_token_cost",),
    "written_1h": ("cache_creation_input_token_cost_above_1hr",),
    "written": ("cache_creation_input_token_cost",),
    "audio": ("input_cost_per_audio_token",),
    "image": ("input_cost_per_image_token", "input_cost_per_token"),
    "input": ("input_cost_per_token",),
    "reasoning": ("output_cost_per_reasoning_token", "output_cost_per_token"),
    "audio_out": ("output_cost_per_audio_token",),
    "image_out": ("output_cost_per_image_token",),
    "output": ("output_cost_per_token",),
}


def second_row(book: dict[str, Any], provider: str, model: str) -> dict[str, Any] | None:
    """The second list's row of a model; None where it has none."""
    if provider not in _PREFIXES:
        return None
    return book.get(_PREFIXES[provider] + model)


def second_cost(row: dict[str, Any], usage: dict[str, Any]) -> int | None:
    """Nano-USD by the second list; None where it lacks a figure that the usage needs."""
    tier = _TIERS.get(usage.get("service_tier", ""))
    if tier is None:
        return None
    size = usage.get("input_tokens", 0)
    total = Fraction(0)
    for name, count in _counted(usage).items():
        if not count:
            continue
        figure = _figure(row, name, size, tier)
        if figure is None:
            return None
        total += count * figure
    searches = usage.get("web_searches", 0)
    if searches:
        costs = row.get("search_context_cost_per_query")
        if not costs:
            return None
        total += searches * _exact(costs["search_context_size_medium"])
    return round(total * NANO)


def _figure(row: dict[str, Any], name: str, size: int, tier: str) -> Fraction | None:
    for column in _COLUMNS[name]:
        best: tuple[int, float] | None = None
        for key, value in row.items():
            matched = re.fullmatch(re.escape(column) + r"(?:_above_(\d+)k_tokens)?" + tier, key)
            if matched and isinstance(value, int | float):
                step = int(matched[1] or 0) * 1000
                if size > step or not step:
                    best = max(best or (step, value), (step, value))
        if best is not None:
            return _exact(best[1])
    return None


def _exact(figure: float) -> Fraction:
    return Fraction(Decimal(str(figure)))


def _counted(usage: dict[str, Any]) -> dict[str, int]:
    def told(name: str) -> int:
        return int(usage.get(name + "_tokens", 0))

    audio, image = told("cached_audio"), told("cached_image")
    found = {
        "cached_audio": audio,
        "cached_image": image,
        "cached": told("cached_input") - audio - image,
        "written_1h": told("cache_write_1h"),
        "written": told("cache_write") - told("cache_write_1h"),
        "audio": told("input_audio") - audio,
        "image": told("input_image") - image,
        "reasoning": told("reasoning"),
        "audio_out": told("output_audio"),
        "image_out": told("output_image"),
    }
    inputs = ("cached_audio", "cached_image", "cached", "written_1h", "written", "audio", "image")
    found["input"] = told("input") - sum(found[name] for name in inputs)
    outputs = ("reasoning", "audio_out", "image_out")
    found["output"] = told("output") - sum(found[name] for name in outputs)
    return found
