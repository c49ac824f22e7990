"""The `degradation` section."""

from __future__ import annotations

import msgspec

from policies.problems import Place


class DegradationStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of each moment; empty where it says nothing."""

    at: Place = Place()
    redis_down: str = ""
    classifier_failed: str = ""
    price_unknown: str = ""
    no_candidate: str = ""
    budget_exhausted: str = ""
    provider_down: str = ""
