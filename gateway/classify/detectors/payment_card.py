"""Payment card numbers: issuer range, length and Luhn digit, however they are grouped.

Bad: `charge 4111-1111-1111-1111`. Good: `printf("%d", 8461671369490627)` (no issuer).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from gateway.classify.check_digits import luhn
from gateway.classify.detectors.base import Detector, Found, NumberRun, View, isolated, near, words

_CONTEXT = words(
    r"card|visa\b|master ?card|maestro|amex|credit|debit|\bcc\b|\bpan\b|cvv|cvc|carte|karte|"
    r"tarjeta|cartao|carta\b|discover|diners|payment|charge|expir"
)
# Beside these words any number with a right check digit counts, whoever issued it.
_CARD = words(r"card|visa|\bpan\b|carte|karte|tarjeta|cartao|\bcc\b")
_USUAL = frozenset({14, 15, 16, 19})
# Behind these words, within so many characters, it is another kind of number.
_AWAY = 24
_NOT_A_CARD = words(r"isbn|\bean\b|\bimei\b|\bupc\b|gtin|barcode|tracking|\biccid\b")

# Issuer prefixes with the lengths that the schemes publish (ISO/IEC 7812 and the schemes' own
# bulletins): lowest and highest prefix, then the lengths.
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),
    (51, 55, frozenset({16})),
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14, 16})),
    (309, 309, frozenset({14, 16})),
    (36, 36, frozenset({14, 16})),
    (38, 39, frozenset({14, 16})),
    (6011, 6011, frozenset({16, 19})),
    (644, 649, frozenset({16, 19})),
    (65, 65, frozenset({16, 19})),
    (62, 62, frozenset({16, 17, 18, 19})),
    (81, 82, frozenset({16})),
    (35, 35, frozenset({16, 17, 18, 19})),
    (1800, 1800, frozenset({15})),
    (2131, 2131, frozenset({15})),
    (2200, 2204, frozenset({16, 17, 18, 19})),
    (9792, 9792, frozenset({16})),
    (5018, 5018, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (5020, 5020, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (5038, 5038, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (5893, 5893, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (6304, 6304, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (6759, 6759, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (6761, 6763, frozenset({12, 13, 14, 15, 16, 17, 18, 19})),
    (508, 508, frozenset({16})),
    (606, 608, frozenset({16})),
    (636, 639, frozenset({16})),
    (50, 50, frozenset({16})),
    (56, 58, frozenset({16})),
    (67, 67, frozenset({16})),
)


def issued(digits: str) -> bool:
    """Whether an issuer range has cards of this prefix and length."""
    length = len(digits)
    for size, low, high, lengths in _PREFIXES:
        if length in lengths and low <= digits[:size] <= high:
            return True
    return False


#: The same with prefixes as they are written, which sort as their numbers do.
_PREFIXES = tuple((len(str(low)), str(low), str(high), lengths) for low, high, lengths in _ISSUERS)


def _groupings() -> frozenset[tuple[int, ...]]:
    """How people group card numbers; single digits and pairs are common evasions."""
    found = {(4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 5, 6)}
    for length in range(12, 20):
        found.add((length,))
        for size in range(1, 9):
            count, rest = divmod(length, size)
            if count > 8 and size > 2:
                continue
            found.add((size,) * count + ((rest,) if rest else ()))
    return frozenset(one for one in found if len(one) == 1 or one[0] <= 5)


_GROUPINGS = _groupings()
#: The digits that card numbers begin with.
_FIRST = frozenset("123456789")


def _look(view: View, run: NumberRun) -> Iterator[Found]:
    if len(run.digits) < 12:
        return
    text = view.text
    if len(run.digits) == 15 and text[run.end : run.end + 1] in _WILDCARDS:
        yield from _wildcard(view, run)
    sizes = tuple([b - a for a, b in run.groups])
    offsets = tuple(accumulate(sizes, initial=0))
    # Where nothing around the whole run speaks of cards, no place in it need be asked.
    telling = near(view, run.start, run.end, _CONTEXT, 60, 30)
    reached = 0
    for position, size in enumerate(sizes):
        # A card in single digits or pairs stands alone; in a long list of them it is chance.
        if position < reached or (size <= 2 and position and sizes[position - 1] == size):
            continue
        stop = _window(view, run, sizes, position, offsets[position], telling)
        if stop is not None:
            reached, found = stop
            yield found


# A last digit left open, as in a search, gives the whole number away.
_WILDCARDS = frozenset("_?*%xX#")


def _wildcard(view: View, run: NumberRun) -> Iterator[Found]:
    after = view.text[run.end + 1 : run.end + 2]
    if after.isalnum() or not issued(run.digits + "0"):
        return
    if near(view, run.start, run.end, _CARD, 40, 20):
        yield Found("payment_card", run.start, run.end + 1, 0.8)


# A name that runs into its number without a sign, as in `cardNumber4111...`.
_NAME = re.compile(r"(?:card|number|num|pan|cc|visa|mastercard|account|carte|karte|tarjeta)[_]?$")


def _named(view: View, start: int, end: int) -> bool:
    if view.text[end : end + 1].isalnum():
        return False
    return _NAME.search(view.lower, max(0, start - 12), start) is not None


def _window(
    view: View, run: NumberRun, sizes: tuple[int, ...], first: int, offset: int, telling: bool
) -> tuple[int, Found] | None:
    if run.digits[offset] not in _FIRST:
        return None
    length = 0
    for stop in range(first, len(sizes)):
        length += sizes[stop]
        if length > 19:
            return None
        if length < 12 or sizes[first : stop + 1] not in _GROUPINGS:
            continue
        digits = run.digits[offset : offset + length]
        if not luhn(digits) or digits == digits[0] * length:
            continue
        start, end = run.groups[first][0], run.groups[stop][1]
        found = _judge(view, run, start, end, digits, telling)
        if found is not None:
            return stop + 1, found
    return None


def _judge(
    view: View, run: NumberRun, start: int, end: int, digits: str, telling: bool
) -> Found | None:
    # There are no words inside a run, so deep in a long one nobody need look for them.
    if start - _AWAY < run.start and near(view, start, end, _NOT_A_CARD, _AWAY, 0):
        return None
    if not isolated(view, start, end) and not _named(view, start, end):
        return None
    context = telling and near(view, start, end, _CONTEXT, 60, 30)
    known = issued(digits) and (len(digits) in _USUAL or context)
    if not known and not (context and near(view, start, end, _CARD, 30, 0)):
        return None
    return Found("payment_card", start, end, 0.99 if context else 0.9)


DETECTOR = Detector(name="payment_card", look_at_number=_look)
