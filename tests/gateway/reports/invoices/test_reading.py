"""Exports of providers are read as their APIs and consoles give them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.reports.invoices.lines import InvoiceError, InvoiceLine
from gateway.reports.invoices.reading import read_invoices

DAY = date(2026, 11, 23)
#: Midnight of that day.
BEGINS = 1_795_392_000


def read_invoice(content: bytes, source: str) -> list[InvoiceLine]:
    """The lines of one file."""
    return read_invoices([(source, content)])


def invoice_line(**fields: Any) -> InvoiceLine:
    """A line of that day."""
    return InvoiceLine(day=DAY, **fields)


def openai_page(*results: dict[str, Any], **page: Any) -> bytes:
    """A page of OpenAI's API with one bucket."""
    bucket = {
        "object": "bucket",
        "start_time": BEGINS,
        "end_time": BEGINS + 86400,
        "results": results,
    }
    return json.dumps({"object": "page", "data": [bucket], "has_more": False} | page).encode()


def openai_cost(value: object, item: object, **more: Any) -> dict[str, Any]:
    """A result of the costs endpoint."""
    amount = {"value": value, "currency": "usd"}
    kind = "organization.costs.result"
    return {"object": kind, "amount": amount, "line_item": item, "project_id": None} | more


def anthropic_page(*results: dict[str, Any]) -> bytes:
    """A page of Anthropic's API with one bucket."""
    bucket = {
        "starting_at": "2026-11-23T00:00:00Z",
        "ending_at": "2026-11-24T00:00:00Z",
        "results": results,
    }
    return json.dumps({"data": [bucket], "has_more": False, "next_page": None}).encode()


def test_openai_costs_are_dollars_by_line_item() -> None:
    """Decimals are taken as they are written; items that are no tokens are kept whole."""
    page = openai_page(
        openai_cost(0.1, "gpt-4o-2024-08-06, input"),
        openai_cost("0.00000012345", "gpt-4o-2024-08-06, cached input", quantity=99),
        openai_cost(2, "Image models"),
    )

    assert read_invoice(page, "costs.json") == [
        invoice_line(
            provider="openai",
            model="gpt-4o-2024-08-06",
            token_class="input",
            usd=Decimal("0.1"),
        ),
        invoice_line(
            provider="openai",
            model="gpt-4o-2024-08-06",
            token_class="cached_input",
            usd=Decimal("0.00000012345"),
            quantity=99,
        ),
        invoice_line(provider="openai", model="Image models", token_class="", usd=Decimal(2)),
    ]


def test_openai_usage_totals_are_taken_apart() -> None:
    """Input includes what was cached; the classes do not overlap."""
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "input_cached_tokens": 800,
        "output_tokens": 500,
        "num_model_requests": 5,
        "model": "gpt-4o",
    }
    lines = read_invoice(openai_page(result), "usage.json")

    assert {line.token_class: line.quantity for line in lines} == {
        "input": 200,
        "cached_input": 800,
        "output": 500,
    }


def test_anthropic_costs_are_cents() -> None:
    """ "123.45" is a dollar and twenty-three; searches are a line of their own."""
    page = anthropic_page(
        {
            "currency": "USD",
            "amount": "123.45",
            "cost_type": "tokens",
            "model": "claude-opus-4-6",
            "token_type": "cache_creation.ephemeral_1h_input_tokens",
            "description": "Claude Opus 4.6 Usage",
        },
        {"currency": "USD", "amount": "1", "cost_type": "web_search", "description": "Web Search"},
    )

    assert read_invoice(page, "cost.json") == [
        invoice_line(
            provider="anthropic",
            model="claude-opus-4-6",
            token_class="cache_write_1h",
            usd=Decimal("1.2345"),
        ),
        invoice_line(provider="anthropic", model="", token_class="web_search", usd=Decimal("0.01")),
    ]


def test_anthropic_usage_has_every_class() -> None:
    """Both caches, searches, input and output."""
    page = anthropic_page(
        {
            "uncached_input_tokens": 1,
            "cache_creation": {"ephemeral_1h_input_tokens": 2, "ephemeral_5m_input_tokens": 3},
            "cache_read_input_tokens": 4,
            "output_tokens": 5,
            "server_tool_use": {"web_search_requests": 6},
            "model": "claude-opus-4-6",
        }
    )
    lines = read_invoice(page, "usage.json")

    assert {line.token_class: line.quantity for line in lines} == {
        "input": 1,
        "cache_write_1h": 2,
        "cache_write": 3,
        "cached_input": 4,
        "output": 5,
        "web_search": 6,
    }


def test_consoles_csv_is_known_by_its_columns() -> None:
    """In any order, with columns that nobody needs."""
    openai = (
        "organization_name,start_time_iso,amount_value,amount_currency,line_item\n"
        'ACME,2026-11-23T00:00:00+00:00,1.25,usd,"gpt-4o, output"\n'
    )
    costs = (
        "usage_date_utc,model,workspace,token_type,cost_usd,cost_type\n"
        "2026-11-23,claude-opus-4-6,Default,input_no_cache,0.5,tokens\n"
    )
    usage = (
        "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens\n"
        "2026-11-23,claude-opus-4-6,10,20\n"
    )
    found = [
        line
        for text in (openai, costs, usage)
        for line in read_invoice(b"\xef\xbb\xbf" + text.encode(), "export.csv")
    ]

    assert [(line.model, line.token_class, line.usd, line.quantity) for line in found] == [
        ("gpt-4o", "output", Decimal("1.25"), None),
        ("claude-opus-4-6", "input", Decimal("0.5"), None),
        ("claude-opus-4-6", "input", None, 10),
        ("claude-opus-4-6", "output", None, 20),
    ]
    assert {line.day for line in found} == {DAY}


def test_pages_may_come_in_a_list_or_one_a_line() -> None:
    """Whoever collects pages need not take them apart."""
    page = openai_page(openai_cost(1, "gpt-4o, input"))

    assert len(read_invoice(b"[" + page + b"," + page + b"]", "list")) == 2
    assert len(read_invoice(page + b"\n" + page + b"\n", "lines")) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (openai_page(openai_cost(1, None)), "group the costs by line_item"),
        (openai_page(openai_cost("much", "gpt-4o, input")), "'much' is no amount"),
        (openai_page(openai_cost(1, "x, input"), has_more=True), "export all pages"),
        (openai_page({"object": "organization.usage.completions.result"}), "by model"),
        (openai_page({"object": "other"}), "of a kind that is not known"),
        (anthropic_page({"amount": "1", "currency": "EUR", "cost_type": "x"}), "amounts in EUR"),
        (anthropic_page({"amount": "1"}), "group the costs by description"),
        (
            anthropic_page({"amount": "1", "cost_type": "tokens", "token_type": "magic"}),
            "'magic' is no class of tokens",
        ),
        (b"{", "neither JSON nor JSON Lines"),
        (b"[1]", "no page of an API's answer"),
        (openai_page({"object": "organization.usage.images.result"}), "not in tokens"),
        (b"a,b\n1,2\n", "columns of no export that is known: a, b"),
        (
            b"usage_date_utc,cost_usd\n2026-11-23,1\n",
            "looks like Anthropic's costs, but has no column model, token_type; "
            "it has cost_usd, usage_date_utc",
        ),
        (
            b"usage_date_utc,model,token_type,cost_usd\nsoon,m,output,1\n",
            "file, line 2: 'soon' is no day",
        ),
        (b"start_time,end_time,start_time_iso,end_time_iso\n1,2,,\n", "days without any"),
        (openai_page(), "nothing was billed"),
        (b"", "has no lines"),
        (b"\xff\xfe", "is no text"),
    ],
)
def test_what_cannot_be_compared_is_refused(content: bytes, words: str) -> None:
    """Nothing is guessed, and the message says how to export it."""
    with pytest.raises(InvoiceError, match=words):
        read_invoice(content, "file")
