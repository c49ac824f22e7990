"""What Anthropic bills and counts: its APIs' results, and the rows of its console's exports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.reports.invoices.lines import (
    InvoiceError,
    InvoiceLine,
    class_of,
    count_of,
    counted,
    day_of,
    dollars_of,
)

_CENT = Decimal("0.01")
_COUNTS = (
    ("uncached_input_tokens", "input"),
    ("cache_read_input_tokens", "cached_input"),
    ("output_tokens", "output"),
)
_COLUMNS = {
    "usage_input_tokens_no_cache": "input",
    "usage_input_tokens_cache_read": "cached_input",
    "usage_input_tokens_cache_write": "cache_write",
    "usage_input_tokens_cache_write_5m": "cache_write",
    "usage_input_tokens_cache_write_1h": "cache_write_1h",
    "usage_output_tokens": "output",
    "web_search_count": "web_search",
}
_DATE = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")


def anthropic_cost(result: Mapping[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    """The line of a result of `/v1/organizations/cost_report`; amounts are cents.

    Raises:
        InvoiceError: it is not grouped by description.
    """
    if not result.get("cost_type"):
        raise InvoiceError(f"{place}: no type of cost; group the costs by description")
    yield _cost(result, result["amount"], result.get("currency"), begins, place)


def anthropic_cost_item(item: Mapping[str, Any], place: str) -> Iterator[InvoiceLine]:
    """The line of an item of `/v1/organizations/analytics/cost`; amounts are cents.

    Raises:
        InvoiceError: it is not grouped by model, kind of cost and of token, or not by day.
    """
    group, cost = item.get("group") or {}, item.get("cost") or {}
    kind, token_type = group.get("cost_type"), group.get("token_type")
    if not kind or (kind == "tokens" and not (token_type and group.get("model"))):
        raise InvoiceError(f"{place}: group the costs by model, cost_type and token_type")
    begins = _of_one_day(item, place)
    yield _cost(group, cost.get("amount"), cost.get("currency"), begins, place)


def _cost(
    result: Mapping[str, Any], cents: object, currency: object, begins: object, place: str
) -> InvoiceLine:
    kind = str(result["cost_type"])
    model, token_class = _place_of(
        kind, str(result.get("model") or ""), str(result.get("token_type") or ""), place
    )
    return InvoiceLine(
        day=day_of(begins, place),
        provider="anthropic",
        model=model if model or token_class else str(result.get("description") or kind),
        token_class=token_class,
        usd=dollars_of(cents, currency, place) * _CENT,
    )


def _place_of(kind: str, model: str, token_type: str, place: str) -> tuple[str, str]:
    """Model and class; searches are billed for all models together."""
    if kind in ("tokens", "token"):
        return model, class_of(token_type, place)
    return model, "web_search" if kind == "web_search" else ""


def anthropic_usage(result: Mapping[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    """The lines of a result of `/v1/organizations/usage_report/messages`.

    Raises:
        InvoiceError: it is not grouped by model.
    """
    if not result.get("model"):
        raise InvoiceError(f"{place}: no model; group the usage by model")
    counts = {ours: count_of(result.get(theirs), place) for theirs, ours in _COUNTS}
    written = result.get("cache_creation") or {}
    counts["cache_write"] = count_of(written.get("ephemeral_5m_input_tokens"), place)
    counts["cache_write_1h"] = count_of(written.get("ephemeral_1h_input_tokens"), place)
    tools = result.get("server_tool_use") or {}
    counts["web_search"] = count_of(tools.get("web_search_requests"), place)
    yield from counted(counts, day_of(begins, place), "anthropic", str(result["model"]))


def anthropic_usage_item(item: Mapping[str, Any], place: str) -> Iterator[InvoiceLine]:
    """The lines of an item of `/v1/organizations/analytics/usage`.

    Raises:
        InvoiceError: it is not grouped by model, or not by day.
    """
    model = (item.get("group") or {}).get("model")
    usage = {**(item.get("usage") or {}), "model": model}
    yield from anthropic_usage(usage, _of_one_day(item, place), place)


def _of_one_day(item: Mapping[str, Any], place: str) -> object:
    """Where an item begins, if it ends within a day."""
    begins, ends = str(item.get("starting_at")), str(item.get("ending_at"))
    day_of(begins, place)
    day_of(ends, place)
    span = datetime.fromisoformat(ends) - datetime.fromisoformat(begins)
    if span > timedelta(days=1):
        raise InvoiceError(f"{place}: a span of {span.days} days; ask for time_bucket_width=1d")
    return begins


def anthropic_cost_row(row: Mapping[str, str], place: str) -> Iterator[InvoiceLine]:
    """The line of a row of the console's costs, which are rounded to cents."""
    token_type = row.get("token_type", "")
    kind = row.get("cost_type") or ("tokens" if token_type else "")
    if kind not in ("token", "tokens", "web_search") and token_type:
        kind = "tokens"
    model, token_class = _place_of(kind, model_id(row.get("model", "")), token_type, place)
    usd = dollars_of(row["cost_usd"], "usd", place)
    written = usd.as_tuple().exponent
    decimals = min(written, -2) if isinstance(written, int) else -2
    yield InvoiceLine(
        day=day_of(row["usage_date_utc"], place),
        provider="anthropic",
        model=model if model or token_class else kind or "unnamed",
        token_class=token_class,
        usd=usd,
        rounded_usd=Decimal((0, (5,), decimals - 1)),
    )


def anthropic_usage_row(row: Mapping[str, str], place: str) -> Iterator[InvoiceLine]:
    """The lines of a row of the console's usage.

    Raises:
        InvoiceError: the row has no model.
    """
    model = row.get("model_version") or model_id(row.get("model", ""))
    if not model:
        raise InvoiceError(f"{place}: no model")
    counts: dict[str, int] = {}
    for column, ours in _COLUMNS.items():
        counts[ours] = counts.get(ours, 0) + count_of(row.get(column), place)
    # A line without anything counted, such as a sum below the table, needs no day.
    if any(counts.values()):
        yield from counted(counts, day_of(row["usage_date_utc"], place), "anthropic", model)


def model_id(shown: str) -> str:
    """The API's name of a model by the one that the console shows.

    `Claude Haiku 4.5` is claude-haiku-4-5, `Claude 3.5 Sonnet 2024-10-22` is
    claude-3-5-sonnet-20241022. What is no such name stays as it is.
    """
    if " " not in shown.strip():
        return shown.strip()
    return re.sub(r"[\s.]+", "-", _DATE.sub(r"\1\2\3", shown.strip()).lower())
