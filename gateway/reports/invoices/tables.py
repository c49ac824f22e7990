"""CSV as the providers' consoles export it; columns are known by their names, in any order.

- OpenAI costs: `start_time` or `start_time_iso`, `amount_value`, `amount_currency`, `line_item`.
- Anthropic costs: `usage_date_utc`, `model`, `token_type`, `cost_usd`, `cost_type`.
- Anthropic usage: `usage_date_utc`, `model_version`, `usage_input_tokens_no_cache` and so on.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import StringIO

from gateway.reports.invoices.api import openai_item
from gateway.reports.invoices.lines import (
    InvoiceError,
    InvoiceLine,
    class_of,
    count_of,
    counted,
    day_of,
    dollars_of,
)

_ANTHROPIC_COUNTS = {
    "usage_input_tokens_no_cache": "input",
    "usage_input_tokens_cache_read": "cached_input",
    "usage_input_tokens_cache_write_5m": "cache_write",
    "usage_input_tokens_cache_write_1h": "cache_write_1h",
    "usage_output_tokens": "output",
    "web_search_count": "web_search",
}


def read_csv(text: str, source: str) -> list[InvoiceLine]:
    """The lines of an export.

    Raises:
        InvoiceError: its columns are those of no known export.
    """
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")))
    columns = {name.strip() for name in reader.fieldnames or ()}
    lines: list[InvoiceLine] = []
    for number, raw in enumerate(reader, start=2):
        row = {(name or "").strip(): (cell or "").strip() for name, cell in raw.items()}
        place = f"{source}, line {number}"
        if {"amount_value", "line_item"} <= columns:
            lines.append(_openai(row, place))
        elif {"usage_date_utc", "cost_usd"} <= columns:
            lines.append(_anthropic_cost(row, place))
        elif {"usage_date_utc", "usage_output_tokens"} <= columns:
            lines += _anthropic_usage(row, place)
        else:
            raise InvoiceError(
                f"{source} has columns of no export that is known: {', '.join(sorted(columns))}"
            )
    return lines


def _openai(row: Mapping[str, str], place: str) -> InvoiceLine:
    model, token_class = openai_item(row["line_item"], place)
    return InvoiceLine(
        day=day_of(row.get("start_time_iso") or row.get("start_time"), place),
        provider="openai",
        model=model,
        token_class=token_class,
        usd=dollars_of(row["amount_value"], row.get("amount_currency"), place),
    )


def _anthropic_cost(row: Mapping[str, str], place: str) -> InvoiceLine:
    kind = row.get("cost_type") or ("tokens" if row.get("token_type") else "")
    token_class = class_of(row.get("token_type", ""), place) if kind == "tokens" else ""
    return InvoiceLine(
        day=day_of(row["usage_date_utc"], place),
        provider="anthropic",
        model=row.get("model") or kind or "unnamed",
        token_class=token_class,
        usd=dollars_of(row["cost_usd"], "usd", place),
    )


def _anthropic_usage(row: Mapping[str, str], place: str) -> Iterator[InvoiceLine]:
    model = row.get("model_version") or row.get("model") or ""
    if not model:
        raise InvoiceError(f"{place}: no model")
    counts = {ours: count_of(row.get(theirs), place) for theirs, ours in _ANTHROPIC_COUNTS.items()}
    # A line without anything counted, such as a sum below the table, needs no day.
    if any(counts.values()):
        yield from counted(counts, day_of(row["usage_date_utc"], place), "anthropic", model)
