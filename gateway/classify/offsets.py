"""Places in rewritten text, carried back to the text that it was made from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec


class OffsetMap(msgspec.Struct, frozen=True):
    """Where pieces of a rewritten text came from.

    Piece number i begins at `starts[i]` in the new text and stands for the old text from
    `old_starts[i]`; `widths[i]` is its length in the old text when it was replaced as a whole,
    and -1 when it was copied. Offsets are code points.
    """

    starts: tuple[int, ...]
    old_starts: tuple[int, ...]
    widths: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The old place of a new one; a replaced piece counts as a whole."""
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, max(start, end - 1)) - 1
        old_start = self.old_starts[first]
        if self.widths[first] < 0:
            old_start += start - self.starts[first]
        old_end = self.old_starts[last]
        if self.widths[last] < 0:
            old_end += end - self.starts[last]
        else:
            old_end += self.widths[last]
        return old_start, max(old_start, old_end)

    def new_place(self, old: int) -> int:
        """Where a place of the old text is in the new one; the next that is left if it is gone."""
        piece = bisect_right(self.old_starts, old) - 1
        if piece < 0:
            return 0
        new = self.starts[piece] + (old - self.old_starts[piece] if self.widths[piece] < 0 else 0)
        return new if piece + 1 == len(self.starts) else min(new, self.starts[piece + 1])


#: One replacement: start and end in the old text, and what stands there in the new one.
Replacement = tuple[int, int, str]


def rewrite(text: str, replacements: Iterable[Replacement]) -> tuple[str, OffsetMap]:
    """Apply replacements (ordered, not overlapping) and keep account of the places."""
    parts: list[str] = []
    starts: list[int] = []
    old_starts: list[int] = []
    widths: list[int] = []
    position = length = 0
    for start, end, new in replacements:
        if start > position:
            starts.append(length)
            old_starts.append(position)
            widths.append(-1)
            parts.append(text[position:start])
            length += start - position
        if new:
            starts.append(length)
            old_starts.append(start)
            widths.append(end - start)
            parts.append(new)
            length += len(new)
        position = end
    if position < len(text) or not starts:
        starts.append(length)
        old_starts.append(position)
        widths.append(-1)
        parts.append(text[position:])
    return "".join(parts), OffsetMap(tuple(starts), tuple(old_starts), tuple(widths))
