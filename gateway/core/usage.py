"""Tokens by class, as a backend reported them or as we estimated them."""

from __future__ import annotations

import msgspec

#: The classes that usage is priced and reported by. They do not overlap: `input` is what is left
#: of the total when every special class has been taken out, and so is `output`. `cache_write` is
#: the five-minute cache; `web_search` counts searches and `request` calls, not tokens; `in_doubt`
#: is money of which nobody knows the tokens (see `gateway.core.ledger`).
INPUT_CLASSES = (
    "input",
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "cached_audio",
    "input_image",
    "cached_image",
)
OUTPUT_CLASSES = ("output", "reasoning", "output_audio", "output_image")
TOKEN_CLASSES = (*INPUT_CLASSES, *OUTPUT_CLASSES)
USAGE_CLASSES = (*TOKEN_CLASSES, "web_search", "request", "in_doubt")


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one attempt, in totals that include their parts, as the vendors count them.

    - `input_tokens` includes everything that was read: `cached_input_tokens` (from a cache),
      `cache_write_tokens` (and written to one), `input_audio_tokens`, `input_image_tokens`.
    - `cache_write_tokens` includes `cache_write_1h_tokens`; the rest lives for five minutes.
    - `cached_audio_tokens` are part of both `cached_input_tokens` and `input_audio_tokens`,
      `cached_image_tokens` of both `cached_input_tokens` and `input_image_tokens`.
    - `output_tokens` includes `reasoning_tokens`, `output_audio_tokens`, `output_image_tokens`.

    `web_searches` are the searches that the backend made and bills by the piece; `service_tier`
    is the tier that the backend says it served in (flex, priority, batch, ...), empty for the
    standard one. `estimated` says that the backend reported nothing usable and the figures are
    ours.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    cached_audio_tokens: int = 0
    input_image_tokens: int = 0
    cached_image_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    web_searches: int = 0
    service_tier: str = ""


#: The fields of `Usage` that are counts.
COUNTED = tuple(
    name for name in Usage.__struct_fields__ if name not in ("estimated", "service_tier")
)


def quantities(usage: Usage) -> list[tuple[str, int]]:
    """The usage by classes that do not overlap; classes without anything are left out.

    A part that exceeds its total is trusted over it, so that a wrong total never hides cost.
    """
    cached_audio, cached_image = usage.cached_audio_tokens, usage.cached_image_tokens
    cached = max(0, usage.cached_input_tokens - cached_audio - cached_image)
    written_1h = usage.cache_write_1h_tokens
    written = max(0, usage.cache_write_tokens - written_1h)
    audio = max(0, usage.input_audio_tokens - cached_audio)
    image = max(0, usage.input_image_tokens - cached_image)
    special = cached + cached_audio + cached_image + written + written_1h + audio + image
    reasoning, audio_out = usage.reasoning_tokens, usage.output_audio_tokens
    image_out = usage.output_image_tokens
    found = (
        ("input", max(0, usage.input_tokens - special)),
        ("cached_input", cached),
        ("cache_write", written),
        ("cache_write_1h", written_1h),
        ("input_audio", audio),
        ("cached_audio", cached_audio),
        ("input_image", image),
        ("cached_image", cached_image),
        ("output", max(0, usage.output_tokens - reasoning - audio_out - image_out)),
        ("reasoning", reasoning),
        ("output_audio", audio_out),
        ("output_image", image_out),
        ("web_search", usage.web_searches),
    )
    return [(name, count) for name, count in found if count]


def difference(later: Usage, earlier: Usage) -> Usage:
    """What must be added to `earlier` to make it `later`, count by count (may be negative)."""
    counts = {name: getattr(later, name) - getattr(earlier, name) for name in COUNTED}
    return Usage(**counts, estimated=later.estimated, service_tier=later.service_tier)
