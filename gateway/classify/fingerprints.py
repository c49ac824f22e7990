"""Recognises passages of registered documents by hashes of their letters, never by their text.

Every run of `GRAM` letters and digits has a keyed hash; of each `WINDOW` neighbours the smallest
represents the document (winnowing, Schleimer, Wilkerson and Aiken 2003). A passage of
`GRAM + 2 * WINDOW` letters that stands in a document shares at least two of these, whatever its
case, spaces and punctuation are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.classify.areas import joined
from gateway.classify.code_points import code_points, lowered
from gateway.classify.detectors.base import Found

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]

#: Letters in a run that is hashed, and neighbours of which one hash is kept.
GRAM, WINDOW = 40, 40
#: Hashes of one document that must be seen near one another.
LEAST = 2
#: How far apart they may be, in letters.
NEAR = 4 * WINDOW
#: Letters that are hashed at once.
_BLOCK = 1 << 16
_MASK = (1 << 64) - 1
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_DOWN = np.uint64(32)


class Document(msgspec.Struct, frozen=True):
    """A registered document: an id, the name it was given, its hashes, and when it was added."""

    id: str
    name: str
    hashes: bytes
    added_at: float

    @property
    def size(self) -> int:
        """How many hashes represent it."""
        return len(self.hashes) // 8


class Hasher:
    """Hashes runs of letters under one key. The same key must register and recognise."""

    def __init__(self, key: bytes) -> None:
        drawn = hashlib.sha256(b"fingerprints\0" + key).digest()
        base = int.from_bytes(drawn[:8], "little") | 1
        inverse = pow(base, -1, 1 << 64)
        self._offset = np.uint64(int.from_bytes(drawn[8:16], "little"))
        self._powers = _powers(base)
        self._inverses = _powers(inverse)

    def hashes(self, letters: Hashes) -> Hashes:
        """The hash of every run of `GRAM` letters, in order."""
        if len(letters) < GRAM:
            return np.zeros(0, np.uint64)
        parts = [
            self._block(letters[start : start + _BLOCK + GRAM - 1])
            for start in range(0, len(letters) - GRAM + 1, _BLOCK)
        ]
        return np.concatenate(parts)

    def _block(self, letters: Hashes) -> Hashes:
        count = len(letters)
        sums = np.zeros(count + 1, np.uint64)
        np.cumsum(letters * self._powers[:count], out=sums[1:])
        runs = (sums[GRAM:] - sums[:-GRAM]) * self._inverses[: count - GRAM + 1]
        runs = (runs ^ (runs >> _DOWN) ^ self._offset) * _MIX
        mixed: Hashes = runs ^ (runs >> _DOWN)
        return mixed

    def represent(self, text: str) -> bytes:
        """The hashes that stand for a document, as eight bytes each; none for a short one."""
        hashes = self.hashes(letters_of(text)[0])
        if not len(hashes):
            return b""
        width = min(WINDOW, len(hashes))
        smallest = np.lib.stride_tricks.sliding_window_view(hashes, width).min(axis=1)
        return np.unique(smallest).astype("<u8").tobytes()


class FingerprintIndex:
    """The hashes of all registered documents, ready to be looked for. It keeps no state."""

    def __init__(self, documents: Iterable[Document], hasher: Hasher) -> None:
        known = list(documents)
        arrays = [np.frombuffer(one.hashes, "<u8").astype(np.uint64) for one in known]
        merged = np.concatenate([np.zeros(0, np.uint64), *arrays])
        owners = np.repeat(np.arange(len(known)), [len(one) for one in arrays])
        order = np.argsort(merged, kind="stable")
        self._hashes = merged[order]
        self._owners = owners[order]
        self._hasher = hasher

    def __len__(self) -> int:
        return len(self._hashes)

    def find(self, text: str) -> list[Found]:
        """The passages of a text that stand in a registered document, in order."""
        if not len(self._hashes):
            return []
        letters, places = letters_of(text)
        hashes = self._hasher.hashes(letters)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        hits = np.flatnonzero(self._hashes[at] == hashes)
        if len(hits) < LEAST:
            return []
        passages = _near_one_another(hits, hashes[hits], self._owners[at[hits]])
        ends = [(int(places[first]), int(places[last + GRAM - 1]) + 1) for first, last in passages]
        return [Found("fingerprint", start, end, 0.97) for start, end in joined(ends)]


def letters_of(text: str) -> tuple[Hashes, Indices]:
    """The small letters and digits of a text as numbers, and where each of them stands."""
    codes = code_points(lowered(text))
    places = np.flatnonzero(_COUNTS[np.minimum(codes, len(_COUNTS) - 1)])
    return codes[places].astype(np.uint64), places


def _near_one_another(hits: Indices, hashes: Hashes, owners: Indices) -> list[tuple[int, int]]:
    """First and last place of hits of one document, of which at least `LEAST` differ."""
    passages: list[tuple[int, int]] = []
    for owner in np.unique(owners):
        own = owners == owner
        places, seen = hits[own], hashes[own]
        for group in np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) > NEAR) + 1):
            if len(np.unique(seen[group])) >= LEAST:
                passages.append((int(places[group[0]]), int(places[group[-1]])))
    return sorted(passages)


def _powers(base: int) -> Hashes:
    powers = [1]
    for _ in range(_BLOCK + GRAM):
        powers.append(powers[-1] * base & _MASK)
    return np.array(powers, np.uint64)


# Letters and digits count; of other characters those that are neither marks nor punctuation.
_COUNTS = np.array(
    [
        chr(code).isalnum() if code < 0x2000 else not 0x2000 <= code < 0x2C00 and code != 0x3000
        for code in range(0x3100)
    ]
)
