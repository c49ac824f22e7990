"""FOCUS 1.2: the ledger as finance tools read bills, a row for each day, sub-account and price.

Rules of this file:
- a row is one day, sub-account (team), model, token class and price; a price that changed within
  a day, another deployment, tier or app makes another row, for a row has one unit price;
- `EffectiveCost` and `BilledCost` are the ledger's own amounts and add up to its total exactly;
  `ListCost` and `ContractedCost` are quantity times unit price, which the rules ask for;
- what was learnt later is a row of its own of the class Correction; money of which nobody knows
  the tokens is an Adjustment;
- own machines are rows like all others, provided and invoiced by `Self-hosted`.
Column names and their meaning: https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.core.money import NANO
from gateway.core.periods import zone_of
from gateway.reports.asking import Ask, Background
from gateway.reports.selection import choose
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of

if TYPE_CHECKING:
    import duckdb

#: A rate is nano-USD per million units: so many decimals in dollars for one.
_RATE_DECIMALS = 15
#: Classes that are counted by the piece; all others are tokens.
_PIECES: Mapping[str, str] = MappingProxyType({"web_search": "Requests", "request": "Requests"})
#: Classes of money without known quantities.
_UNKNOWN = frozenset(("in_doubt", "other"))
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
    *("BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency"),
    *("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"),
    *("ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency"),
    *("SubAccountId", "SubAccountName", "SubAccountType"),
    *("ProviderName", "PublisherName", "InvoiceIssuerName", "InvoiceId"),
    *("ServiceCategory", "ServiceSubcategory", "ServiceName"),
    *("ResourceId", "ResourceName", "ResourceType"),
    *("SkuId", "SkuMeter", "SkuPriceId", "SkuPriceDetails"),
    *("PricingCategory", "PricingCurrency", "PricingQuantity", "PricingUnit"),
    *("PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice"),
    *("PricingCurrencyEffectiveCost", "CommitmentDiscountStatus"),
    *("ConsumedQuantity", "ConsumedUnit", "ListUnitPrice", "ContractedUnitPrice"),
    *("ListCost", "ContractedCost", "EffectiveCost", "BilledCost", "Tags"),
    *("x_Application", "x_Requests", "x_EffectiveCostNanousd"),
)


def _column(name: str) -> Column:
    brief = name in ("ChargePeriodStart", "SubAccountId", "SkuId", "PricingQuantity")
    if name in _DECIMALS:
        return Column(name, Kind.DECIMAL, name, brief=brief or name == "EffectiveCost")
    if name in _MOMENTS:
        return Column(name, Kind.MOMENT, name, brief=brief)
    if name in ("x_Requests", "x_EffectiveCostNanousd"):
        return Column(name, Kind.COUNT, name, adds=name != "x_Requests", brief=False)
    return Column(name, Kind.TEXT, name, brief=brief)


COLUMNS = tuple(_column(name) for name in NAMES)
_SQL = (
    "SELECT moment::DATE AS day, strftime(moment, '%Y-%m') AS month, org, team, app, provider, "
    "model, deployment, self_hosted, service_tier, token_class, rate, list_rate, "
    "kind = 'correction' AS corrected, sum(quantity)::HUGEINT, count(DISTINCT request_id), "
    "sum(part_nanousd)::HUGEINT FROM parted WHERE quantity != 0 OR part_nanousd != 0 "
    "GROUP BY ALL ORDER BY ALL"
)


def focus_report(database: duckdb.DuckDBPyConnection, ask: Ask, known: Background) -> Report:
    """Every charge of the span as FOCUS 1.2 has it; `InvoiceId` is empty: no invoice is known."""
    total = choose(database, ask)
    rows = tuple(_row(found, ask.zone) for found in database.execute(_SQL).fetchall())
    return Report(
        name="focus",
        title="FOCUS 1.2 cost and usage",
        columns=COLUMNS,
        rows=rows,
        totals=totals_of(COLUMNS, rows),
        total_nanousd=sum(int(row[-1] or 0) for row in rows),
        ledger_nanousd=total,
        since=ask.start,
        until=ask.end,
        zone=ask.zone,
    )


class _Charge(msgspec.Struct, frozen=True):
    """One group of the query, by name."""

    day: date
    month: str
    org: str
    team: str
    app: str
    provider: str
    model: str
    deployment: str
    self_hosted: bool
    tier: str
    token_class: str
    rate: int
    list_rate: int
    corrected: bool
    quantity: int
    requests: int
    nanousd: int


def _row(found: Sequence[Any], zone: str) -> tuple[Cell, ...]:
    charge = _Charge(*found)
    fields = {**_who_and_when(charge, zone), **_what(charge), **_how_much(charge)}
    return tuple(fields.get(name) for name in NAMES)


def _who_and_when(charge: _Charge, zone: str) -> dict[str, Cell]:
    year, month = (int(part) for part in charge.month.split("-"))
    following = date(year + month // 12, month % 12 + 1, 1)
    team = charge.team or "none"
    provider = _OWN if charge.self_hosted else charge.provider
    return {
        "BillingAccountId": charge.org,
        "BillingAccountName": charge.org,
        "BillingAccountType": "Organization",
        "BillingCurrency": "USD",
        "BillingPeriodStart": _midnight(date(year, month, 1), zone),
        "BillingPeriodEnd": _midnight(following, zone),
        "ChargePeriodStart": _midnight(charge.day, zone),
        "ChargePeriodEnd": _midnight(charge.day + timedelta(days=1), zone),
        "SubAccountId": f"{charge.org}/{team}",
        "SubAccountName": team,
        "SubAccountType": "Team",
        "ProviderName": provider,
        "PublisherName": charge.provider,
        "InvoiceIssuerName": provider,
        "x_Application": charge.app or None,
    }


def _what(charge: _Charge) -> dict[str, Cell]:
    usage = charge.token_class not in _UNKNOWN
    tier = charge.tier or "standard"
    sku = f"{charge.provider}/{charge.model}/{charge.token_class}"
    words = charge.token_class.replace("_", " ")
    details = {
        "x_ServiceTier": tier,
        "x_Deployment": charge.deployment,
        "x_TokenClass": charge.token_class,
    }
    return {
        "ChargeCategory": "Usage" if usage else "Adjustment",
        "ChargeClass": "Correction" if charge.corrected else None,
        "ChargeDescription": f"{charge.model} by {charge.provider}: {words}"
        + (", corrected later" if charge.corrected else ""),
        "ChargeFrequency": "Usage-Based",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ServiceName": f"{charge.provider} language models",
        "ResourceId": charge.deployment,
        "ResourceName": charge.deployment,
        "ResourceType": "Deployment",
        "SkuId": sku,
        "SkuMeter": words,
        "SkuPriceId": f"{sku}/{tier}/{charge.deployment}/{charge.list_rate}",
        "SkuPriceDetails": msgspec.json.encode(details).decode(),
        "PricingCategory": "Standard" if usage else "Other",
        "PricingCurrency": "USD",
    }


def _how_much(charge: _Charge) -> dict[str, Cell]:
    cost = _decimal(Decimal(charge.nanousd) / NANO)
    told: dict[str, Cell] = {
        "EffectiveCost": cost,
        "BilledCost": cost,
        "PricingCurrencyEffectiveCost": cost,
        "x_Requests": charge.requests,
        "x_EffectiveCostNanousd": charge.nanousd,
    }
    if charge.token_class in _UNKNOWN:
        return told | {
            "PricingQuantity": _decimal(Decimal(charge.requests)),
            "PricingUnit": "Requests",
            "ListCost": cost,
            "ContractedCost": cost,
        }
    unit = _PIECES.get(charge.token_class, "Tokens")
    quantity = _decimal(Decimal(charge.quantity))
    listed, agreed = (
        Decimal(rate).scaleb(-_RATE_DECIMALS) for rate in (charge.list_rate, charge.rate)
    )
    return told | {
        "PricingQuantity": quantity,
        "PricingUnit": unit,
        "ConsumedQuantity": quantity,
        "ConsumedUnit": unit,
        "ListUnitPrice": _decimal(listed),
        "ContractedUnitPrice": _decimal(agreed),
        "PricingCurrencyListUnitPrice": _decimal(listed),
        "PricingCurrencyContractedUnitPrice": _decimal(agreed),
        "ListCost": _decimal(listed * charge.quantity),
        "ContractedCost": _decimal(agreed * charge.quantity),
    }


def _decimal(amount: Decimal) -> str:
    """Plain decimals, never an exponent, always with a fraction, so that readers see a decimal."""
    text = f"{amount:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def _midnight(day: date, zone: str) -> str:
    """When a day begins in the zone, as ISO 8601 in UTC."""
    begins = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)).astimezone(UTC)
    return f"{begins:%Y-%m-%dT%H:%M:%SZ}"
