"""Cards and social security numbers in pieces, beside words that say what they are together.

Bad: `a="5231"; b="7986"; c="1689"; d="8994"  # card`, `{"area": "414", "group": "70", ...}`.
Good: four years in a sentence about a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from gateway.classify.check_digits import luhn
from gateway.classify.detectors.base import Detector, Found, View

#: How far from the word the pieces may begin and end, in characters.
REACH = 260

_CARD_ANCHORS = (
    "[^a-z]card[^a-z]", "card_", "_card", "cardn", "[^a-z]visa[^a-z]", "mastercard",
    "[^a-z]pan[^a-z]", "credit", "[^a-z]amex[^a-z]", "carte", "karte", "tarjeta",
)  # fmt: skip
_SSN_ANCHORS = ("[^a-z]ssn[^a-z]", "social sec", "_ssn", "ssn_")
# Pieces stand alone: not part of a longer number, of a date, of a decimal or of an amount.
_PIECE = re.compile(r"(?<![\w.,$\-])(?<![A-Za-z])(\d{2,8})(?![\w]|[.,]\d|-\d|%)")
# Digits that only count: of a line, or of a name such as `card_2`.
_NUMBERED = re.compile(r"(?:^|\n)[ \t]*\d{1,3}[:.)] ?|[A-Za-z_]\d{1,2}(?!\d)")
# What may stand between pieces: short, and without digits or the end of a sentence.
_LONGEST_GAP = 48


def _look(view: View, hits: list[tuple[int, int, int]]) -> Iterator[Found]:
    reached = -1
    for start, end, which in hits:
        # Words stand close to one another; what is near several of them is looked through once.
        if end + REACH // 2 <= reached:
            continue
        low, high = max(0, start - REACH), end + REACH
        reached = high
        pieces = [match.span(1) for match in _PIECE.finditer(view.text, low, high)]
        if len(pieces) < 2:
            continue
        found = _card(view, pieces) if which < len(_CARD_ANCHORS) else _social(view, pieces)
        if found is not None:
            yield found


def _card(view: View, pieces: list[tuple[int, int]]) -> Found | None:
    for first in range(len(pieces)):
        for count in (4, 2, 3):
            taken = pieces[first : first + count]
            if len(taken) < count or not _together(view, taken):
                continue
            sizes = tuple(b - a for a, b in taken)
            if sizes not in ((4, 4, 4, 4), (8, 8), (4, 6, 5), (4, 4, 8), (8, 4, 4)):
                continue
            digits = "".join(view.text[a:b] for a, b in taken)
            if digits[0] in "23456" and len(set(digits)) > 3 and luhn(digits):
                if _years(view, taken):
                    continue
                return Found("payment_card", taken[0][0], taken[-1][1], 0.75)
    return None


def _social(view: View, pieces: list[tuple[int, int]]) -> Found | None:
    for first in range(len(pieces) - 2):
        taken = pieces[first : first + 3]
        if tuple(b - a for a, b in taken) == (3, 2, 4) and _together(view, taken):
            area, group, serial = (view.text[a:b] for a, b in taken)
            if area not in ("000", "666") and group != "00" and serial != "0000":
                return Found("us_ssn", taken[0][0], taken[2][1], 0.75)
    return None


def _together(view: View, taken: list[tuple[int, int]]) -> bool:
    for (_, end), (start, _) in pairwise(taken):
        gap = view.text[end:start]
        if len(gap) > _LONGEST_GAP or "\n\n" in gap or ". " in gap:
            return False
        if any(map(str.isdigit, _NUMBERED.sub("", gap))):
            return False
    return True


def _years(view: View, taken: list[tuple[int, int]]) -> bool:
    return all(view.text[a:b][:2] in ("19", "20") for a, b in taken)


DETECTOR = Detector(
    name="scattered_number", anchors=_CARD_ANCHORS + _SSN_ANCHORS, look_at_hits=_look
)
