"""US social security numbers.

Bad: `ssn 477 61 4759`. Good: `SSN 000-00-0000`, `lot 078-05-11 of resin`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.classify.detectors.base import Detector, Found, NumberRun, View, isolated, near, words

_CONTEXT = words(r"\bssn|social|\bss ?#|\bss ?n[ou]|tax ?payer id|\bitin\b|\btin\b")
_WEAK_CONTEXT = words(r"legacy value|scan|employee|applicant|patient|\bid\b|identity")
_OTHER = words(
    r"\blot\b|\bpart\b|serial|isbn|invoice|order|ticket|version|\bbsn\b|routing|phone|\btel"
)


_USUAL = re.compile(r"(?<!d)(?:ddd[^d]{1,3}dd[^d]{1,3}dddd|d{9})(?!d)")


def plausible(digits: str) -> bool:
    """Whether nine digits could have been issued (never 000, 666, 00 or 0000 in their places)."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return (
        area not in ("000", "666") and group != "00" and serial != "0000" and len(set(digits)) > 1
    )


def _look(view: View, run: NumberRun) -> Iterator[Found]:
    groups, text = run.groups, view.text
    # Other groupings than the usual ones count only beside words, so these are looked for first.
    told = near(view, run.start, run.end, _CONTEXT, 60, 30)
    if not told and not _USUAL.search(run.mask):
        return
    for position in range(len(groups)):
        found = _at(view, groups, position, text)
        if found is not None:
            yield found


def _at(view: View, groups: tuple[tuple[int, int], ...], first: int, text: str) -> Found | None:
    sizes = tuple(b - a for a, b in groups[first : first + 3])
    start = groups[first][0]
    if sizes == (3, 2, 4):
        end = groups[first + 2][1]
        digits = text[start:end]
        separators = {
            text[groups[first][1] : groups[first + 1][0]],
            text[groups[first + 1][1] : groups[first + 2][0]],
        }
        if not plausible("".join(c for c in digits if c.isdigit())) or _continued(text, start, end):
            return None
        context = near(view, start, end, _CONTEXT, 60, 30)
        if context or separators == {"-"}:
            return Found("us_ssn", start, end, 0.99 if context else 0.85)
        return None
    if sizes[0] == 9:
        return _solid(view, start, groups[first][1])
    return _ungrouped(view, groups, first, text)


def _continued(text: str, start: int, end: int) -> bool:
    # A word that runs on without a space is a slip; a digit before or after is another number.
    return text[start - 1 : start].isalnum() or text[end : end + 1].isdigit()


def _solid(view: View, start: int, end: int) -> Found | None:
    if not plausible(view.text[start:end]) or not isolated(view, start, end):
        return None
    if near(view, start, end, _OTHER, 30, 0):
        return None
    if near(view, start, end, _CONTEXT, 60, 30):
        return Found("us_ssn", start, end, 0.95)
    if near(view, start, end, _WEAK_CONTEXT, 25, 0):
        return Found("us_ssn", start, end, 0.6)
    return None


def _ungrouped(
    view: View, groups: tuple[tuple[int, int], ...], first: int, text: str
) -> Found | None:
    # Nine digits that are grouped in another way count only where the words say so.
    if (
        first > 0
        and groups[first][1] - groups[first][0] == groups[first - 1][1] - groups[first - 1][0]
    ):
        return None
    digits = ""
    for a, b in groups[first : first + 9]:
        digits += text[a:b]
        if len(digits) >= 9:
            start = groups[first][0]
            named = len(digits) == 9 and plausible(digits) and isolated(view, start, b)
            if named and near(view, start, b, _CONTEXT, 24, 0):
                return Found("us_ssn", start, b, 0.9)
            return None
    return None


DETECTOR = Detector(name="us_ssn", look_at_number=_look)
