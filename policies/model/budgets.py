"""One entry of `budgets`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from policies.problems import Place


class BudgetStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `budgets`: dollars a period for a scope such as `team/support`."""

    at: Place
    scope: str
    usd: Decimal
    per: str = "month"
    on_exhausted: str = "refuse"
