"""The golden corpus of costs: exact to the nano-dollar, by three ways of counting."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.config.price_book import load_price_book
from gateway.core.prices import cost_of, cost_parts, is_unpriced
from gateway.core.usage import Usage
from tests.golden.costs.independent import exact_cost
from tests.golden.costs.second_book import second_cost, second_row
from tests.golden.costs.verdicts import VERDICTS

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "cases.jsonl").read_text().splitlines()]
ROWS = json.loads((HERE / "rows.json").read_text())
SECOND = HERE.parents[3] / "shared" / "data" / "prices" / "second_price_book.json"
#: The day whose prices the book shows outside its cases must not matter.
BOOKS = [
    load_price_book(datetime.fromisoformat(day).timestamp())
    for day in ("2026-11-20T12:00:00+00:00", "2025-06-01T00:00:00+00:00")
]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_cost_is_that_of_the_corpus(case: dict[str, Any]) -> None:
    """The compiled price, at the date, size and tier of the case."""
    usage = Usage(**case["usage"])
    at = datetime.fromisoformat(case["at"]).timestamp()
    for book in BOOKS:
        price = book.price_of(case["provider"], case["model"])
        assert price is not None

        assert cost_of(usage, price, at) == case["cost_nanousd"]
        assert sum(one.cost_nanousd for one in cost_parts(usage, price, at)) == case["cost_nanousd"]


def test_the_corpus_is_what_the_independent_computation_says() -> None:
    """From the published rows in exact fractions, without the gateway."""
    for case in CASES:
        rows = ROWS[f"{case['provider']}/{case['model']}"]

        assert exact_cost(rows, case["usage"], case["at"]) == case["cost_nanousd"], case["name"]


@pytest.mark.skipif(not SECOND.exists(), reason="the second price list is not here")
def test_the_second_list_agrees_or_the_case_says_who_is_right() -> None:
    """Every disagreement has a verdict, and every verdict a disagreement."""
    second = json.loads(SECOND.read_text())
    used = set()
    for case in CASES:
        row = second_row(second, case["provider"], case["model"])
        if case["second_nanousd"] is None:
            continue
        assert row is not None
        assert second_cost(row, case["usage"]) == case["second_nanousd"], case["name"]
        agrees = case["second_nanousd"] == case["cost_nanousd"]
        assert agrees == ("why" not in case), case["name"]
        used.add(case.get("why"))
    assert {why for _, why in VERDICTS.values()} <= used


def test_the_corpus_is_large_and_covers_what_it_should() -> None:
    """250 cases and more, of every class."""
    classes = {name for case in CASES for name in case["usage"]}

    assert len(CASES) >= 250
    assert sum(case["second_nanousd"] is not None for case in CASES) >= 200
    assert classes >= {
        *("cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
        *("reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "cached_audio_tokens"),
        *("input_image_tokens", "output_image_tokens", "web_searches", "service_tier"),
    }


def test_a_tier_that_no_list_knows_is_flagged() -> None:
    """Booked at the standard price, and never in silence."""
    price = BOOKS[0].price_of("google", "gemini-2.5-pro")
    assert price is not None

    assert is_unpriced(Usage(input_tokens=1, service_tier="priority"), price)
    assert not is_unpriced(Usage(input_tokens=1, service_tier="batch"), price)
