"""The `defaults` section."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from policies.problems import Place


class DefaultsStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The `defaults` section.

    `max_output_tokens` is the output cap of requests that bring none; times are in seconds;
    `retries` is how often a deployment is called again after a failure that a pause can cure;
    `on_lossy` (refuse or record) is what happens to a request of which a backend's wire cannot
    carry everything.
    """

    at: Place = Place()
    max_output_tokens: int = 4096
    request_timeout_seconds: Decimal = Decimal(600)
    first_byte_seconds: Decimal = Decimal(120)
    retries: int = 1
    on_lossy: str = "record"
