"""Money as integer nano-USD, and what tokens cost.

A price is kept as nano-USD per million tokens, so that every published price (down to
$0.000000001 per million) is an exact integer and a cost is one integer division.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from gateway.core.usage import Usage

NANO = 1_000_000_000
MILLION = 1_000_000
#: Lua numbers are doubles; integers are exact up to here (about $9.0 million).
MAX_NANOUSD = 2**53 - 1


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What one deployment's tokens cost, in nano-USD per million tokens of each class.

    `cached_input` and `cache_write` default to the input price, `reasoning` to the output price,
    by the constructor functions, so that a class nobody priced is never free. `source` says
    where the figures come from and `revision` is the hash of the price book that held them.
    """

    input: int
    output: int
    cached_input: int
    cache_write: int
    per_request: int = 0
    source: str = "policy"
    revision: str = ""


def usd_to_nano(usd: Decimal | str | int | float) -> int:
    """Convert dollars to nano-USD; floats are read by their shortest decimal form."""
    amount = usd if isinstance(usd, Decimal) else Decimal(str(usd))
    return int((amount * NANO).to_integral_value(rounding=ROUND_HALF_EVEN))


def nano_to_usd_text(nanousd: int) -> str:
    """Nano-USD as an exact decimal string of dollars, e.g. `0.000001500`."""
    sign = "-" if nanousd < 0 else ""
    whole, fraction = divmod(abs(nanousd), NANO)
    return f"{sign}{whole}.{fraction:09d}"


def cost_of(usage: Usage, price: Price) -> int:
    """The cost of a usage, in nano-USD, rounded half to even once over all classes.

    `usage.input_tokens` is the total including cached reads and cache writes, as OpenAI counts
    it; classes that exceed the total are trusted over it, so a wrong total never hides cost.
    """
    special = usage.cached_input_tokens + usage.cache_write_tokens
    plain = max(0, usage.input_tokens - special)
    total = (
        plain * price.input
        + usage.cached_input_tokens * price.cached_input
        + usage.cache_write_tokens * price.cache_write
        + usage.output_tokens * price.output
    )
    return price.per_request + _divide_half_even(total, MILLION)


def worst_cost(price: Price, input_upper: int, output_cap: int) -> int:
    """The most that a call can cost, in nano-USD, rounded up: what is held before it starts."""
    dearest_input = max(price.input, price.cached_input, price.cache_write)
    total = input_upper * dearest_input + output_cap * price.output
    return price.per_request + -(-total // MILLION)


def gpu_hour_price(gpu_hour_usd: Decimal, tokens_per_second: Decimal, utilisation: Decimal) -> int:
    """Nano-USD per million tokens of a machine that is paid by the hour.

    A machine at `tokens_per_second` that is busy for the share `utilisation` (0..1] of the time
    serves `tokens_per_second * 3600 * utilisation` tokens an hour; input and output alike.

    Raises:
        ValueError: a throughput or utilisation that is not positive, or a utilisation above 1.
    """
    if tokens_per_second <= 0 or not 0 < utilisation <= 1:
        raise ValueError("tokens_per_second must be positive and utilisation within (0, 1]")
    per_token_usd = gpu_hour_usd / (tokens_per_second * 3600 * utilisation)
    return usd_to_nano(per_token_usd * MILLION)


def _divide_half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient % 2):
        return quotient + 1
    return quotient
