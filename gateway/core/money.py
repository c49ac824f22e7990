"""Money as integer nano-USD, and how it is written."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

NANO = 1_000_000_000
MILLION = 1_000_000
#: Lua numbers are doubles; integers are exact up to here (about $9.0 million).
MAX_NANOUSD = 2**53 - 1


def usd_to_nano(usd: Decimal | str | int | float) -> int:
    """Convert dollars to nano-USD; floats are read by their shortest decimal form."""
    amount = usd if isinstance(usd, Decimal) else Decimal(str(usd))
    return int((amount * NANO).to_integral_value(rounding=ROUND_HALF_EVEN))


def nano_to_usd_text(nanousd: int) -> str:
    """Nano-USD as an exact decimal string of dollars, e.g. `0.000001500`."""
    sign = "-" if nanousd < 0 else ""
    whole, fraction = divmod(abs(nanousd), NANO)
    return f"{sign}{whole}.{fraction:09d}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """The quotient of integers, rounded half to even."""
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient % 2):
        return quotient + 1
    return quotient
