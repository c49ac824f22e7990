"""One entry of `limits`."""

from __future__ import annotations

import msgspec

from policies.problems import Place


class LimitStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `limits`: requests and tokens in any minute (`per`), and how many at once."""

    at: Place
    scope: str
    requests: int | None = None
    tokens: int | None = None
    concurrent: int | None = None
    per: str = "minute"
