"""What usage costs: prices by class, date, size of the prompt and service tier.

A price is kept as nano-USD per million units of a class, so that every published price (down to
$0.000000001 per million) is an exact integer and a cost is one integer division.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import inf

import msgspec

from gateway.core.money import MILLION, NANO, divide_half_even, usd_to_nano
from gateway.core.usage import OUTPUT_CLASSES, Usage, quantities

#: Names that backends give to the tier that costs the standard price.
STANDARD_TIERS = frozenset(("", "standard", "default", "auto", "on_demand"))
#: The wider class whose price a class costs that has none of its own: never nothing.
PARENTS = {
    "cache_write_1h": "cache_write",
    "input_audio": "input",
    "cached_audio": "cached_input",
    "input_image": "input",
    "cached_image": "cached_input",
    "reasoning": "output",
    "output_audio": "output",
    "output_image": "output",
}
_DAY = 86400


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that is paid by the hour: what its tokens cost follows from these.

    `hour_nanousd` an hour; tokens a second at full load, read and written; `utilisation` is the
    stated share (0..1] of the time that it is busy.
    """

    hour_nanousd: int
    input_tokens_per_second: float
    output_tokens_per_second: float
    utilisation: float

    def busy_seconds(self, usage: Usage) -> float:
        """How long the machine at full load works on a usage, in seconds."""
        reading = usage.input_tokens / self.input_tokens_per_second
        return reading + usage.output_tokens / self.output_tokens_per_second


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one deployment's usage costs, in nano-USD per million tokens of each class.

    Classes that are None cost what their wider class costs (`cache_write_1h` what `cache_write`
    does, audio and pictures what plain tokens do, `reasoning` what `output` does), so that
    nothing is free by omission. `web_search` is per million searches, None where no price is
    known; `per_request` is nano-USD a call. `cases` are the prices of other dates, tiers and
    sizes: the first one that holds is taken instead of this. `listed` is the public list price
    where another one was agreed. `source` says where the figures come from and `revision` is
    the hash of the price book and what was laid over it; `machine` is given for own machines.
    """

    input: int
    output: int
    cached_input: int
    cache_write: int
    per_request: int = 0
    source: str = "policy"
    revision: str = ""
    cache_write_1h: int | None = None
    input_audio: int | None = None
    cached_audio: int | None = None
    input_image: int | None = None
    cached_image: int | None = None
    reasoning: int | None = None
    output_audio: int | None = None
    output_image: int | None = None
    web_search: int | None = None
    cases: tuple[PriceCase, ...] = ()
    listed: Price | None = None
    machine: Machine | None = None

    def rate(self, name: str) -> int:
        """Nano-USD per million units of a class; 0 for a search that nobody priced."""
        if name == "request":
            return self.per_request * MILLION
        found: int | None = getattr(self, name)
        if found is None:
            parent = PARENTS.get(name)
            return 0 if parent is None else self.rate(parent)
        return found


class PriceCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When another price holds: everything that is given must be so.

    `since` and `until` are epoch seconds; `hours` are seconds of the UTC day, from and to before
    (they may pass midnight); `above` is a number of input tokens, all of which then cost this
    price; `tier` is the service tier.
    """

    price: Price
    since: float = -inf
    until: float = inf
    hours: tuple[int, int] | None = None
    above: int = -1
    tier: str = ""

    def in_force(self, at: float) -> bool:
        """Whether the case can hold at this moment (epoch seconds)."""
        if not self.since <= at < self.until:
            return False
        if self.hours is None:
            return True
        begins, ends = self.hours
        second = at % _DAY
        if ends < begins:
            return second >= begins or second < ends
        return begins <= second < ends


class CostPart(msgspec.Struct, frozen=True, array_like=True):
    """What one class added to a cost; the parts of a line add up to its cost exactly.

    `quantity` units at `rate` nano-USD per million, which are `list_rate` by the public list;
    `cost_nanousd` is their share of the rounded whole.
    """

    token_class: str
    quantity: int
    rate: int
    cost_nanousd: int
    list_rate: int


def tier_of(name: str) -> str:
    """A service tier as prices know it; empty for the standard one."""
    lowered = name.lower()
    return "" if lowered in STANDARD_TIERS else lowered


def price_at(price: Price, usage: Usage, at: float | None) -> Price:
    """The figures that hold for a usage at a moment (epoch seconds).

    None asks for what the price shows outside its cases: enough for a comparison.
    """
    if at is None or not price.cases:
        return price
    tier = tier_of(usage.service_tier)
    for case in price.cases:
        if case.tier == tier and usage.input_tokens > case.above and case.in_force(at):
            return case.price
    if tier:
        # A tier without a price of its own costs the standard price of its date and size.
        return price_at(price, msgspec.structs.replace(usage, service_tier=""), at)
    return price


def cost_of(usage: Usage, price: Price, at: float | None = None) -> int:
    """The cost of a usage, in nano-USD, rounded half to even once over all classes."""
    held = price_at(price, usage, at)
    total = sum(count * held.rate(name) for name, count in quantities(usage))
    return held.per_request + divide_half_even(total, MILLION)


def cost_parts(usage: Usage, price: Price, at: float | None = None) -> tuple[CostPart, ...]:
    """The same cost by classes: whole nano-USD that add up to `cost_of` exactly.

    What rounding leaves over goes to the classes with the largest remainders.
    """
    held = price_at(price, usage, at)
    listed = held if price.listed is None else price_at(price.listed, usage, at)
    counted = [(name, count, held.rate(name)) for name, count in quantities(usage)]
    if held.per_request or listed.per_request:
        counted.append(("request", 1, held.rate("request")))
    shares = [divmod(count * rate, MILLION) for _, count, rate in counted]
    costs = [whole for whole, _ in shares]
    left = divide_half_even(sum(c * r for _, c, r in counted), MILLION) - sum(costs)
    if left:
        by_remainder = sorted(range(len(shares)), key=lambda place: -shares[place][1])
        for place in by_remainder[:left]:
            costs[place] += 1
    return tuple(
        CostPart(name, count, rate, cost, listed.rate(name))
        for (name, count, rate), cost in zip(counted, costs, strict=True)
    )


def is_unpriced(usage: Usage, price: Price, at: float | None = None) -> bool:
    """Whether something of a usage has no price of its own: searches, or a tier nobody lists.

    `at` is the moment whose price holds, as in `price_at`.
    """
    if usage.web_searches and price_at(price, usage, at).web_search is None:
        return True
    tier = tier_of(usage.service_tier)
    if not tier or price.machine is not None:
        return False
    return not any(c.tier == tier and (at is None or c.in_force(at)) for c in price.cases)


def worst_cost(
    price: Price,
    input_upper: int,
    output_cap: int,
    *,
    at: float | None = None,
    seconds: float = 0.0,
    tier: str = "",
) -> int:
    """The most that a call can cost, in nano-USD, rounded up: what is held before it starts.

    Args:
        input_upper: the most input tokens that it can have.
        output_cap: the most output tokens.
        at: when it is made (epoch seconds); it is priced within `seconds` after that. None asks
            for what the price shows outside its cases.
        tier: the service tier that was asked for.
    """
    if at is None or not price.cases:
        return _worst(price, input_upper, output_cap)
    possible = possible_prices(price, input_upper, at=at, seconds=seconds, tier=tier_of(tier))
    return max(_worst(one, input_upper, output_cap) for one in possible)


def possible_prices(
    price: Price, input_upper: int, *, at: float = 0.0, seconds: float = 0.0, tier: str = ""
) -> Iterator[Price]:
    """The prices of which the dearest is held: see `worst_cost`."""
    yield price
    for case in price.cases:
        if case.tier in ("", tier) and input_upper > case.above:
            begins_within = at < case.since <= at + seconds or (
                case.hours is not None and case.since <= at + seconds and at < case.until
            )
            if case.in_force(at) or begins_within:
                yield case.price


def _worst(price: Price, input_upper: int, output_cap: int) -> int:
    dearest_input = max(price.input, price.cached_input, price.cache_write)
    dearest_output = price.output
    for name in PARENTS:
        own: int | None = getattr(price, name)
        if own is None:
            continue
        if name in OUTPUT_CLASSES:
            dearest_output = max(dearest_output, own)
        else:
            dearest_input = max(dearest_input, own)
    total = input_upper * dearest_input + output_cap * dearest_output
    return price.per_request + -(-total // MILLION)


def gpu_hour_price(gpu_hour_usd: Decimal, tokens_per_second: Decimal, utilisation: Decimal) -> int:
    """Nano-USD per million tokens of a machine that is paid by the hour.

    A machine at `tokens_per_second` that is busy for the share `utilisation` (0..1] of the time
    serves `tokens_per_second * 3600 * utilisation` tokens an hour.

    Raises:
        ValueError: a throughput or utilisation that is not positive, or a utilisation above 1.
    """
    if tokens_per_second <= 0 or not 0 < utilisation <= 1:
        raise ValueError("tokens_per_second must be positive and utilisation within (0, 1]")
    per_token_usd = gpu_hour_usd / (tokens_per_second * 3600 * utilisation)
    return usd_to_nano(per_token_usd * MILLION)


def discounted(price: Price, share: Decimal) -> Price:
    """The price with a negotiated discount (share, 0..1) off every class, date, size and tier.

    Each figure is rounded half to even to a nano-USD per million; the list price is kept beside.
    """
    return msgspec.structs.replace(_cheaper(price, 1 - share), listed=price.listed or price)


def _cheaper(price: Price, factor: Decimal) -> Price:
    def less(figure: int) -> int:
        return usd_to_nano(Decimal(figure) * factor / NANO)

    names = ("input", "output", "cached_input", "cache_write", "per_request", "web_search")
    figures = {
        name: less(figure)
        for name in (*names, *PARENTS)
        if (figure := getattr(price, name)) is not None
    }
    cases = tuple(
        msgspec.structs.replace(case, price=_cheaper(case.price, factor)) for case in price.cases
    )
    return msgspec.structs.replace(price, **figures, cases=cases)
