"""Settles which of several readings of the same characters is reported."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from gateway.classify.detectors.base import Found
from gateway.core.findings import WEAK_TYPES
from gateway.core.sensitivity import Sensitivity

#: Types of findings that are about a whole passage, in which others may stand.
PASSAGES = frozenset({"fingerprint", "medical", "legal", "hr"})
_SHORTEST_PART = 12


def without_overlaps(
    found: Sequence[Found], levels: Mapping[str, Sensitivity]
) -> tuple[Found, ...]:
    """The findings in order of place, none overlapping another.

    Where two overlap, the one that the policy ranks higher stays, so that settling can never
    lower a request's sensitivity; then the surer and the longer one. A finding about a passage
    gives way to what is found inside it, and stands for what is left.
    """
    narrow = [one for one in found if one.type not in PASSAGES]
    broad = [one for one in found if one.type in PASSAGES]
    kept = _settled(narrow, levels)
    for one in sorted(broad, key=_start):
        parts = _left_over(one, kept)
        inside = [other for other in kept if other.start < one.end and one.start < other.end]
        if not parts and all(_level(one, levels) > _level(other, levels) for other in inside):
            kept = [other for other in kept if other not in inside]
            parts = [one]
        kept = sorted([*kept, *parts], key=_start)
    return tuple(kept)


def _settled(found: Sequence[Found], levels: Mapping[str, Sensitivity]) -> list[Found]:
    kept = sorted(found, key=_start)
    if all(one.end <= other.start for one, other in pairwise(kept)):
        return kept
    kept_starts: list[int] = []
    kept = []

    def rank(one: Found) -> tuple[int, float, int, int, str]:
        return (
            -_level(one, levels),
            -one.confidence,
            one.start - one.end,
            one.start,
            one.type,
        )

    for one in sorted(found, key=rank):
        place = bisect_left(kept_starts, one.end)
        if place > 0 and kept[place - 1].end > one.start:
            continue
        place = bisect_left(kept_starts, one.start)
        kept_starts.insert(place, one.start)
        kept.insert(place, one)
    return kept


def _left_over(one: Found, kept: Iterable[Found]) -> list[Found]:
    """The parts of a passage between findings; the longest, if all are short."""
    parts: list[tuple[int, int]] = []
    reached = one.start
    for other in kept:
        if other.end <= one.start or other.start >= one.end:
            continue
        parts.append((reached, other.start))
        reached = other.end
    parts.append((reached, one.end))
    real = [part for part in parts if part[1] > part[0]]
    long = [part for part in real if part[1] - part[0] >= _SHORTEST_PART] or real[:1]
    return [Found(one.type, start, end, one.confidence) for start, end in long]


def _level(one: Found, levels: Mapping[str, Sensitivity]) -> int:
    unlisted = -1 if one.type in WEAK_TYPES else int(Sensitivity.RESTRICTED)
    return int(levels.get(one.type, unlisted))


def _start(one: Found) -> int:
    return one.start
