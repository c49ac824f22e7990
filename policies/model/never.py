"""One entry of `never`."""

from __future__ import annotations

import msgspec

from policies.model.conditions import Condition
from policies.model.selectors import Selector
from policies.problems import Place


class NeverStatement(msgspec.Struct, frozen=True, kw_only=True):
    """An invariant: where `when` holds (without it, always), no such deployment is called."""

    at: Place
    id: str
    deployment: Selector
    because: str = ""
    when: Condition | None = None
