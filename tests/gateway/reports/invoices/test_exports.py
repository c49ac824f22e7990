"""The consoles' CSV files and the APIs' answers as they look today, shortened, with other names."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.reports.invoices.anthropic import model_id
from gateway.reports.invoices.lines import InvoiceError, InvoiceLine
from gateway.reports.invoices.openai import openai_item
from gateway.reports.invoices.reading import read_invoices

#: Files as the consoles export them, named by console and year.
EXPORTS = Path(__file__).parent / "exports"


def sample(name: str) -> str:
    """What is in one of them."""
    return (EXPORTS / name).read_text(encoding="utf-8")


def told(text: str) -> list[tuple[str, str, str, Decimal | None, int | None]]:
    """Day, model, class, dollars and quantity of every line of a file."""
    return [
        (line.day.isoformat(), line.model, line.token_class, line.usd, line.quantity)
        for line in read_invoices([("export.csv", text.encode())])
    ]


def test_a_total_of_a_day_is_of_all_models() -> None:
    """That is how OpenAI's dashboard exports costs unless they are grouped; empty days are none."""
    assert told(sample("openai_costs_2025.csv")) == [
        ("2025-10-05", "", "", Decimal("0.895874"), None)
    ]


def test_costs_by_line_item_have_quantities() -> None:
    """In tokens or thousands of them; searches are billed for all models together."""
    assert told(sample("openai_costs_2026.csv")) == [
        ("2026-09-28", "gpt-5-nano", "input", Decimal("0.5"), 1000),
        ("2026-09-28", "gpt-5-nano", "output", Decimal("0.00383598"), 3500),
        ("2026-09-28", "", "web_search", Decimal("0.25"), None),
    ]


def test_usage_is_taken_apart_by_kind() -> None:
    """Sound and pictures are told without what was cached of them."""
    assert told(sample("openai_usage.csv")) == [
        ("2025-10-05", "gpt-4o-2024-08-06", "cached_input", None, 5760),
        ("2025-10-05", "gpt-4o-2024-08-06", "input_audio", None, 60),
        ("2025-10-05", "gpt-4o-2024-08-06", "input_image", None, 40),
        ("2025-10-05", "gpt-4o-2024-08-06", "input", None, 53340),
        ("2025-10-05", "gpt-4o-2024-08-06", "output", None, 10646),
    ]


def test_anthropics_costs_call_models_as_people_do() -> None:
    """The API's names are found by them, in every version of the file."""
    files = (
        sample("anthropic_costs_2024.csv"),
        sample("anthropic_costs_2025.csv"),
        sample("anthropic_costs_2026.csv"),
    )

    assert [line for text in files for line in told(text)] == [
        ("2024-12-07", "claude-3-5-sonnet-20241022", "input", Decimal("0.07"), None),
        ("2025-12-01", "claude-haiku-4-5", "output", Decimal("0.13"), None),
        ("2026-08-04", "claude-opus-5", "cached_input", Decimal("0.10"), None),
        ("2026-08-04", "claude-opus-5", "cache_write", Decimal("0.00"), None),
        ("2026-08-04", "", "web_search", Decimal("0.02"), None),
    ]


def test_costs_in_cents_say_how_far_off_they_may_be() -> None:
    """Half a cent a row."""
    (line,) = read_invoices([("export.csv", sample("anthropic_costs_2025.csv").encode())])

    assert line.rounded_usd == Decimal("0.005")


def test_anthropics_usage_has_both_caches() -> None:
    """In every version of the file."""
    assert [
        line
        for text in (sample("anthropic_usage_2025.csv"), sample("anthropic_usage_2026.csv"))
        for line in told(text)
    ] == [
        ("2025-06-12", "claude-3-5-haiku-20241022", "input", None, 8),
        ("2025-06-12", "claude-3-5-haiku-20241022", "cached_input", None, 5),
        ("2025-06-12", "claude-3-5-haiku-20241022", "cache_write", None, 3),
        ("2025-06-12", "claude-3-5-haiku-20241022", "cache_write_1h", None, 4),
        ("2025-06-12", "claude-3-5-haiku-20241022", "output", None, 1),
        ("2025-06-12", "claude-3-5-haiku-20241022", "web_search", None, 2),
        ("2026-09-28", "claude-opus-5", "input", None, 189),
        ("2026-09-28", "claude-opus-5", "cached_input", None, 61624),
        ("2026-09-28", "claude-opus-5", "cache_write", None, 61624),
        ("2026-09-28", "claude-opus-5", "output", None, 675),
    ]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_spreadsheet_may_have_put_other_marks_between_columns(mark: str) -> None:
    """Whoever opened the file and saved it need not export it again."""
    assert told(sample("anthropic_costs_2025.csv").replace(",", mark)) == told(
        sample("anthropic_costs_2025.csv")
    )


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ("gpt-5.5-2026-04-23, input", ("gpt-5.5-2026-04-23", "input")),
        ("gpt-5.5-2026-04-23, cached input", ("gpt-5.5-2026-04-23", "cached_input")),
        ("gpt-6-astra, input_tokens", ("gpt-6-astra", "input")),
        ("priority | gpt-5.6-sol, output, long context", ("gpt-5.6-sol", "output")),
        ("gpt-5.6-sol, cache writes", ("gpt-5.6-sol", "cache_write")),
        ("gpt-audio-mini-2025-12-15 audio, input", ("gpt-audio-mini-2025-12-15", "input_audio")),
        ("gpt-image-2.5-sunburst text, cached input", ("gpt-image-2.5-sunburst", "cached_input")),
        ("gpt-image-2.5-flare image, output", ("gpt-image-2.5-flare", "output_image")),
        ("web search tool calls", ("", "web_search")),
        ("assistants api | file search", ("assistants api | file search", "")),
        ("whisper-1, audio", ("whisper-1, audio", "")),
        ("Image models", ("Image models", "")),
    ],
)
def test_line_items_name_model_and_class(item: str, place: tuple[str, str]) -> None:
    """What names no class of tokens is kept whole."""
    assert openai_item(item) == place


@pytest.mark.parametrize(
    ("shown", "known"),
    [
        ("Claude Haiku 4.5", "claude-haiku-4-5"),
        ("Claude 3.5 Sonnet 2024-10-22", "claude-3-5-sonnet-20241022"),
        ("claude-opus-4-6", "claude-opus-4-6"),
        ("", ""),
    ],
)
def test_names_of_models_are_found_by_those_that_are_shown(shown: str, known: str) -> None:
    """`Claude Haiku 4.5` is what people read."""
    assert model_id(shown) == known


def test_openais_usage_has_what_was_written_to_the_cache() -> None:
    """It is part of the input, as is what was read from it."""
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "input_cached_tokens": 130,
        "input_cached_text_tokens": 100,
        "input_cached_audio_tokens": 20,
        "input_cached_image_tokens": 10,
        "input_cache_write_tokens": 50,
        "input_audio_tokens": 5,
        "input_image_tokens": 15,
        "input_text_tokens": 800,
        "input_uncached_tokens": 820,
        "output_tokens": 90,
        "output_audio_tokens": 20,
        "output_image_tokens": 30,
        "output_text_tokens": 40,
        "num_model_requests": 1,
        "model": "gpt-5.6",
    }
    lines = read_invoices([("usage.json", page([{"start_time": 1790553600, "results": [result]}]))])

    assert {line.token_class: line.quantity for line in lines} == {
        "cached_input": 100,
        "cached_audio": 20,
        "cached_image": 10,
        "cache_write": 50,
        "input_audio": 5,
        "input_image": 15,
        "output_audio": 20,
        "output_image": 30,
        "input": 800,
        "output": 40,
    }


def page(entries: list[Any], has_more: bool = False) -> bytes:
    """A page of an API."""
    return json.dumps({"data": entries, "has_more": has_more, "next_page": None}).encode()


def analytics(days: int = 1, **fields: Any) -> dict[str, Any]:
    """An item of Anthropic's analytics API."""
    ends = f"2026-09-{28 + days:02}T00:00:00Z"
    return {"starting_at": "2026-09-28T00:00:00Z", "ending_at": ends, **fields}


def test_anthropics_newer_api_is_read_too() -> None:
    """Items carry their group; amounts are cents, as fractions."""
    cost = {"amount": "123.456", "list_amount": "200", "currency": "USD", "requests": None}
    group = {"model": "claude-opus-5-5", "cost_type": "tokens", "token_type": "output_tokens"}
    usage = {
        "uncached_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 0},
        "cache_read_input_tokens": 0,
        "output_tokens": 7,
        "server_tool_use": {"web_search_requests": 0},
        "total_tokens": 18,
    }
    searches = {"model": None, "cost_type": "web_search", "token_type": None}
    lines = read_invoices(
        [
            (
                "cost",
                page([analytics(cost=cost, group=group), analytics(cost=cost, group=searches)]),
            ),
            ("usage", page([analytics(usage=usage, group={"model": "claude-opus-5-5"})])),
        ]
    )
    known = {"day": date(2026, 9, 28), "provider": "anthropic"}
    usd = Decimal("1.23456")

    assert lines == [
        InvoiceLine(**known, model="claude-opus-5-5", token_class="output", usd=usd),
        InvoiceLine(**known, model="", token_class="web_search", usd=usd),
        InvoiceLine(**known, model="claude-opus-5-5", token_class="input", quantity=5),
        InvoiceLine(**known, model="claude-opus-5-5", token_class="output", quantity=7),
        InvoiceLine(**known, model="claude-opus-5-5", token_class="cache_write", quantity=6),
    ]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (analytics(cost={"amount": "1"}, group={"model": "m"}), "by model, cost_type and token"),
        (
            analytics(
                days=2,
                cost={"amount": "1"},
                group={"model": "m", "cost_type": "tokens", "token_type": "output_tokens"},
            ),
            "time_bucket_width=1d",
        ),
        (analytics(usage={"output_tokens": 1}, group={"model": None}), "group the usage by model"),
        (analytics(group={}), "of a kind that is not known"),
    ],
)
def test_items_that_cannot_be_compared_are_refused(item: dict[str, Any], words: str) -> None:
    """The message says how to ask."""
    with pytest.raises(InvoiceError, match=words):
        read_invoices([("cost", page([item]))])


def test_pages_of_one_answer_may_lie_in_files_of_their_own() -> None:
    """In any order, as long as the last one is among them."""
    result = {"object": "organization.costs.result", "line_item": "gpt-4o, input"}
    bucket = {
        "start_time": 1790553600,
        "results": [{**result, "amount": {"value": 1, "currency": "usd"}}],
    }
    first, last = page([bucket], has_more=True), page([{"start_time": 1790640000, "results": []}])

    assert len(read_invoices([("2.json", last), ("1.json", first)])) == 1
    assert len(read_invoices([("1.json", first), ("2.json", page([bucket]))])) == 2
    with pytest.raises(InvoiceError, match=r"1\.json.*export all pages"):
        read_invoices([("1.json", first)])
