"""Money is exact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.money import (
    Price,
    cost_of,
    gpu_hour_price,
    nano_to_usd_text,
    usd_to_nano,
    worst_cost,
)
from gateway.core.usage import Usage

GPT_4O = Price(
    input=usd_to_nano("2.5"),
    output=usd_to_nano("10"),
    cached_input=usd_to_nano("1.25"),
    cache_write=usd_to_nano("2.5"),
)
TOKENS = st.integers(0, 10_000_000)
RATES = st.integers(0, 10**12)


def test_each_class_of_tokens_has_its_own_price() -> None:
    """1,000 input tokens of which 400 cached, and 200 output tokens of GPT-4o."""
    usage = Usage(input_tokens=1000, cached_input_tokens=400, output_tokens=200)

    assert cost_of(usage, GPT_4O) == 600 * 2500 + 400 * 1250 + 200 * 10000


def test_a_total_smaller_than_its_classes_hides_no_cost() -> None:
    """A server that reports fewer input tokens than cached ones still pays for the cached."""
    usage = Usage(input_tokens=0, cached_input_tokens=400)

    assert cost_of(usage, GPT_4O) == 400 * 1250


@given(TOKENS, TOKENS, TOKENS, RATES, RATES, RATES)
def test_a_cost_is_the_exact_sum_rounded_once(
    plain: int, cached: int, out: int, rate_in: int, rate_cached: int, rate_out: int
) -> None:
    """Property: equal to exact fractions, rounded half to even at the very end."""
    price = Price(input=rate_in, output=rate_out, cached_input=rate_cached, cache_write=rate_in)
    usage = Usage(input_tokens=plain + cached, cached_input_tokens=cached, output_tokens=out)
    exact = Fraction(plain * rate_in + cached * rate_cached + out * rate_out, 1_000_000)

    assert cost_of(usage, price) == round(exact)


@given(TOKENS, TOKENS, TOKENS, RATES, RATES, RATES)
def test_a_hold_covers_every_call_within_its_bounds(
    input_upper: int, cap: int, less: int, rate_in: int, rate_cached: int, rate_out: int
) -> None:
    """Property: no usage within the bounds costs more than what was held for it."""
    price = Price(input=rate_in, output=rate_out, cached_input=rate_cached, cache_write=rate_in)
    usage = Usage(
        input_tokens=input_upper,
        cached_input_tokens=min(less, input_upper),
        output_tokens=min(less, cap),
    )

    assert cost_of(usage, price) <= worst_cost(price, input_upper, cap)


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0.000000000"), (1500, "0.000001500"), (-7, "-0.000000007"), (10**9, "1.000000000")],
)
def test_nano_dollars_are_shown_as_exact_decimals(nanousd: int, text: str) -> None:
    """No exponent, no float, nine places."""
    assert nano_to_usd_text(nanousd) == text


def test_a_gpu_hour_is_spread_over_the_tokens_it_serves() -> None:
    """$3.60 an hour at 1,000 tokens a second, half busy: $2 per million tokens."""
    assert gpu_hour_price(Decimal("3.60"), Decimal(1000), Decimal("0.5")) == usd_to_nano(2)


def test_a_machine_that_serves_nothing_has_no_price() -> None:
    """Zero throughput or utilisation is refused instead of dividing by it."""
    with pytest.raises(ValueError, match="utilisation"):
        gpu_hour_price(Decimal(1), Decimal(100), Decimal(0))
