"""Cuts the values of one fact into regions in which every condition of a policy answers alike.

Rules of this file:
- a region is known by one value in it; the usual value of a fact stands for its own region;
- regions are exact: no condition tells two values of one region apart, and every value is in one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import inf


def number_regions(
    cuts: Iterable[float], low: float, high: float, usual: float
) -> tuple[float, ...]:
    """One number for each cut and for each gap beside a cut, ascending.

    Args:
        cuts: the numbers that conditions compare with.
        low: the least value of the fact; high: the greatest, which may be infinite.
        usual: the value that a request has when nothing is said.
    """
    marks = sorted({cut for cut in cuts if low <= cut <= high})
    if not marks:
        return (usual,)
    values: list[float] = []
    if low < marks[0]:
        values.append(usual if low <= usual < marks[0] else low)
    for mark, following in pairwise((*marks, inf)):
        values.append(mark)
        last = following == inf
        if last and mark == high:
            break
        end = high if last else following
        if mark < usual < end or (last and usual == end):
            values.append(usual)
        elif (between := _between(mark, end)) is not None:
            values.append(between)
        elif last:
            values.append(high)
    return tuple(values)


def word_regions(words: Iterable[str], usual: str, *, empty: bool = False) -> tuple[str, ...]:
    """One word for each set of patterns that a word can fit together, the usual one first.

    Args:
        words: what conditions ask for; one that ends in `*` is a beginning.
        usual: the word that a request has when nothing is said.
        empty: whether the fact can be without a word.
    """
    asked = tuple(dict.fromkeys(words))
    whole = [word for word in asked if not word.endswith("*")]
    begun = [word[:-1] for word in asked if word.endswith("*")]
    candidates = [usual, *(("",) if empty else ()), *whole]
    # A text that begins with `a` but is none of the asked words, nor begins with a longer one.
    candidates += [fresh_word(beginning, asked) for beginning in ("", *begun)]
    found: dict[tuple[str, ...], str] = {}
    for word in candidates:
        found.setdefault(tuple(one for one in asked if fits(word, one)), word)
    return tuple(found.values())


def fits(text: str, word: str) -> bool:
    """Whether a text is what a word of a condition asks for."""
    return text.startswith(word[:-1]) if word.endswith("*") else text == word


def fresh_word(beginning: str, asked: Iterable[str]) -> str:
    """A text with that beginning that fits no word which the beginning alone does not fit.

    Raises:
        ValueError: there is none, which takes thousands of words.
    """
    others = tuple(word for word in asked if not (word.endswith("*") and fits(beginning, word)))
    # Other first letters, too: `o*` would fit every ending that begins as the first one does.
    letters = (chr(code) for code in range(ord("0"), 0x3000) if chr(code).isalnum())
    for ending in ("other", "another", *letters):
        text = beginning + ending
        if not any(fits(text, word) for word in others):
            return text
    raise ValueError(f"every text that begins with '{beginning}' is asked for")


def whole_regions(cuts: Iterable[int], low: int) -> tuple[int, ...]:
    """For whole numbers from `low` up: the least number of each region, ascending.

    A cut parts the numbers below it, itself, and those above.
    """
    starts = {low}
    for cut in cuts:
        starts |= {one for one in (cut, cut + 1) if one > low}
    return tuple(sorted(starts))


def _between(low: float, high: float) -> float | None:
    """A number with few digits between two others; None when no float lies between."""
    if high == inf:
        return low + 1.0
    middle = low + (high - low) / 2
    for digits in range(18):
        short = round(middle, digits)
        if low < short < high:
            return short
    return middle if low < middle < high else None
