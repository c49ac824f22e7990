"""List prices are exact, and what is not listed has none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices import calc_price

from gateway.config.price_book import load_price_book
from gateway.core.money import usd_to_nano
from gateway.core.prices import cost_of
from gateway.core.usage import Usage

DAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOOK = load_price_book(DAY.timestamp())
MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-4.1"),
    ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-4.1-nano"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5-mini"),
    ("openai", "gpt-5-nano"),
    ("openai", "gpt-5.4-mini"),
    ("openai", "o3"),
    ("openai", "o4-mini"),
    ("anthropic", "claude-haiku-4-5"),
    ("anthropic", "claude-sonnet-5"),
    ("anthropic", "claude-opus-4-5"),
    ("anthropic", "claude-3-haiku"),
    ("mistral", "mistral-large-latest"),
    ("mistral", "mistral-small-latest"),
    ("groq", "llama-3.3-70b-versatile"),
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("deepseek", "deepseek-v4-flash"),
    ("azure", "gpt-4o"),
]


@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_costs_are_those_of_the_list_to_the_nano_dollar(provider: str, model: str) -> None:
    """Input, cached input and output cost what the price list's own calculation says."""
    price = BOOK.price_of(provider, model)
    assert price is not None
    dearest = "dearest tier" in price.source
    usage = Usage(input_tokens=100_003, cached_input_tokens=30_001, output_tokens=2_007)
    listed = calc_price(
        ListedUsage(input_tokens=100_003, cache_read_tokens=30_001, output_tokens=2_007),
        model,
        provider_id=provider,
        genai_request_timestamp=DAY,
    )

    cost = cost_of(usage, price)
    exact = usd_to_nano(listed.total_price)
    assert cost >= exact if dearest else cost == exact
    assert price.revision == BOOK.revision


def test_most_of_those_models_have_one_price_all_day() -> None:
    """The comparison above is an equality for nearly all of them."""
    prices = [BOOK.price_of(provider, model) for provider, model in MODELS]

    assert sum(price is not None and "dearest tier" not in price.source for price in prices) >= 18


def test_a_price_with_tiers_is_the_dearest() -> None:
    """A prompt of any size is covered by the price that holds are made of."""
    price = BOOK.price_of("anthropic", "claude-sonnet-4-5")
    long_prompt = calc_price(
        ListedUsage(input_tokens=900_000, output_tokens=1_000),
        "claude-sonnet-4-5",
        provider_id="anthropic",
        genai_request_timestamp=DAY,
    )

    assert price is not None
    assert "dearest tier" in price.source
    cost = cost_of(Usage(input_tokens=900_000, output_tokens=1_000), price)
    assert cost == usd_to_nano(long_prompt.total_price)


def test_a_price_with_hours_is_the_dearest() -> None:
    """Where the hour of the day counts, the dearest hour is booked."""
    price = BOOK.price_of("deepseek", "deepseek-chat")
    by_hour = [
        calc_price(
            ListedUsage(input_tokens=10**6),
            "deepseek-chat",
            provider_id="deepseek",
            genai_request_timestamp=DAY.replace(hour=hour),
        ).total_price
        for hour in range(24)
    ]

    assert price is not None
    assert price.input == usd_to_nano(max(by_hour))
    assert min(by_hour) < max(by_hour)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model"),
        ("ollama", "llama3"),
        ("openai_compatible", "gpt-4o"),
        ("my-openai", "gpt-4o"),
        ("", "gpt-4o"),
        ("litellm", "openai/gpt-4o"),
    ],
)
def test_what_is_not_listed_has_no_price(provider: str, model: str) -> None:
    """A model at home, or a provider that only sounds like one, is not priced as the maker's."""
    assert BOOK.price_of(provider, model) is None


def test_nothing_is_free_by_omission() -> None:
    """A class that the list does not price costs what input costs."""
    price = BOOK.price_of("mistral", "mistral-large-latest")

    assert price is not None
    assert price.cached_input == price.cache_write == price.input > 0


def test_an_old_day_has_its_own_price() -> None:
    """Prices follow the day that the book was loaded for."""
    before = load_price_book(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    after = load_price_book(datetime(2026, 3, 20, tzinfo=UTC).timestamp())
    early = before.price_of("anthropic", "claude-sonnet-4-6")
    late = after.price_of("anthropic", "claude-sonnet-4-6")

    assert early is not None
    assert late is not None
    assert (early.input, late.input) == (usd_to_nano(Decimal(6)), usd_to_nano(Decimal(3)))
