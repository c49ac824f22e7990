"""Why an invoice and the ledger differ, as far as their figures show it: pure arithmetic.

The causes of a comparison add up to its difference exactly, whatever they are called.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction

import msgspec

from gateway.core.money import divide_half_even

AGREES = "agrees"
NOT_BOOKED = "not in the ledger: it did not go through the gateway"
NOT_BILLED = "not on the invoice"
IN_DOUBT = "in doubt: held, and never settled"
ESTIMATED = "tokens that we estimated"
QUANTITY = "quantity"
PRICE = "price"
DISCOUNT = "billed at list price, without the agreed discount"
OTHER_DAY = "counted on the day before or after"
ROUNDING = "rounding"
UNEXPLAINED = "quantity or price: the invoice has no quantities"

Key = tuple[date, str, str, str]
#: The least that any invoice may be off: they have no more than a millionth of a dollar.
_ROUNDING_NANOUSD = 1000


class Cause(msgspec.Struct, frozen=True):
    """A name, and the part of a difference that it makes: invoice less ledger, in nano-USD."""

    name: str
    nanousd: int


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What both say of one day, provider, model and class; money in nano-USD.

    `rate` is what the ledger paid for one unit, None where it has none; `listed` what its
    quantity costs by the public list; `estimated` the part of it that we estimated; `rounded` the
    most that the invoice may be off because its export rounds. `billed` and `booked` say which of
    both know the key.
    """

    key: Key
    invoice: int
    invoice_quantity: int | None
    ledger: int
    ledger_quantity: int
    estimated: int
    rate: Fraction | None
    listed: int
    rounded: int = 0
    billed: bool
    booked: bool

    @property
    def coins(self) -> int:
        """The most that is called rounding."""
        return max(_ROUNDING_NANOUSD, self.rounded)


def causes_of(one: Compared) -> tuple[Cause, ...]:
    """The causes of a difference; one that agrees has a single cause of 0."""
    difference = one.invoice - one.ledger
    if not one.booked:
        return (Cause(NOT_BOOKED, difference),)
    if not one.billed:
        return (Cause(IN_DOUBT if one.key[3] == "in_doubt" else NOT_BILLED, difference),)
    if difference == 0:
        return (Cause(AGREES, 0),)
    if one.invoice_quantity is not None and one.rate is not None:
        return _by_quantity(one, one.invoice_quantity, one.rate)
    if abs(difference) <= one.coins:
        return (Cause(ROUNDING, difference),)
    if one.listed != one.ledger and abs(one.invoice - one.listed) <= one.coins:
        return _with_rest(Cause(DISCOUNT, one.listed - one.ledger), difference)
    return (Cause(ESTIMATED if one.estimated else UNEXPLAINED, difference),)


def _by_quantity(one: Compared, quantity: int, rate: Fraction) -> tuple[Cause, ...]:
    """More or fewer tokens at our rate, then another rate for the invoice's tokens, then coins."""
    more = quantity - one.ledger_quantity
    of_quantity, expected = round(more * rate), round(quantity * rate)
    name = ESTIMATED if one.estimated and abs(more) <= abs(one.estimated) else QUANTITY
    found = [Cause(name, of_quantity)] if more else []
    of_price = one.invoice - expected
    if abs(of_price) > one.coins:
        at_list = abs(one.invoice - _scaled(one.listed, quantity, one.ledger_quantity))
        is_list = one.listed != one.ledger and at_list <= one.coins
        found.append(Cause(DISCOUNT if is_list else PRICE, of_price))
    rest = one.invoice - one.ledger - sum(cause.nanousd for cause in found)
    return (*found, Cause(ROUNDING, rest)) if rest or not found else tuple(found)


def _with_rest(cause: Cause, difference: int) -> tuple[Cause, ...]:
    rest = difference - cause.nanousd
    return (cause, Cause(ROUNDING, rest)) if rest else (cause,)


#: Causes that a request at midnight can make: it began on one day and was billed on another.
_MOVABLE = frozenset((QUANTITY, UNEXPLAINED, NOT_BOOKED, NOT_BILLED))


def moved_between_days(
    causes: Mapping[Key, tuple[Cause, ...]],
) -> dict[Key, tuple[Cause, ...]]:
    """Give opposite differences of two days that meet the cause that both of them have.

    A request is booked on the day on which it was held, and billed on the one on which it ended.
    The smaller one of the two differences is what can have moved.
    """
    found = dict(causes)
    for key in sorted(found):
        following = (key[0] + timedelta(days=1), *key[1:])
        here, there = _movable(found[key]), _movable(found.get(following, ()))
        if here is None or there is None or (here.nanousd < 0) == (there.nanousd < 0):
            continue
        size = min(abs(here.nanousd), abs(there.nanousd))
        for place, cause in ((key, here), (following, there)):
            found[place] = _moved(found[place], cause, size if cause.nanousd > 0 else -size)
    return found


def _movable(causes: tuple[Cause, ...]) -> Cause | None:
    return next((one for one in causes if one.name in _MOVABLE and one.nanousd), None)


def _moved(causes: tuple[Cause, ...], cause: Cause, part: int) -> tuple[Cause, ...]:
    moved: list[Cause] = []
    for one in causes:
        if one is not cause:
            moved.append(one)
            continue
        moved.append(Cause(OTHER_DAY, part))
        if one.nanousd != part:
            moved.append(Cause(one.name, one.nanousd - part))
    return tuple(moved)


def _scaled(amount: int, wanted: int, held: int) -> int:
    return divide_half_even(amount * wanted, held) if held > 0 else 0
