"""List prices are exact, and what is not listed has none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices import calc_price

from gateway.config.price_book import load_price_book
from gateway.core.money import usd_to_nano
from gateway.core.prices import cost_of, worst_cost
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
    usage = Usage(input_tokens=100_003, cached_input_tokens=30_001, output_tokens=2_007)
    listed = calc_price(
        ListedUsage(input_tokens=100_003, cache_read_tokens=30_001, output_tokens=2_007),
        model,
        provider_id=provider,
        genai_request_timestamp=DAY,
    )

    assert cost_of(usage, price, DAY.timestamp()) == usd_to_nano(listed.total_price)
    assert price.revision == BOOK.revision


@pytest.mark.parametrize("tokens", [200_000, 200_001, 900_000])
def test_a_price_with_steps_follows_the_size_of_the_prompt(tokens: int) -> None:
    """All tokens of a prompt above the step cost its price; a hold covers it."""
    price = BOOK.price_of("anthropic", "claude-sonnet-4-5")
    listed = calc_price(
        ListedUsage(input_tokens=tokens, output_tokens=1_000),
        "claude-sonnet-4-5",
        provider_id="anthropic",
        genai_request_timestamp=DAY,
    )

    assert price is not None
    usage = Usage(input_tokens=tokens, output_tokens=1_000)
    cost = cost_of(usage, price, DAY.timestamp())
    assert cost == usd_to_nano(listed.total_price)
    assert cost <= worst_cost(price, tokens, 1_000, at=DAY.timestamp())


@pytest.mark.parametrize("hour", range(24))
def test_a_price_with_hours_follows_the_hour(hour: int) -> None:
    """And a hold that may be settled later in the day covers the dearest hour."""
    moment = DAY.replace(hour=hour, minute=59, second=59)
    price = BOOK.price_of("deepseek", "deepseek-chat")
    listed = calc_price(
        ListedUsage(input_tokens=10**6),
        "deepseek-chat",
        provider_id="deepseek",
        genai_request_timestamp=moment,
    )

    assert price is not None
    usage = Usage(input_tokens=10**6)
    assert cost_of(usage, price, moment.timestamp()) == usd_to_nano(listed.total_price)
    held = worst_cost(price, 10**6, 0, at=moment.timestamp(), seconds=60)
    assert held >= cost_of(usage, price, moment.timestamp() + 60)


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


def test_a_request_has_the_price_of_its_own_date() -> None:
    """Whenever the book was loaded: three prices of one model within ten days."""
    price = BOOK.price_of("mistral", "mistral-large-4")
    assert price is not None
    usage = Usage(input_tokens=10**6)

    def cost(*day: int) -> int:
        return cost_of(usage, price, datetime(2026, *day, tzinfo=UTC).timestamp())

    assert cost(10, 19, 23) == usd_to_nano("0.68")
    assert cost(10, 20) == cost(10, 28, 23) == usd_to_nano("1.36")
    assert cost(10, 29) == usd_to_nano("0.7")
