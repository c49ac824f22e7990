"""Settles which of several readings of the same characters is reported."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from gateway.classify.detectors.base import Found
from gateway.core.findings import WEAK_TYPES
from gateway.core.sensitivity import Sensitivity


def without_overlaps(
    found: Iterable[Found], levels: Mapping[str, Sensitivity]
) -> tuple[Found, ...]:
    """The findings in order of place, none overlapping another.

    Where two overlap, the one that the policy ranks higher stays, so that settling can never
    lower a request's sensitivity; then the surer and the longer one.
    """
    kept_starts: list[int] = []
    kept: list[Found] = []

    def rank(one: Found) -> tuple[int, float, int, int, str]:
        unlisted = -1 if one.type in WEAK_TYPES else int(Sensitivity.RESTRICTED)
        return (
            -int(levels.get(one.type, unlisted)),
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
    return tuple(kept)
