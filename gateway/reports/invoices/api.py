"""JSON as the providers' own APIs give it: one page, several pages in a list, or one a line.

- OpenAI `GET /v1/organization/costs` grouped by line_item: dollars. Its `…/usage/completions`
  grouped by model: tokens.
- Anthropic `GET /v1/organizations/cost_report` grouped by description: cents, as decimals.
  `…/usage_report/messages` grouped by model: tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gateway.reports.invoices.lines import (
    CLASSES,
    InvoiceError,
    InvoiceLine,
    class_of,
    count_of,
    counted,
    day_of,
    dollars_of,
)

_CENT = Decimal("0.01")
_ANTHROPIC_COUNTS = (
    ("uncached_input_tokens", "input"),
    ("cache_read_input_tokens", "cached_input"),
    ("output_tokens", "output"),
)


def read_json(text: str, source: str) -> list[InvoiceLine]:
    """The lines of an export.

    Raises:
        InvoiceError: it is none of the known exports, or not grouped by model.
    """
    try:
        found = json.loads(text, parse_float=Decimal)
        pages = found if isinstance(found, list) else [found]
    except (ValueError, RecursionError):
        pages = _pages(text, source)
    lines: list[InvoiceLine] = []
    for page in pages:
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise InvoiceError(f"{source}: no page of an API's answer, which has 'data'")
        if page.get("has_more") and page is pages[-1]:
            raise InvoiceError(f"{source}: the answer goes on ('has_more'); export all pages")
        for bucket in page["data"]:
            lines += _bucket(bucket, source)
    return lines


def _pages(text: str, source: str) -> list[Any]:
    try:
        return [json.loads(line, parse_float=Decimal) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise InvoiceError(f"{source}: neither JSON nor JSON Lines") from None


def _bucket(bucket: Any, source: str) -> Iterator[InvoiceLine]:
    if not isinstance(bucket, dict) or not isinstance(bucket.get("results"), list):
        raise InvoiceError(f"{source}: a bucket without 'results'")
    begins = bucket.get("start_time", bucket.get("starting_at"))
    for result in bucket["results"]:
        kind = str(result.get("object", ""))
        place = f"{source}, {begins}"
        if kind == "organization.costs.result":
            yield from _openai_cost(result, begins, place)
        elif kind.startswith("organization.usage."):
            yield from _openai_usage(result, begins, place)
        elif "amount" in result:
            yield from _anthropic_cost(result, begins, place)
        elif "uncached_input_tokens" in result:
            yield from _anthropic_usage(result, begins, place)
        else:
            raise InvoiceError(f"{place}: a result of a kind that is not known")


def openai_item(item: object, source: str) -> tuple[str, str]:
    """Model and class of a line item such as `gpt-4o-2024-08-06, cached input`.

    Items without a class, such as `Image models`, are kept whole.

    Raises:
        InvoiceError: there is none: the export is not grouped by line_item.
    """
    if not item:
        raise InvoiceError(f"{source}: no line item; group the costs by line_item")
    model, comma, name = str(item).rpartition(", ")
    if not comma or name.strip().lower() not in CLASSES:
        return str(item), ""
    return model.strip(), CLASSES[name.strip().lower()]


def _openai_cost(result: dict[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    model, token_class = openai_item(result.get("line_item"), place)
    amount = result.get("amount") or {}
    quantity = result.get("quantity")
    yield InvoiceLine(
        day=day_of(begins, place),
        provider="openai",
        model=model,
        token_class=token_class,
        usd=dollars_of(amount.get("value"), amount.get("currency"), place),
        quantity=int(quantity) if quantity is not None and token_class else None,
    )


def _openai_usage(result: dict[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    if not result.get("model"):
        raise InvoiceError(f"{place}: no model; group the usage by model")
    counts = {
        "cached_input": count_of(result.get("input_cached_tokens"), place),
        "input_audio": count_of(result.get("input_audio_tokens"), place),
        "output_audio": count_of(result.get("output_audio_tokens"), place),
    }
    # Both totals include their special classes.
    special = counts["cached_input"] + counts["input_audio"]
    counts["input"] = count_of(result.get("input_tokens"), place) - special
    counts["output"] = count_of(result.get("output_tokens"), place) - counts["output_audio"]
    yield from counted(counts, day_of(begins, place), "openai", str(result["model"]))


def _anthropic_cost(result: dict[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    kind = result.get("cost_type")
    if not kind:
        raise InvoiceError(f"{place}: no type of cost; group the costs by description")
    model = result.get("model") or result.get("description") or str(kind)
    token_class = class_of(str(result.get("token_type") or ""), place) if kind == "tokens" else ""
    yield InvoiceLine(
        day=day_of(begins, place),
        provider="anthropic",
        model=str(model),
        token_class=token_class,
        usd=dollars_of(result["amount"], result.get("currency"), place) * _CENT,
    )


def _anthropic_usage(result: dict[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    if not result.get("model"):
        raise InvoiceError(f"{place}: no model; group the usage by model")
    counts = {ours: count_of(result.get(theirs), place) for theirs, ours in _ANTHROPIC_COUNTS}
    written = result.get("cache_creation") or {}
    counts["cache_write"] = count_of(written.get("ephemeral_5m_input_tokens"), place)
    counts["cache_write_1h"] = count_of(written.get("ephemeral_1h_input_tokens"), place)
    tools = result.get("server_tool_use") or {}
    counts["web_search"] = count_of(tools.get("web_search_requests"), place)
    yield from counted(counts, day_of(begins, place), "anthropic", str(result["model"]))
