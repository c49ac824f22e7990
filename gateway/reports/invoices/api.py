"""JSON as the providers' own APIs give it: one page, several pages in a list, or one a line.

- OpenAI `GET /v1/organization/costs` grouped by line_item: dollars. Its `…/usage/completions`
  grouped by model: tokens.
- Anthropic `GET /v1/organizations/cost_report` grouped by description: cents, as decimals.
  `…/usage_report/messages` grouped by model: tokens. `…/analytics/cost` and `…/analytics/usage`
  are the same without buckets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from gateway.reports.invoices.anthropic import (
    anthropic_cost,
    anthropic_cost_item,
    anthropic_usage,
    anthropic_usage_item,
)
from gateway.reports.invoices.lines import InvoiceError, InvoiceLine
from gateway.reports.invoices.openai import openai_cost, openai_searches, openai_usage

Page = dict[str, Any]
_Reader = Callable[[Mapping[str, Any], object, str], Iterator[InvoiceLine]]
_OPENAI: Mapping[str, _Reader] = MappingProxyType(
    {
        "organization.costs.result": openai_cost,
        "organization.usage.completions.result": openai_usage,
        "organization.usage.embeddings.result": openai_usage,
        "organization.usage.moderations.result": openai_usage,
        "organization.usage.web_searches.result": openai_searches,
    }
)


def pages_of(text: str, source: str) -> list[Page]:
    """The pages in a file.

    Raises:
        InvoiceError: it is no JSON, or no answer of an API.
    """
    try:
        found = json.loads(text, parse_float=Decimal)
        pages = found if isinstance(found, list) else [found]
    except (ValueError, RecursionError):
        pages = _one_a_line(text, source)
    for page in pages:
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise InvoiceError(f"{source}: no page of an API's answer, which has 'data'")
    return pages


def lines_of(pages: Iterable[Page], source: str) -> Iterator[InvoiceLine]:
    """The lines on pages.

    Raises:
        InvoiceError: they are none of the known exports, or not grouped by model.
    """
    for page in pages:
        for entry in page["data"]:
            if isinstance(entry, dict) and "group" in entry:
                yield from _item(entry, source)
            else:
                yield from _bucket(entry, source)


def goes_on(pages: Iterable[Page]) -> bool:
    """Whether some answer has no last page among these pages of all files.

    A page without any result tells not whose it is, and may be the last one of each.
    """
    open_ends, ended = set[str](), set[str]()
    for page in pages:
        (open_ends if page.get("has_more") else ended).add(_kind_of(page))
    return bool(open_ends - ended) and "" not in ended


def _one_a_line(text: str, source: str) -> list[Any]:
    try:
        return [json.loads(line, parse_float=Decimal) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise InvoiceError(f"{source}: neither JSON nor JSON Lines") from None


def _kind_of(page: Page) -> str:
    """What a page's results are, by the first one; empty where it has none."""
    for entry in page["data"]:
        results = entry.get("results") if isinstance(entry, dict) else None
        for result in results or ([entry] if "group" in entry else []):
            return str(result.get("object") or sorted(result))
    return ""


def _item(item: Mapping[str, Any], source: str) -> Iterator[InvoiceLine]:
    place = f"{source}, {item.get('starting_at')}"
    if "cost" in item:
        yield from anthropic_cost_item(item, place)
    elif "usage" in item:
        yield from anthropic_usage_item(item, place)
    else:
        raise InvoiceError(f"{place}: an item of a kind that is not known")


def _bucket(bucket: Any, source: str) -> Iterator[InvoiceLine]:
    if not isinstance(bucket, dict) or not isinstance(bucket.get("results"), list):
        raise InvoiceError(f"{source}: a bucket without 'results'")
    begins = bucket.get("start_time", bucket.get("starting_at"))
    for result in bucket["results"]:
        kind = str(result.get("object", ""))
        place = f"{source}, {begins}"
        if kind in _OPENAI:
            yield from _OPENAI[kind](result, begins, place)
        elif kind.startswith("organization.usage."):
            raise InvoiceError(f"{place}: usage of {kind} is not in tokens, and is not compared")
        elif "amount" in result:
            yield from anthropic_cost(result, begins, place)
        elif "uncached_input_tokens" in result:
            yield from anthropic_usage(result, begins, place)
        else:
            raise InvoiceError(f"{place}: a result of a kind that is not known")
