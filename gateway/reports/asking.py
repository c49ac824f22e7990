"""What is asked of a report, and what it must know beside the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.closing import Closed
from gateway.core.deployment import Deployment
from gateway.core.prices import Price
from gateway.reports.rates import Rates

#: The hours of a month in projections: 365 days and a quarter, by 12.
MONTH_HOURS = 730.5


class ReportError(ValueError):
    """A report was asked for something that it cannot tell; the message says what it can."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """The question.

    `start` and `end` are epoch seconds, None for everything; `end` itself is not included. `now`
    is the moment of asking. `zone` names the time zone of days and months. `by` are dimensions
    (empty: those that the report usually has) and `across` one whose values become columns.
    `against` are baselines as PROVIDER/MODEL; `method` is a way to forecast; `tokens` a month and
    `input_share` of them (None: as the ledger has it) are for projections; `bills` are real
    amounts of own machines in the span, in nano-USD by deployment. `accounts` are the names of
    general ledger accounts; `decimals` those of a journal's currency. Lines dated before
    `billed_from` (epoch seconds) are billed as if they were of that moment. `machines_since` says
    since when own machines are paid for, where that is known better than from their first line.
    `idle` asks for a line for each month's idle time and variance of own machines beside the
    ledger's, see `gateway.reports.machines`.
    """

    now: float
    start: float | None = None
    end: float | None = None
    zone: str = "UTC"
    by: tuple[str, ...] = ()
    across: str = ""
    against: tuple[str, ...] = ()
    method: str = ""
    tokens: int = 1_000_000_000
    input_share: float | None = None
    bills: Mapping[str, int] = MappingProxyType({})
    accounts: Mapping[str, str] = MappingProxyType({})
    decimals: int = 2
    billed_from: float | None = None
    machines_since: Mapping[str, float] = MappingProxyType({})
    idle: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A budget as policy states it; a scope that ends in `/*` is for each of its kind."""

    scope: str
    per: str
    cap_nanousd: int
    zone: str = "UTC"


def _no_price(_provider: str, _model: str) -> Price | None:
    return None


class Background(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a report knows beside the ledger: the policy in force, list prices and rates.

    `because` are the reasons of routes and constraints by their id; `closes` the closed periods.
    """

    deployments: Mapping[str, Deployment] = MappingProxyType({})
    plans: tuple[Plan, ...] = ()
    because: Mapping[str, str] = MappingProxyType({})
    price_of: Callable[[str, str], Price | None] = _no_price
    rates: Rates | None = None
    closes: tuple[Closed, ...] = ()
