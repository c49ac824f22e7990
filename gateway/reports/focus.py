"""FOCUS 1.2: the ledger as finance tools read bills, a row for each day, sub-account and price.

Rules of this file:
- a row is one day, sub-account (team), model, token class and price; a price that changed within
  a day, another deployment or tier makes another row, for a row has one unit price;
- `EffectiveCost` and `BilledCost` are the ledger's own amounts and add up to its total exactly;
  `ListCost` and `ContractedCost` are quantity times unit price, which the rules ask for;
- what was learnt later is a row of its own of the class Correction; money of which nobody knows
  the tokens is an Adjustment;
- own machines are rows like all others, provided and invoiced by `Self-hosted`; their idle time,
  where it is asked for, is an Adjustment on the last day of each month.
Column names and their meaning: https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.core.periods import months_later, zone_of
from gateway.reports.asking import Ask, Background
from gateway.reports.machines import IDLE, choose_with_idle
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb

#: A rate is nano-USD per million units: so many decimals in dollars for one.
_RATE_DECIMALS = 15
_NANO_DECIMALS = 9
#: Classes that are counted by the piece; all others are tokens.
_PIECES: Mapping[str, str] = MappingProxyType({"web_search": "Requests", "request": "Requests"})
#: Classes of money without known quantities.
_UNKNOWN = frozenset(("in_doubt", "other", IDLE))
_OWN = "Self-hosted"

_MONEY = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
_DECIMALS = (
    *(*_MONEY, "ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity"),
    *("PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice"),
    "PricingCurrencyEffectiveCost",
)
_MOMENTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
#: The columns in their order; those that Fairlead adds begin with `x_`, as the standard asks.
NAMES = (
    # Who, and when.
    *("BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"),
    *("SubAccountId", "SubAccountName", "SubAccountType"),
    *("ProviderName", "PublisherName", "InvoiceIssuerName", "InvoiceId"),
    # What.
    *("ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency"),
    *("ServiceCategory", "ServiceSubcategory", "ServiceName"),
    *("ResourceId", "ResourceName", "ResourceType"),
    *("SkuId", "SkuMeter", "SkuPriceId", "SkuPriceDetails"),
    *("PricingCategory", "PricingCurrency", "CommitmentDiscountStatus", "Tags"),
    # How much.
    *("PricingQuantity", "PricingUnit", "ConsumedQuantity", "ConsumedUnit"),
    *("ListUnitPrice", "ContractedUnitPrice"),
    *("PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice"),
    *("ListCost", "ContractedCost", "EffectiveCost", "BilledCost"),
    *("PricingCurrencyEffectiveCost", "x_Lines", "x_EffectiveCostNanousd"),
)


def _column(name: str) -> Column:
    brief = name in ("ChargePeriodStart", "SubAccountId", "SkuId", "PricingQuantity")
    if name in _DECIMALS:
        return Column(name, Kind.DECIMAL, name, brief=brief or name == "EffectiveCost")
    if name in _MOMENTS:
        return Column(name, Kind.MOMENT, name, brief=brief)
    if name in ("x_Lines", "x_EffectiveCostNanousd"):
        return Column(name, Kind.COUNT, name, adds=name != "x_Lines", brief=False)
    return Column(name, Kind.TEXT, name, brief=brief)


COLUMNS = tuple(_column(name) for name in NAMES)
_SQL = (
    "SELECT moment::DATE AS day, strftime(billed, '%Y-%m') AS month, org, team, provider, "
    "model, deployment, self_hosted, service_tier, token_class, rate, list_rate, "
    "kind = 'correction' AS corrected, sum(quantity)::HUGEINT, count(*), "
    "sum(part_nanousd)::HUGEINT FROM parted WHERE quantity != 0 OR part_nanousd != 0 "
    "GROUP BY ALL ORDER BY ALL"
)


def focus_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Every charge of the span as FOCUS 1.2 has it; `InvoiceId` is empty: no invoice is known."""
    booked = choose_with_idle(database, ask, known)
    rows = tuple(_rows(database.execute(_SQL).fetchall(), ask.zone))
    totals = totals_of(COLUMNS, rows)
    return Report(
        name="focus",
        title="FOCUS 1.2 cost and usage",
        columns=COLUMNS,
        rows=rows,
        totals=totals,
        total_nanousd=whole(totals[-1]),
        ledger_nanousd=booked.ledger_nanousd,
        notes=booked.notes,
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


def _rows(found: Iterable[Sequence[Any]], zone: str) -> Iterator[tuple[Cell, ...]]:
    """A row for each group of the query; what many rows share is made once."""
    days: dict[tuple[Any, ...], tuple[Cell, ...]] = {}
    skus: dict[tuple[Any, ...], tuple[Cell, ...]] = {}
    rates: dict[int, str] = {}
    for *place, quantity, lines, nanousd in found:
        day, month, org, team, provider, model, deployment, own = place[:8]
        tier, token_class, rate, list_rate, corrected = place[8:]
        when = (day, month, org, team, provider, own)
        if when not in days:
            days[when] = _who_and_when(day, month, org, team, provider, own, zone)
        sku = (provider, model, deployment, tier, token_class, list_rate, corrected)
        if sku not in skus:
            skus[sku] = _what(*sku)
        for one in (rate, list_rate):
            if one not in rates:
                rates[one] = _decimal(one, _RATE_DECIMALS)
        price = _UnitPrice(token_class, rate, list_rate, rates[rate], rates[list_rate])
        amounts = _how_much(price, int(quantity), lines, int(nanousd))
        yield (*days[when], *skus[sku], *amounts)


def _who_and_when(
    day: date, month: str, org: str, team: str, provider: str, own: bool, zone: str
) -> tuple[Cell, ...]:
    first = date.fromisoformat(f"{month}-01")
    issuer, team = _OWN if own else provider, team or "none"
    return (
        *(org, org, "Organization", "USD"),
        *(_midnight(first, zone), _midnight(months_later(first), zone)),
        *(_midnight(day, zone), _midnight(day + timedelta(days=1), zone)),
        *(f"{org}/{team}", team, "Team"),
        *(issuer, provider, issuer, None),
    )


def _what(
    provider: str,
    model: str,
    deployment: str,
    tier: str,
    token_class: str,
    list_rate: int,
    corrected: bool,
) -> tuple[Cell, ...]:
    usage, tier = token_class not in _UNKNOWN, tier or "standard"
    sku, words = f"{provider}/{model}/{token_class}", token_class.replace("_", " ")
    details = {
        "x_ServiceTier": tier,
        "x_Deployment": deployment,
        "x_TokenClass": token_class,
    }
    late = ", corrected later" if corrected else ""
    return (
        "Usage" if usage else "Adjustment",
        "Correction" if corrected else None,
        f"{model} by {provider}: {words}{late}",
        "Usage-Based",
        *("AI and Machine Learning", "Generative AI", f"{provider} language models"),
        *(deployment, deployment, "Deployment"),
        *(sku, words, f"{sku}/{tier}/{deployment}/{list_rate}"),
        msgspec.json.encode(details).decode(),
        *("Standard" if usage else "Other", "USD", None, None),
    )


class _UnitPrice(NamedTuple):
    """The rates of a row, agreed and listed, in nano-USD a million and in dollars for one."""

    token_class: str
    rate: int
    list_rate: int
    agreed: str
    listed: str


def _how_much(price: _UnitPrice, quantity: int, lines: int, nanousd: int) -> tuple[Cell, ...]:
    cost = _decimal(nanousd, _NANO_DECIMALS)
    if price.token_class in _UNKNOWN:
        return (
            *(f"{lines}.0", "Requests", None, None, None, None, None, None),
            *(cost, cost, cost, cost, cost, lines, nanousd),
        )
    unit, count = _PIECES.get(price.token_class, "Tokens"), f"{quantity}.0"
    contracted = list_cost = _decimal(price.rate * quantity, _RATE_DECIMALS)
    if price.rate != price.list_rate:
        list_cost = _decimal(price.list_rate * quantity, _RATE_DECIMALS)
    return (
        *(count, unit, count, unit, price.listed, price.agreed, price.listed, price.agreed),
        *(list_cost, contracted, cost, cost, cost, lines, nanousd),
    )


def _decimal(units: int, decimals: int) -> str:
    """Plain decimals, never an exponent, always with a fraction, so that readers see a decimal."""
    digits = f"{abs(units):0{decimals + 1}d}"
    fraction = digits[-decimals:].rstrip("0") or "0"
    return f"{'-' if units < 0 else ''}{digits[:-decimals]}.{fraction}"


def _midnight(day: date, zone: str) -> str:
    """When a day begins in the zone, as ISO 8601 in UTC."""
    begins = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)).astimezone(UTC)
    return f"{begins:%Y-%m-%dT%H:%M:%SZ}"
