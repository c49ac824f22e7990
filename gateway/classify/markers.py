"""How often each of many short byte strings stands in a text, as `bytes.count` has it, in one pass.

Every four bytes of the text are looked up by a hash in one table, so that a text costs the same
for sixty strings as for one. What the table points at is then compared in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]

#: Bytes that are looked up at once: the last ones of a string, which are rarer than the first.
_WINDOW = 4
#: Texts of fewer bytes are searched for each string, which takes less than to begin a table.
_SHORT = 400
_WORD, _HALF = np.dtype("<u4"), np.dtype("<u2")
_SHIFT = np.uint32(16)
_FACTORS = range(0x9E3779B1, 0x9E3779B1 + 20_000, 2)


class Markers:
    """The strings to count, made ready."""

    def __init__(self, markers: Sequence[bytes]) -> None:
        self._markers = tuple(markers)
        # What is too short, or can overlap itself by more than its last byte, is searched for.
        self._sought = [n for n, mark in enumerate(markers) if len(mark) < _WINDOW or _folds(mark)]
        # A byte of each that few texts have, if it has one: without it there is no need to search.
        self._telling = [
            min(mark, key=b"abcdefghijklmnopqrstuvwxyz \n.".__contains__) for mark in markers
        ]
        looked_up = [n for n in range(len(markers)) if n not in self._sought]
        self._long = [n for n in looked_up if len(markers[n]) > 2 * _WINDOW]
        self._length = np.array([len(mark) for mark in markers], np.intp)
        self._first = np.array([_number(mark[:_WINDOW]) for mark in markers], _WORD)
        self._last = np.array([_number(mark[-_WINDOW:]) for mark in markers], _WORD)
        self._factor, self._table = _table(self._last, looked_up)

    def count(self, text: bytes) -> Counts:
        """How often each string stands in `text`, none of them overlapping itself."""
        if len(text) < _SHORT:
            return self._searched(text, range(len(self._markers)))
        count = self._searched(text, self._sought)
        count += self._looked_up(text)
        return count

    def _searched(self, text: bytes, numbers: Iterable[int]) -> Counts:
        count = np.zeros(len(self._markers), np.int64)
        for n in numbers:
            if self._telling[n] in text:
                count[n] = text.count(self._markers[n])
        return count

    def _looked_up(self, text: bytes) -> Counts:
        # Windows at every byte, without a copy of the text.
        windows: Words = np.ndarray((len(text) - _WINDOW + 1,), _WORD, text, 0, (1,))
        # The upper half of each product is its hash.
        told = self._table.take((windows * self._factor).view(_HALF)[1::2])
        ends = (told != 0).nonzero()[0]
        marks = told.take(ends).astype(np.intp) - 1
        length = self._length.take(marks)
        starts = ends + (_WINDOW - length)
        fits = windows[ends] == self._last.take(marks)
        # What would begin before the text is compared with the windows at its end.
        fits &= windows[starts] == self._first.take(marks)
        fits &= starts >= 0
        # Where a string might overlap the next of its kind (" or or " has " or " once).
        again = told.take(ends + (length - 1), mode="clip") == told.take(ends)
        count = np.bincount(marks[fits], minlength=len(self._markers))
        unsure = set(marks[again & fits].tolist())
        for n in unsure.union(n for n in self._long if count[n]):
            count[n] = text.count(self._markers[n])
        return count


def _folds(mark: bytes) -> bool:
    """Whether two of these can stand in a text with two or more bytes in common."""
    return any(mark[:n] == mark[-n:] for n in range(2, len(mark)))


def _number(window: bytes) -> int:
    return int.from_bytes(window.ljust(_WINDOW, b"\0"), "little")


def _table(last: Words, looked_up: Sequence[int]) -> tuple[np.uint32, npt.NDArray[np.uint8]]:
    """A factor by which no two strings' last windows meet, and which string each place is of.

    Raises:
        ValueError: two strings end alike, or there are more than a byte can tell.
    """
    wanted = last[looked_up]
    if max(looked_up, default=0) >= 255 or len(set(wanted.tolist())) < len(wanted):
        raise ValueError("at most 255 strings can be told, by their last four bytes")
    for number in _FACTORS:
        factor = np.uint32(number)
        places = (wanted * factor) >> _SHIFT
        if len(set(places.tolist())) == len(places):
            table = np.zeros(1 << 16, np.uint8)
            table[places] = np.array(looked_up, np.uint8) + 1
            return factor, table
    raise ValueError("no factor keeps these strings apart")
