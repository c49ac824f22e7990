"""One entry of `budgets`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from policies.model.secrets import SecretReference
from policies.problems import Place


class WebhookStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of a budget that is nearly used up: an address, and a secret to sign with."""

    at: Place
    url: str
    secret: SecretReference


class BudgetStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `budgets`: dollars a period for a scope such as `team/support`.

    `on_exhausted` is empty where the `degradation` of the file says it. `per` is a period of the
    calendar in the time zone `zone`, or a rolling window such as `24h`;
    `shrink_to` is the smallest output cap (tokens) that a request may be cut down to when it does
    not fit otherwise, 0 for never; `warn_at` are shares of the cap.
    """

    at: Place
    scope: str
    usd: Decimal
    per: str = "month"
    on_exhausted: str = ""
    zone: str = "UTC"
    shrink_to: int = 0
    warn_at: tuple[Decimal, ...] = ()
    webhook: WebhookStatement | None = None
