"""Tokens by class, as a backend reported them or as we estimated them."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens of one attempt.

    `input_tokens` is the total, including `cached_input_tokens` (read from a cache) and
    `cache_write_tokens` (written to one); `output_tokens` includes `reasoning_tokens`.
    `estimated` says that the backend reported nothing usable and the figures are ours.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
