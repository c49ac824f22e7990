"""Which texts are the beginning of a JSON number within bounds."""

from __future__ import annotations

import re
from fractions import Fraction

from adapters.ctransformers.json_shape import Number

#: Digits before and after the point; doubles carry no more.
MOST_DIGITS = 15
_BEGINNING = re.compile(
    rb"(?P<sign>-?)(?P<whole>0|[1-9]\d{0,14})?"
    rb"(?:(?<=\d)(?P<point>\.)(?P<part>\d{0,15}))?"
    rb"(?:(?<=\d)(?P<exponent>[eE][+-]?\d{0,2}))?"
)
_COMPLETE = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def may_begin(number: Number, text: bytes) -> bool:
    """Whether the text can be continued to a number of that kind, or is one."""
    found = _BEGINNING.fullmatch(text)
    if found is None:
        return False
    if number.whole and (found["point"] or found["exponent"]):
        return False
    if number.least is None and number.most is None:
        return True
    # With bounds there are no exponents: where they lead would be hard to foresee.
    return not found["exponent"] and _reaches(number, found)


def is_complete(number: Number, text: bytes) -> bool:
    """Whether the text is a number of that kind."""
    if not _COMPLETE.fullmatch(text):
        return False
    if number.least is None and number.most is None:
        return True
    return _within(number, Fraction(text.decode()))


def shortest_end(number: Number, text: bytes) -> bytes:
    """Few bytes that complete a text which `may_begin` accepts."""
    added = b""
    while not is_complete(number, text + added) and len(added) < 2 * MOST_DIGITS + 4:
        for digit in b"0123456789.-":
            longer = added + bytes((digit,))
            if may_begin(number, text + longer):
                added = longer
                break
        else:
            break
    return added


def _within(number: Number, found: Fraction) -> bool:
    if number.least is not None and (
        found < number.least or (number.open_least and found == number.least)
    ):
        return False
    return not (
        number.most is not None
        and (found > number.most or (number.open_most and found == number.most))
    )


def _reaches(number: Number, found: re.Match[bytes]) -> bool:
    negative = found["sign"] == b"-"
    if found["whole"] is None:
        spans = [(Fraction(0), Fraction(10**MOST_DIGITS))]
        if not negative:
            return True
    elif found["point"]:
        begin = Fraction((found["whole"] + b"." + (found["part"] or b"0")).decode())
        spans = [(begin, begin + Fraction(1, 10 ** len(found["part"])))]
    else:
        begin = Fraction(int(found["whole"]))
        more = 0 if begin == 0 else MOST_DIGITS - len(found["whole"])
        spans = [(begin * 10**n, (begin + 1) * 10**n) for n in range(more + 1)]
    return any(_meets(number, low, high, negative=negative) for low, high in spans)


def _meets(number: Number, low: Fraction, high: Fraction, *, negative: bool) -> bool:
    """Whether a number of that kind has its absolute value in low <= value < high."""
    if number.whole:
        first, last = int(low), int(high) - 1
        if negative:
            first, last = -last, -first
        least = first if number.least is None else max(first, _ceiling(number))
        most = last if number.most is None else min(last, _floor(number))
        return least <= most
    if negative:
        # -high < value <= -low
        return (number.least is None or _above(-low, number.least, opened=number.open_least)) and (
            number.most is None or -high < number.most
        )
    return (number.most is None or _above(number.most, low, opened=number.open_most)) and (
        number.least is None or high > number.least
    )


def _above(one: Fraction, other: Fraction, *, opened: bool) -> bool:
    return one > other or (one == other and not opened)


def _ceiling(number: Number) -> int:
    least = number.least or Fraction(0)
    whole = -((-least.numerator) // least.denominator)
    return whole + 1 if number.open_least and whole == least else whole


def _floor(number: Number) -> int:
    most = number.most or Fraction(0)
    whole = most.numerator // most.denominator
    return whole - 1 if number.open_most and whole == most else whole
