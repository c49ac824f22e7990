"""What OpenAI bills and counts: its API's results, and the rows of its dashboard's exports.

Both have the same fields, and the names of line items are told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.reports.invoices.lines import (
    CLASSES,
    InvoiceError,
    InvoiceLine,
    count_of,
    counted,
    day_of,
    dollars_of,
)

#: `gpt-4o-2024-08-06, cached input`, `gpt-5, input_tokens`, `gpt-audio-mini audio, output`,
#: `priority | gpt-5.6-sol, output, long context`.
_ITEM = re.compile(
    r"(?:[a-z ]+ \| )?(?P<model>[^\s,|]+)(?: (?P<kind>text|audio|image))?, (?P<name>[^,]+)"
    r"(?:, .+)?",
    re.IGNORECASE,
)
_SEARCHES = re.compile(r"web search( tool)?( calls?)?", re.IGNORECASE)
#: How many tokens one unit of a quantity is.
_UNITS = {"": 1, "tokens": 1, "1000_tokens": 1000}


def openai_item(item: str) -> tuple[str, str]:
    """Model and class of a line item; what is no tokens, such as `Image models`, is kept whole."""
    if _SEARCHES.fullmatch(item.strip()):
        return "", "web_search"
    found = _ITEM.fullmatch(item.strip())
    if found is None:
        return item, ""
    name = " ".join(part for part in (found["kind"], found["name"].strip()) if part)
    token_class = CLASSES.get(name.lower(), "")
    return (found["model"], token_class) if token_class else (item, "")


def openai_cost(result: Mapping[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    """The line of a result of `/v1/organization/costs`.

    Raises:
        InvoiceError: it is not grouped by line item.
    """
    if not result.get("line_item"):
        raise InvoiceError(f"{place}: no line item; group the costs by line_item")
    amount = result.get("amount") or {}
    yield _cost(result, amount.get("value"), amount.get("currency"), begins, place)


def openai_cost_row(row: Mapping[str, str], place: str) -> Iterator[InvoiceLine]:
    """The line of a row of the dashboard's costs; days without any cost are rows without amount.

    Costs that are not grouped by line item are the day's, of all models.
    """
    if row.get("amount_value") or row.get("line_item"):
        begins = row.get("start_time_iso") or row.get("start_time")
        yield _cost(row, row.get("amount_value"), row.get("amount_currency"), begins, place)


def _cost(
    result: Mapping[str, Any], value: object, currency: object, begins: object, place: str
) -> InvoiceLine:
    model, token_class = openai_item(str(result.get("line_item") or ""))
    quantity, unit = result.get("quantity"), str(result.get("quantity_unit") or "")
    is_tokens = token_class not in ("", "web_search")
    known = is_tokens and quantity not in (None, "") and unit in _UNITS
    return InvoiceLine(
        day=day_of(begins, place),
        provider="openai",
        model=model,
        token_class=token_class,
        usd=dollars_of(value, currency, place),
        quantity=count_of(quantity, place, _UNITS[unit]) if known else None,
    )


def openai_usage(result: Mapping[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    """The lines of a result of `/v1/organization/usage/completions` or `…/embeddings`, or of a row.

    `input_tokens` includes what was cached and what was written to the cache; tokens of sound and
    pictures are told without their cached ones.

    Raises:
        InvoiceError: it is not grouped by model.
    """
    if not result.get("model"):
        raise InvoiceError(f"{place}: no model; group the usage by model")
    fields = (
        ("cached_input", "input_cached_tokens"),
        ("cached_audio", "input_cached_audio_tokens"),
        ("cached_image", "input_cached_image_tokens"),
        ("cache_write", "input_cache_write_tokens"),
        ("input_audio", "input_audio_tokens"),
        ("input_image", "input_image_tokens"),
        ("output_audio", "output_audio_tokens"),
        ("output_image", "output_image_tokens"),
        ("input", "input_tokens"),
        ("output", "output_tokens"),
    )
    counts = {ours: count_of(result.get(theirs), place) for ours, theirs in fields}
    apart = (
        ("cached_input", ("cached_audio", "cached_image")),
        (
            "input",
            (
                "cached_input",
                "cached_audio",
                "cached_image",
                "cache_write",
                "input_audio",
                "input_image",
            ),
        ),
        ("output", ("output_audio", "output_image")),
    )
    for total, parts in apart:
        counts[total] = max(0, counts[total] - sum(counts[part] for part in parts))
    yield from counted(counts, day_of(begins, place), "openai", str(result["model"]))


def openai_usage_row(row: Mapping[str, str], place: str) -> Iterator[InvoiceLine]:
    """The lines of a row of the dashboard's usage; buckets without any have no model either."""
    if row.get("model") or count_of(row.get("input_tokens"), place):
        yield from openai_usage(row, row.get("start_time_iso") or row.get("start_time"), place)


def openai_searches(result: Mapping[str, Any], begins: object, place: str) -> Iterator[InvoiceLine]:
    """The searches of a result of `/v1/organization/usage/web_search_calls`, of all models."""
    counts = {"web_search": count_of(result.get("num_requests"), place)}
    yield from counted(counts, day_of(begins, place), "openai", "")
