"""One entry of `routes`, and what it uses."""

from __future__ import annotations

import msgspec

from policies.model.conditions import Condition
from policies.model.selectors import Selector
from policies.problems import Place


class UseStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a route uses: named deployments in order, or a strategy among selected ones."""

    at: Place
    strategy: str = "ordered"
    among: Selector | None = None


class RouteStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `routes`; without `when` it always holds."""

    at: Place
    id: str
    use: UseStatement
    because: str = ""
    when: Condition | None = None
