"""What a detector is: fixed-length anchors that say where to look, and a function that looks.

Rules of this file:
- detectors see a `View`: ASCII text, one character per code point of the folded request;
- anchors are regular expressions of one fixed length each, matched without regard to case, so
  that every engine reports the same places (checked when the detectors are compiled);
- a detector's functions are pure and return places in the view, never text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec
import re2

from gateway.classify.engine import search_set


class View(msgspec.Struct, frozen=True):
    """Text as detectors see it: ASCII only, with a lower-case twin of the same length."""

    text: str
    lower: str


class Found(msgspec.Struct, frozen=True):
    """A recognised place in a view (end exclusive) with its type and a probability, 0..1."""

    type: str
    start: int
    end: int
    confidence: float = 0.95


class NumberRun(msgspec.Struct, frozen=True):
    """Seven or more digits in a row, maybe broken by separators, and the groups between these.

    `mask` is the run as it is written with a `d` for each digit: two numbers that are written in
    the same way have the same mask.
    """

    start: int
    end: int
    digits: str
    groups: tuple[tuple[int, int], ...]
    mask: str


#: Looks at one anchor hit: (view, number of the anchor, hit's start, hit's end).
Look = Callable[[View, int, int, int], "Found | None"]
#: Looks at all hits at once, as (hit's start, hit's end, number of the anchor), from left to right.
LookAtHits = Callable[[View, "list[tuple[int, int, int]]"], Iterable[Found]]
#: Looks at one run of digits.
LookAtNumber = Callable[[View, NumberRun], Iterable[Found]]
#: Looks at a text that is so short that it may be one value and nothing else.
LookAtValue = Callable[[View], "Found | None"]
#: The longest text, in characters, that is shown to `look_at_value`.
LONGEST_BARE_VALUE = 32


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """One recogniser.

    `anchors` are matched over the whole view and `look` is called for every hit that does not
    lie inside what this detector has already found, or `look_at_hits` for all hits together where
    they have work in common; `look_at_number` is called for every run of
    digits; `look_at_value` for every text that is hardly longer than a value. The text has a line
    break before and after it when anchors are matched, so a hit may begin at -1 or end one past
    the text. A detector has at least one of them.
    """

    name: str
    anchors: tuple[str, ...] = ()
    look: Look | None = None
    look_at_hits: LookAtHits | None = None
    look_at_number: LookAtNumber | None = None
    look_at_value: LookAtValue | None = None


#: A sign and the first 25 characters of a word that may be an address or a key of a wallet. Both
#: detectors ask for the same, because an engine takes long for each anchor of this kind.
WALLET_WORD = r"[^a-z0-9][1234589cdklmnt][a-z0-9]{24}"
#: Seven or more digits with at most three separators between neighbours.
NUMBER = re.compile(r"[0-9](?:[ \t\r\n\-./:()]{0,3}[0-9]){6,}+")
_GROUP = re.compile(r"[0-9]+")
_NO_SEPARATORS = str.maketrans("", "", " \t\r\n-./:()")
_AS_MASK = str.maketrans("0123456789", "d" * 10)


def number_runs(view: View, areas: Iterable[tuple[int, int]] | None = None) -> Iterator[NumberRun]:
    """Every run of digits in the view, or in these parts of it, from left to right."""
    text = view.text
    for low, high in ((0, len(text)),) if areas is None else areas:
        for match in NUMBER.finditer(text, low, high):
            start, end = match.span()
            shown = match.group()
            if shown.isdigit():
                yield NumberRun(start, end, shown, ((start, end),), "d" * len(shown))
                continue
            groups = tuple(map(re.Match.span, _GROUP.finditer(text, start, end)))
            yield NumberRun(
                start, end, shown.translate(_NO_SEPARATORS), groups, shown.translate(_AS_MASK)
            )


def places(run: NumberRun, mask: str) -> Iterable[int]:
    """Where a number that is written like `mask` stands whole in a run, as places in the view."""
    whole_run, size = run.mask, len(mask)
    found = whole_run.find(mask)
    while found >= 0:
        stop = found + size
        if (found == 0 or whole_run[found - 1] != "d") and whole_run[stop : stop + 1] != "d":
            yield run.start + found
        found = whole_run.find(mask, found + 1)


class Words(msgspec.Struct, frozen=True):
    """Lower-case words that say what stands beside them, and the set that looks for them."""

    pattern: str
    signs: re2.Set


def words(pattern: str) -> Words:
    """Words that can be looked for near a place. Look-around is not allowed in them."""
    return Words(pattern, search_set((pattern,)))


def near(view: View, start: int, end: int, words: Words, before: int, after: int) -> bool:
    """Whether words occur within so many characters before or after a place."""
    if occur(view, max(0, start - before), start, words):
        return True
    return after > 0 and occur(view, end, end + after, words)


def occur(view: View, start: int, end: int, words: Words) -> bool:
    """Whether words occur in a part of a text, as if it ended there."""
    return words.signs.Match(_from(view.lower, start, end)) is not None


def _from(lower: str, low: int, high: int) -> str:
    """A part of a text, with a sign in front where it begins inside a word."""
    if low > 0 and (lower[low - 1].isalnum() or lower[low - 1] == "_"):
        return f"_{lower[low:high]}"
    return lower[low:high]


def whole(view: View, shape: re.Pattern[str]) -> re.Match[str] | None:
    """The match that is the whole text but for blanks, quotes and marks around it, or None."""
    match = shape.search(view.text)
    if match is None:
        return None
    rest = view.text[: match.start()] + view.text[match.end() :]
    return None if any(map(str.isalnum, rest)) else match


def isolated(view: View, start: int, end: int) -> bool:
    """Whether no letter or digit touches the place."""
    text = view.text
    if start > 0 and text[start - 1].isalnum():
        return False
    return end >= len(text) or not text[end].isalnum()
