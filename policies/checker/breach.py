"""A claim about a policy that does not hold."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.problems import Place


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that does not hold; `counterexample` is a request as a test's `given` writes it."""

    code: str
    at: Place
    path: str
    says: str
    message: str
    hint: str
    counterexample: dict[str, Any] | None = None
