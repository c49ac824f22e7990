"""Money is exact."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.money import divide_half_even, nano_to_usd_text, usd_to_nano


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0.000000000"), (1500, "0.000001500"), (-7, "-0.000000007"), (10**9, "1.000000000")],
)
def test_nano_dollars_are_shown_as_exact_decimals(nanousd: int, text: str) -> None:
    """No exponent, no float, nine places."""
    assert nano_to_usd_text(nanousd) == text


def test_dollars_are_read_by_their_decimal_form() -> None:
    """A float means what it shows."""
    assert usd_to_nano(0.1) == 100_000_000


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**9))
def test_a_division_rounds_half_to_even(numerator: int, denominator: int) -> None:
    """Property: as exact fractions round."""
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))
