"""Prices: by class, date, size and tier, exact, and never free by omission."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.money import usd_to_nano
from gateway.core.prices import (
    Machine,
    Price,
    PriceCase,
    cost_of,
    cost_parts,
    discounted,
    gpu_hour_price,
    is_unpriced,
    price_at,
    worst_cost,
)
from gateway.core.usage import COUNTED, TOKEN_CLASSES, Usage, quantities

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


counts = st.integers(0, 3_000_000)
usages = st.builds(Usage, **dict.fromkeys(COUNTED, counts))
prices = st.builds(
    Price,
    **dict.fromkeys(("input", "output", "cached_input", "cache_write", "per_request"), RATES),
    **dict.fromkeys(
        ("cache_write_1h", "input_audio", "cached_audio", "reasoning", "output_audio"),
        st.none() | RATES,
    ),
    web_search=RATES,
)


@given(usages, prices)
def test_parts_add_up_to_the_cost(usage: Usage, price: Price) -> None:
    """Property: every part is within a nano-dollar of its own exact cost, and none is lost."""
    parts = cost_parts(usage, price)

    assert sum(part.cost_nanousd for part in parts) == cost_of(usage, price)
    for part in parts:
        assert abs(part.cost_nanousd - Fraction(part.quantity * part.rate, 10**6)) < 1


@given(usages, prices)
def test_a_cost_is_every_class_at_its_own_price(usage: Usage, price: Price) -> None:
    """Property: the exact sum over the classes, rounded once."""
    exact = sum(
        (Fraction(count * price.rate(name), 10**6) for name, count in quantities(usage)),
        Fraction(0),
    )

    assert cost_of(usage, price) == price.per_request + round(exact)


def test_a_class_without_a_price_costs_what_its_wider_class_does() -> None:
    """Nothing is free by omission."""
    assert GPT_4O.rate("cache_write_1h") == GPT_4O.cache_write
    assert GPT_4O.rate("cached_audio") == GPT_4O.cached_input
    assert GPT_4O.rate("reasoning") == GPT_4O.rate("output_image") == GPT_4O.output
    assert all(GPT_4O.rate(name) > 0 for name in TOKEN_CLASSES)


LONG = msgspec.structs.replace(GPT_4O, input=GPT_4O.input * 2, output=GPT_4O.output * 3)
LATER = msgspec.structs.replace(GPT_4O, input=1)
BATCH = msgspec.structs.replace(GPT_4O, input=2)
NIGHT = msgspec.structs.replace(GPT_4O, input=3)
VARIED = msgspec.structs.replace(
    GPT_4O,
    cases=(
        PriceCase(price=BATCH, tier="batch"),
        PriceCase(price=LATER, since=1_000_000.0),
        PriceCase(price=LONG, above=200_000),
        PriceCase(price=NIGHT, hours=(22 * 3600, 4 * 3600)),
    ),
)
NOON = 12 * 3600.0


@pytest.mark.parametrize(
    ("expected", "tokens", "at", "tier"),
    [
        (GPT_4O.input, 200_000, NOON, ""),
        (LONG.input, 200_001, NOON, ""),
        (LATER.input, 300_000, 1_000_000.0, ""),
        (GPT_4O.input, 100, 999_999.0, "default"),
        (BATCH.input, 100, NOON, "batch"),
        (GPT_4O.input, 100, NOON, "unheard-of"),
        (NIGHT.input, 100, 3 * 3600.0, ""),
        (NIGHT.input, 100, 23 * 3600.0, ""),
        (GPT_4O.input, 100, 4 * 3600.0, ""),
    ],
)
def test_the_price_is_that_of_the_date_the_size_and_the_tier(
    expected: int, tokens: int, at: float, tier: str
) -> None:
    """A step counts from the first token above it, a date from its first second."""
    usage = Usage(input_tokens=tokens, service_tier=tier)

    assert price_at(VARIED, usage, at).input == expected


@given(usage=usages, at=st.floats(0, 2_000_000), tier=st.sampled_from(["", "batch"]))
def test_a_hold_covers_every_date_size_and_tier(usage: Usage, at: float, tier: str) -> None:
    """Property: whatever happens within the time of the request, it costs no more than held."""
    bounded = msgspec.structs.replace(
        Usage(**{name: getattr(usage, name) for name in ("input_tokens", "output_tokens")}),
        service_tier=tier,
    )
    held = worst_cost(
        VARIED, bounded.input_tokens, bounded.output_tokens, at=at, seconds=600, tier=tier
    )

    assert cost_of(bounded, VARIED, at) <= held
    assert cost_of(bounded, VARIED, at + 600) <= held


def test_what_nobody_priced_is_flagged() -> None:
    """Searches without a price and tiers that no list knows."""
    assert is_unpriced(Usage(web_searches=1), GPT_4O)
    assert is_unpriced(Usage(service_tier="scale"), GPT_4O)
    assert not is_unpriced(Usage(service_tier="standard"), GPT_4O)
    assert not is_unpriced(Usage(service_tier="Batch"), VARIED)
    priced = msgspec.structs.replace(GPT_4O, web_search=usd_to_nano(10_000))
    assert not is_unpriced(Usage(web_searches=1), priced)
    assert cost_of(Usage(web_searches=3), priced) == 3 * usd_to_nano("0.01")


def test_a_discount_is_off_every_class_and_keeps_the_list_price() -> None:
    """15 % off, in the long case too."""
    agreed = discounted(VARIED, Decimal("0.15"))
    usage = Usage(input_tokens=300_000, output_tokens=10)

    assert cost_of(usage, agreed, NOON) * 100 == cost_of(usage, VARIED, NOON) * 85
    assert agreed.listed == VARIED
    assert [part.list_rate for part in cost_parts(usage, agreed, NOON)] == [LONG.input, LONG.output]


def test_a_machine_is_busy_for_what_it_reads_and_writes() -> None:
    """1,000 tokens read at 500 a second and 100 written at 50."""
    machine = Machine(
        hour_nanousd=1, input_tokens_per_second=500, output_tokens_per_second=50, utilisation=1.0
    )

    assert machine.busy_seconds(Usage(input_tokens=1000, output_tokens=100)) == 4.0


def test_a_gpu_hour_is_spread_over_the_tokens_it_serves() -> None:
    """$3.60 an hour at 1,000 tokens a second, half busy: $2 per million tokens."""
    assert gpu_hour_price(Decimal("3.60"), Decimal(1000), Decimal("0.5")) == usd_to_nano(2)


def test_a_machine_that_serves_nothing_has_no_price() -> None:
    """Zero throughput or utilisation is refused instead of dividing by it."""
    with pytest.raises(ValueError, match="utilisation"):
        gpu_hour_price(Decimal(1), Decimal(100), Decimal(0))
