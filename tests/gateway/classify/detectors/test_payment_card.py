"""Which numbers an issuer has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.classify.detectors.payment_card import _ISSUERS, issued


def test_the_ends_of_a_range_are_written_alike() -> None:
    """So that prefixes sort as their numbers do."""
    assert all(len(str(low)) == len(str(high)) for low, high, _ in _ISSUERS)


@given(
    row=st.sampled_from(_ISSUERS),
    shift=st.integers(-2, 2),
    rest=st.text("0123456789", min_size=19, max_size=19),
    length=st.integers(11, 20),
)
def test_a_number_is_issued_where_a_range_holds_it(
    row: tuple[int, int, frozenset[int]], shift: int, rest: str, length: int
) -> None:
    """Property: at the ends of every range and next to them, by whole numbers."""
    digits = f"{max(1, row[shift > 0] + shift)}{rest}"[:length]

    assert issued(digits) == any(
        len(digits) in lengths and low <= int(digits[: len(str(low))]) <= high
        for low, high, lengths in _ISSUERS
    )
