"""The detectors that a policy brings along: a company's own words, and patterns of its own.

Words are found whatever their case and whichever look-alike letters and line breaks they are
written with, and as whole words only. Patterns are RE2's, whose time grows with the text and never
faster. Both see a text as other detectors do, decoded and undisguised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import ahocorasick
import re2

from gateway.classify.code_points import lowered
from gateway.classify.detectors.base import Found, View
from gateway.classify.folding import Folding
from gateway.core.findings import OwnDetector

#: How sure a word or a match is: somebody wrote down that it counts.
_CONFIDENCE = 0.95
#: Places that one detector tells of in one text; more make no request more sensitive.
MOST_PLACES = 10_000
_AS_BLANK = str.maketrans("\t\r\n\v\f", "     ")


class OwnDetectors:
    """The detectors of one policy, compiled. It keeps no state, so threads may share it.

    Raises:
        ValueError: a pattern is none of RE2's; the message names its detector.
    """

    def __init__(self, stated: Sequence[OwnDetector], folding: Folding) -> None:
        self._bare = folding.bare
        plain: dict[str, set[str]] = {}
        foreign: dict[str, set[str]] = {}
        for one in stated:
            for term in one.terms:
                folded = _plain_words(folding.view(term)[0].text)
                # What has no ASCII look can only be found as it is written.
                unseen = folded.count("?") > term.count("?")
                kept = foreign if unseen else plain
                word = _plain_words(self._bare(folding.visible(term))) if unseen else folded
                kept.setdefault(word, set()).add(one.type)
        self._plain, self._foreign = _automaton(plain), _automaton(foreign)
        self._patterns = tuple(_compiled(one) for one in stated if one.pattern)

    def find(self, text: str, view: View) -> list[Found]:
        """What is in a text and in how it looks, with places in both: they are of one length, for
        of the text, too, only what is seen is given."""
        found = list(_terms(self._plain, view.lower.translate(_AS_BLANK)))
        if self._foreign is not None and not text.isascii():
            found.extend(_terms(self._foreign, _plain_words(self._bare(text))))
        for kind, pattern, foreign in self._patterns:
            places = pattern.finditer(text if foreign else view.text)
            for match, _ in zip(places, range(MOST_PLACES), strict=False):
                start, end = match.span()
                if end > start:
                    found.append(Found(kind, start, end, _CONFIDENCE))
        return found


def _plain_words(text: str) -> str:
    """Small letters and plain blanks, in as many characters."""
    return lowered(text).translate(_AS_BLANK)


def _automaton(terms: dict[str, set[str]]) -> Any:
    """All terms at once (Aho and Corasick 1975); None where there are none."""
    found = ahocorasick.Automaton()
    for term, kinds in terms.items():
        if term:
            found.add_word(term, (len(term), sorted(kinds)))
    if not len(found):
        return None
    found.make_automaton()
    return found


def _terms(automaton: Any, lower: str) -> Iterator[Found]:
    if automaton is None:
        return
    hits: Iterable[tuple[int, tuple[int, list[str]]]] = automaton.iter(lower)
    for (last, (length, kinds)), _ in zip(hits, range(MOST_PLACES), strict=False):
        start, end = last + 1 - length, last + 1
        if _whole(lower, start, end):
            yield from (Found(kind, start, end, _CONFIDENCE) for kind in kinds)


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a place is whole words; scripts that put no blanks between words have no ends."""
    return not (_joins(text, start - 1, start) or _joins(text, end - 1, end))


def _joins(text: str, left: int, right: int) -> bool:
    if left < 0 or right >= len(text):
        return False
    one, other = text[left], text[right]
    return one.isalnum() and other.isalnum() and one < "\u0e00" and other < "\u0e00"


def _compiled(one: OwnDetector) -> tuple[str, Any, bool]:
    options = re2.Options()
    options.log_errors = False
    try:
        return one.type, re2.compile(one.pattern, options), not one.pattern.isascii()
    except re2.error as problem:
        raise ValueError(f"the pattern of '{one.id}' is none of RE2's") from problem
