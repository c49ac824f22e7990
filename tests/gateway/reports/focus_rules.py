"""The rules of FOCUS 1.2 that a file of usage charges can break, by the names of focus-validator.

Ported from the rule set of focus-validator 2.2.1 (model 1.2.0.1), which needs Python 3.12: the
conditions that its checks state, over rows of text as a CSV file has them, with None for empty.
Left out are rules about columns that only others need (capacity reservations, commitment
discounts, regions, taxes), and the pair InvoiceId-C-004 and -C-005, which contradict each other:
the one asks that `InvoiceId` is always null, the other that it never is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

Row = dict[str, str | None]
Condition = Callable[[Row], bool]

_MOMENT = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ")
_NUMBER = re.compile(r"[+-]?([0-9]*[.])?[0-9]+([eE][+-]?[0-9]+)?")
_UNIT = re.compile(r"(?:[0-9]+ )?[A-Za-z][A-Za-z0-9]*(?:\s+[A-Za-z][A-Za-z0-9]*)*")
_CUSTOM = re.compile(r"x_[A-Za-z0-9]+")
_COLUMN = re.compile(r"[A-Z][A-Za-z0-9]*")

#: Rule by column that must be there (CostAndUsage-D-…).
PRESENT = {
    "D-004-C": "ListUnitPrice",
    "D-005-M": "BillingAccountName",
    "D-006-M": "BilledCost",
    "D-007-C": "BillingAccountType",
    "D-008-M": "ChargeCategory",
    "D-009-M": "BillingPeriodStart",
    "D-010-M": "BillingPeriodEnd",
    "D-011-C": "ConsumedQuantity",
    "D-019-C": "SubAccountId",
    "D-021-M": "PublisherName",
    "D-022-C": "PricingCategory",
    "D-023-M": "InvoiceIssuerName",
    "D-024-M": "BillingAccountId",
    "D-025-M": "ChargeDescription",
    "D-026-M": "ChargeClass",
    "D-027-O": "ChargeFrequency",
    "D-028-M": "ChargePeriodEnd",
    "D-029-C": "SubAccountName",
    "D-030-M": "ContractedCost",
    "D-031-M": "EffectiveCost",
    "D-032-M": "ListCost",
    "D-033-O": "InvoiceId",
    "D-034-C": "ContractedUnitPrice",
    "D-035-M": "BillingCurrency",
    "D-036-M": "PricingQuantity",
    "D-037-M": "ChargePeriodStart",
    "D-038-M": "ProviderName",
    "D-039-C": "ResourceType",
    "D-040-M": "ServiceCategory",
    "D-041-M": "ServiceName",
    "D-042-O": "ServiceSubcategory",
    "D-043-C": "ResourceId",
    "D-044-C": "ResourceName",
    "D-045-C": "PricingCurrency",
    "D-047-C": "PricingCurrencyContractedUnitPrice",
    "D-051-C": "PricingCurrencyEffectiveCost",
    "D-055-C": "PricingCurrencyListUnitPrice",
    "D-058-C": "SkuPriceId",
    "D-059-C": "SkuMeter",
    "D-060-C": "SkuId",
    "D-061-C": "SkuPriceDetails",
    "D-064-C": "Tags",
    "D-066-C": "ConsumedUnit",
    "D-067-C": "SubAccountType",
    "D-068-M": "PricingUnit",
}
#: Columns that are never null.
NEVER_NULL = (
    *("InvoiceIssuerName", "ProviderName", "BillingAccountId", "BillingAccountName"),
    *("BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "PublisherName"),
    *("ServiceCategory", "ChargePeriodStart", "ChargePeriodEnd", "ChargeDescription"),
    *("ChargeFrequency", "PricingCurrency", "PricingCurrencyEffectiveCost", "ServiceName"),
    *("EffectiveCost", "BilledCost", "ListCost", "ContractedCost", "BillingCurrency"),
    *("ServiceSubcategory", "PricingQuantity"),
)
DECIMALS = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice"),
    *("ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity"),
    *("PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice"),
    "PricingCurrencyEffectiveCost",
)
MOMENTS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
ALLOWED = {
    "ChargeCategory-C-003-M": (
        "ChargeCategory",
        {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    ),
    "ServiceCategory-C-003-M": ("ServiceCategory", {"AI and Machine Learning"}),
    "ServiceSubcategory-C-004-M": ("ServiceSubcategory", {"Generative AI"}),
    "ChargeFrequency-C-003-M": ("ChargeFrequency", {"One-Time", "Recurring", "Usage-Based"}),
    "PricingCategory-C-007-M": (
        "PricingCategory",
        {"Standard", "Committed", "Dynamic", "Other"},
    ),
    "ChargeClass-C-005-C": ("ChargeClass", {"Correction"}),
    "BillingCurrency-C-006-M": ("BillingCurrency", {"USD"}),
}


def _usage(row: Row) -> bool:
    """A usage or purchase that corrects nothing: what most rules about prices are for."""
    return row["ChargeCategory"] in ("Usage", "Purchase") and row["ChargeClass"] != "Correction"


def _has(name: str) -> Condition:
    return lambda row: row[name] is not None


def _null(name: str) -> Condition:
    return lambda row: row[name] is None


def _always(_row: Row) -> bool:
    return True


def _least_zero(name: str) -> Condition:
    return lambda row: row[name] is None or Decimal(row[name] or "0") >= 0


def _product(price: str, cost: str) -> Condition:
    def holds(row: Row) -> bool:
        factors = [row[price], row["PricingQuantity"], row[cost]]
        if None in factors or row["ChargeClass"] == "Correction":
            return True
        one, count, product = (Decimal(text or "0") for text in factors)
        return one * count == product

    return holds


#: Rule, when it asks something of a row, and what it asks.
CONDITIONAL: dict[str, tuple[Condition, Condition]] = {
    "SkuMeter-C-004-C": (_null("SkuId"), _null("SkuMeter")),
    "SkuMeter-C-005-C": (_has("SkuId"), _has("SkuMeter")),
    "ListUnitPrice-C-005-C": (_usage, _has("ListUnitPrice")),
    "ListUnitPrice-C-008-M": (_always, _least_zero("ListUnitPrice")),
    "ListUnitPrice-C-010-C": (_always, _product("ListUnitPrice", "ListCost")),
    "PricingQuantity-C-005-C": (_usage, _has("PricingQuantity")),
    "SkuPriceId-C-005-C": (_usage, _has("SkuPriceId")),
    "PricingCurrencyListUnitPrice-C-005-C": (_usage, _has("PricingCurrencyListUnitPrice")),
    "PricingCurrencyListUnitPrice-C-008-M": (
        _always,
        _least_zero("PricingCurrencyListUnitPrice"),
    ),
    "ConsumedUnit-C-005-C": (_null("ConsumedQuantity"), _null("ConsumedUnit")),
    "ConsumedUnit-C-006-C": (_has("ConsumedQuantity"), _has("ConsumedUnit")),
    "SkuPriceDetails-C-004-C": (_null("SkuPriceId"), _null("SkuPriceDetails")),
    "ConsumedQuantity-C-004-C": (
        lambda row: row["ChargeCategory"] != "Usage",
        _null("ConsumedQuantity"),
    ),
    "ConsumedQuantity-C-006-C": (
        lambda row: row["ChargeCategory"] == "Usage" and row["ChargeClass"] != "Correction",
        _has("ConsumedQuantity"),
    ),
    "SkuId-C-005-C": (_usage, _has("SkuId")),
    "ResourceType-C-004-C": (_null("ResourceId"), _null("ResourceType")),
    "ResourceType-C-005-C": (_has("ResourceId"), _has("ResourceType")),
    "SubAccountType-C-005-C": (_has("SubAccountId"), _has("SubAccountType")),
    "SubAccountName-C-005-C": (_has("SubAccountId"), _has("SubAccountName")),
    "BillingAccountType-C-005-C": (_has("BillingAccountId"), _has("BillingAccountType")),
    "PricingCategory-C-004-C": (_usage, _has("PricingCategory")),
    "PricingUnit-C-006-C": (_has("PricingQuantity"), _has("PricingUnit")),
    "BilledCost-C-005-C": (
        lambda row: row["ProviderName"] != row["InvoiceIssuerName"],
        lambda row: Decimal(row["BilledCost"] or "1") == 0,
    ),
    "ContractedUnitPrice-C-006-C": (_usage, _has("ContractedUnitPrice")),
    "ContractedUnitPrice-C-009-C": (_always, _least_zero("ContractedUnitPrice")),
    "ContractedUnitPrice-C-011-C": (_always, _product("ContractedUnitPrice", "ContractedCost")),
}
#: Rule, and two columns of which the first has one value of the second.
DISTINCT = {
    "SkuPriceId-C-008-M": ("SkuPriceId", "SkuId"),
    "ServiceName-C-005-C": ("ServiceName", "ServiceCategory"),
    "ServiceName-C-008-C": ("ServiceName", "ServiceSubcategory"),
}


def broken(rows: list[Row]) -> set[str]:
    """The rules that the rows break; every row has the same columns."""
    return {*_columns(rows[0]), *_values(rows), *_conditions(rows), *_counts(rows)}


def _columns(row: Row) -> Iterator[str]:
    yield from (rule for rule, name in PRESENT.items() if name not in row)
    for name in row:
        if _COLUMN.fullmatch(name) is None and _CUSTOM.fullmatch(name) is None:
            yield f"ColumnHandling-A-000-M: {name}"


def _values(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        yield from (f"{name} is null" for name in NEVER_NULL if row[name] is None)
        for name, text in row.items():
            if text is None:
                continue
            if not text.isascii() or not text.strip():
                yield f"StringHandling-A-000-M: {name}"
            if name in DECIMALS and _NUMBER.fullmatch(text) is None:
                yield f"NumericFormat-A-000-M: {name}"
            if name in MOMENTS and _MOMENT.fullmatch(text) is None:
                yield f"DateTimeFormat-A-000-M: {name}"
            if name.endswith("Unit") and _UNIT.fullmatch(text) is None:
                yield f"UnitFormat-A-000-M: {name}"
        for rule, (name, values) in ALLOWED.items():
            if row[name] is not None and row[name] not in values:
                yield rule


def _conditions(rows: list[Row]) -> Iterator[str]:
    for rule, (when, then) in CONDITIONAL.items():
        if any(when(row) and not then(row) for row in rows):
            yield rule


def _counts(rows: list[Row]) -> Iterator[str]:
    for rule, (one, other) in DISTINCT.items():
        found: dict[str | None, set[str | None]] = {}
        for row in rows:
            found.setdefault(row[one], set()).add(row[other])
        if any(len(values) > 1 for values in found.values()):
            yield rule
