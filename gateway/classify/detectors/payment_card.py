"""Payment card numbers: issuer range, length and Luhn digit, however they are grouped.

Bad: `charge 4111-1111-1111-1111`. Good: `printf("%d", 8461671369490627)` (no issuer).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.classify.detectors.base import Detector, Found, NumberRun, View, isolated, near

_CONTEXT = re.compile(
    r"card|visa\b|master ?card|maestro|amex|credit|debit|\bcc\b|\bpan\b|cvv|cvc|carte|karte|"
    r"tarjeta|cartao|carta\b|discover|diners|payment|charge|expir"
)
# Beside these words any number with a right check digit counts, whoever issued it.
_CARD = re.compile(r"card|visa|\bpan\b|carte|karte|tarjeta|cartao|\bcc\b")
_USUAL = frozenset({14, 15, 16, 19})
_NOT_A_CARD = re.compile(r"isbn|\bean\b|\bimei\b|\bupc\b|gtin|barcode|tracking|\biccid\b")

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

_DOUBLED = str.maketrans("0123456789", "0246813579")


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    odd = digits[-1::-2]
    even = digits[-2::-2].translate(_DOUBLED)
    # Digit sums by counting: ord("0") is 48.
    total = sum(odd.encode()) + sum(even.encode()) - 48 * len(digits)
    return total % 10 == 0


def issued(digits: str) -> bool:
    """Whether an issuer range has cards of this prefix and length."""
    length = len(digits)
    for low, high, lengths in _ISSUERS:
        if length in lengths and low <= int(digits[: len(str(low))]) <= high:
            return True
    return False


def _card(digits: str) -> bool:
    return len(set(digits)) > 1 and luhn(digits)


# Ways in which people group card numbers; single digits and pairs are common evasions.
def _plausible(sizes: tuple[int, ...]) -> bool:
    if len(sizes) == 1:
        return True
    if len(sizes) > 8 and max(sizes) > 2:
        return False
    if sizes in ((4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 5, 6)):
        return True
    return sizes[0] <= 5 and len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]


def _look(view: View, run: NumberRun) -> Iterator[Found]:
    groups, text = run.groups, view.text
    if len(run.digits) < 12:
        return
    if len(run.digits) == 15 and text[run.end : run.end + 1] in _WILDCARDS:
        yield from _wildcard(view, run)
    position, count = 0, len(groups)
    while position < count:
        if _inside_a_list(groups, position):
            position += 1
            continue
        taken = _window(view, groups, position, text)
        if taken is None:
            position += 1
            continue
        stop, found = taken
        yield found
        position = stop


# A last digit left open, as in a search, gives the whole number away.
_WILDCARDS = frozenset("_?*%xX#")


def _wildcard(view: View, run: NumberRun) -> Iterator[Found]:
    after = view.text[run.end + 1 : run.end + 2]
    if after.isalnum() or not issued(run.digits + "0"):
        return
    if near(view, run.start, run.end, _CARD, 40, 20):
        yield Found("payment_card", run.start, run.end + 1, 0.8)


def _inside_a_list(groups: tuple[tuple[int, int], ...], position: int) -> bool:
    # A card in single digits or pairs stands alone; in the middle of a long list it is chance.
    size = groups[position][1] - groups[position][0]
    if size > 2 or position == 0:
        return False
    return groups[position - 1][1] - groups[position - 1][0] == size


def _window(
    view: View, groups: tuple[tuple[int, int], ...], first: int, text: str
) -> tuple[int, Found] | None:
    digits = ""
    for stop in range(first, len(groups)):
        a, b = groups[stop]
        digits += text[a:b]
        if len(digits) > 19:
            return None
        if len(digits) < 12:
            continue
        sizes = tuple(end - start for start, end in groups[first : stop + 1])
        if not _plausible(sizes) or not _card(digits):
            continue
        start, end = groups[first][0], b
        if not isolated(view, start, end) or near(view, start, end, _NOT_A_CARD, 24, 0):
            continue
        context = near(view, start, end, _CONTEXT, 60, 30)
        known = issued(digits) and (len(digits) in _USUAL or context)
        if not known and not (context and near(view, start, end, _CARD, 30, 0)):
            continue
        return stop + 1, Found("payment_card", start, end, 0.99 if context else 0.9)
    return None


DETECTOR = Detector(name="payment_card", look_at_number=_look)
