"""Words of other scripts that say what stands beside them, put into words that detectors know.

The detectors see ASCII, where a Russian or Japanese label is a row of question marks. Here the
labels of identifiers, the words for digits and the words for signs are found in the text as it
was written and replaced by their English counterparts, places kept; the text is then read again.
"""

from __future__ import annotations

import re

import ahocorasick
import numpy as np
import numpy.typing as npt

from gateway.classify.code_points import code_points, lowered
from gateway.classify.offsets import Replacement
from gateway.classify.scripts_words import DIGITS, LABELS, MARKS

Places = npt.NDArray[np.int64]
NOWHERE: Places = np.zeros(0, np.int64)

_BREAKS = re.compile(r"[\s,،、;.\-–—/・]{0,3}")
#: What may follow a label before its value: particles and signs.
_AFTER_LABEL = re.compile(
    r"(?:番号|号码|號碼|号|號|번호|номер|№)?(?:[은는이가]|は|が|を|为|為|是|の)?[\s:：=＝]{0,3}"
)
# From the first of these code points on there are other scripts, but for the punctuation between
# the other two; every word here has such a letter.
_OTHER_FROM, _MARKS_FROM, _MARKS_TO = 0x250, 0x1E00, 0x2800
#: What turns the direction of writing.
_TURNS = ("\u202e", "\u2067")
_TURNING = tuple(map(ord, _TURNS))
#: So few places are looked at one by one, which is quicker than an array of them.
_FEW = 16
_SHORTEST_NUMBER = 5
_BRAILLE = dict(zip("⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊", "0123456789", strict=True))
_BRAILLE_NUMBER = re.compile("⠼[⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠼⠤\u2800 ]{3,}")
# Right-to-left override: what follows is shown backwards, to its end or the line's.
_OVERRIDE = re.compile("[\u202e\u2067]([^\u202c\u2069\n]{4,400})")


class Scripts:
    """The words of other scripts, compiled once."""

    def __init__(self) -> None:
        found = ahocorasick.Automaton()
        for label, words in LABELS.items():
            for word in words.split():
                found.add_word(_fold(word), (len(word), "label", label))
        for word in MARKS.split():
            found.add_word(_fold(word), (len(word), "mark", ""))
        for row in DIGITS:
            for digit, same in enumerate(row.split()):
                for word in same.split("|"):
                    found.add_word(word, (len(word), "digit", str(digit)))
        found.make_automaton()
        self._words = found

    def replacements(self, text: str, places: Places) -> list[Replacement]:
        """What the words of other scripts in a text stand for: ordered and without overlaps.

        `places` are those of `other_scripts`.
        """
        hits = self._hits(text, places)
        found = [*self._labels(text, hits), *_numbers(text, hits), *_braille(text)]
        if any(turn in text for turn in _TURNS):
            found += [(m.start(), m.end(), m.group(1)[::-1]) for m in _OVERRIDE.finditer(text)]
        found.sort()
        kept: list[Replacement] = []
        for one in found:
            if not kept or one[0] >= kept[-1][1]:
                kept.append(one)
        return kept

    def _hits(self, text: str, places: Places) -> list[tuple[int, int, str, str]]:
        """The words, as start, end, kind and meaning, on those lines that other scripts are on."""
        hits: list[tuple[int, int, str, str]] = []
        number = 0
        while number < len(places):
            place = int(places[number])
            start = text.rfind("\n", 0, place) + 1
            stop = text.find("\n", place)
            stop = len(text) if stop < 0 else stop
            line = lowered(text[start:stop])
            hits += [
                (start + end + 1 - size, start + end + 1, kind, means)
                for end, (size, kind, means) in self._words.iter_long(line)
            ]
            number = int(np.searchsorted(places, stop))
        return hits

    def _labels(self, text: str, hits: list[tuple[int, int, str, str]]) -> list[Replacement]:
        changes: list[Replacement] = []
        for start, end, kind, means in hits:
            if kind == "mark":
                changes.append((start, end, "CONFIDENTIAL - INTERNAL ONLY"))
            elif kind == "label" and not _inside_word(text, start, end):
                stop = _AFTER_LABEL.match(text, end)
                finish = end if stop is None else stop.end()
                changes.append((start, finish, "at " if means == "at" else f" {means}: "))
        return changes


def other_scripts(text: str) -> Places:
    """Where letters of other scripts and signs of direction stand, in order."""
    codes = code_points(text)
    places = (codes >= _OTHER_FROM).nonzero()[0]
    if not len(places):
        return places
    if len(places) <= _FEW:
        kept = [
            place
            for place, code in zip(places.tolist(), codes.take(places).tolist(), strict=True)
            if code < _MARKS_FROM or code >= _MARKS_TO or code in _TURNING
        ]
        return np.array(kept, np.int64) if kept else NOWHERE
    far = codes.take(places)
    # What is below the marks becomes very large without a sign, so one comparison tells both.
    counts = far - np.uint32(_MARKS_FROM) >= _MARKS_TO - _MARKS_FROM
    for code in _TURNING:
        counts |= far == code
    return places[counts]


def _fold(word: str) -> str:
    return word.replace("_", " ").lower()


def _inside_word(text: str, start: int, end: int) -> bool:
    # Scripts with spaces between words; the others have none to go by.
    return (start > 0 and _spaced(text[start - 1])) or (end < len(text) and _spaced(text[end]))


def _spaced(character: str) -> bool:
    return character.isalpha() and "\u0370" <= character <= "\u06ff"


def _numbers(text: str, hits: list[tuple[int, int, str, str]]) -> list[Replacement]:
    """Rows of words for digits, each row one number."""
    changes: list[Replacement] = []
    row: list[tuple[int, int, str]] = []
    for start, end, kind, means in hits:
        if kind != "digit" or _inside_word(text, start, end):
            continue
        if row:
            gap = _BREAKS.match(text, row[-1][1])
            if gap is None or gap.end() < start:
                _close(row, changes)
                row = []
        row.append((start, end, means))
    _close(row, changes)
    return changes


def _close(row: list[tuple[int, int, str]], changes: list[Replacement]) -> None:
    if len(row) >= _SHORTEST_NUMBER:
        changes.append((row[0][0], row[-1][1], "".join(digit for _, _, digit in row)))


def _braille(text: str) -> list[Replacement]:
    return [
        (match.start(), match.end(), "".join(_BRAILLE.get(sign, "") for sign in match.group()))
        for match in _BRAILLE_NUMBER.finditer(text)
    ]
