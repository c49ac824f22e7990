"""Parts of a text by their places: start, and end exclusive, in characters."""

from __future__ import annotations

from collections.abc import Iterable

Area = tuple[int, int]
#: Parts of a text, in order and without overlaps.
Areas = tuple[Area, ...]


def joined(areas: Iterable[Area]) -> Areas:
    """Areas in order, those that overlap or touch made one."""
    ordered = sorted(areas)
    if len(ordered) < 2:
        return tuple(ordered)
    whole: list[Area] = []
    low, high = ordered[0]
    for start, end in ordered:
        if start > high:
            whole.append((low, high))
            low, high = start, end
        elif end > high:
            high = end
    whole.append((low, high))
    return tuple(whole)
