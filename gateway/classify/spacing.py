"""Finds long runs and evenly spaced groups of encoded-looking characters by the gaps between them.

A pattern engine has to count the characters of every word for this, which cost it more than a
thousand other patterns together; to search for one string, and for where blanks stand, is cheap.
"""

from __future__ import annotations

import re
import string

import msgspec
import numpy as np

from gateway.classify.areas import Area

#: The fewest characters of a run that is looked at: what base64, base32 and hexadecimal are
#: written with, and the signs of base64 for links.
SHORTEST_RUN = 18
#: The sizes of groups that are looked at, which are written without the signs for links.
SMALLEST_GROUP, LARGEST_GROUP = 4, 16

_BLANK = ord(" ")
#: Rows of words of one size, one blank between each two, which tell how something is written: by
#: the steps from blank to blank, how many equal ones the shortest row has, and its shape.
_SINGLES = re.compile(
    rb"(?<![a-z0-9])(?:(?:[a-z0-9@._] ){9}[a-z0-9]|(?:[a-z] ){7}[a-z])", re.IGNORECASE
)
_PAIRS = re.compile(rb"(?:[0-9a-f]{2} ){8}[0-9a-f]{2}", re.IGNORECASE)
_FOURS = re.compile(rb"(?:[0-9a-f]{4} ){5}[0-9a-f]{4}", re.IGNORECASE)
_ROWS = {
    2: (6, "spaced_out", _SINGLES),
    3: (7, "hex_pairs", _PAIRS),
    5: (4, "hex_pairs", _FOURS),
}


def table_of(characters: bytes) -> bytes:
    """The table by which `long_runs` looks for runs of these characters."""
    return bytes(code not in characters for code in range(256))


_ENCODED = table_of(f"{string.ascii_letters}{string.digits}+/-_".encode())


def long_runs(shadow: bytes, table: bytes = _ENCODED, least: int = SHORTEST_RUN) -> list[int]:
    """Where runs of at least so many characters begin, in order.

    Without a `table` they are the characters that texts are encoded with.
    """
    others = np.frombuffer(b"\x01%b\x01" % shadow.translate(table), np.bool_).nonzero()[0]
    starts: list[int] = others[:-1][others[1:] - others[:-1] > least].tolist()
    return starts


class Spacing(msgspec.Struct, frozen=True):
    """What the blanks of a text tell.

    `groups` are where a group begins, in order, that two of the same size follow, each after one
    blank; what stands before it and what it is made of is not looked at. `rows` are the parts of
    the text in which a disguise or an encoding is written in a row of words of one size, by name.
    """

    groups: list[int]
    rows: dict[str, list[Area]]


def spacing_of(shadow: bytes) -> Spacing:
    """What the blanks of an ASCII text tell."""
    blanks = (np.frombuffer(shadow, np.uint8) == _BLANK).nonzero()[0]
    steps = blanks[1:] - blanks[:-1]
    # Most words are of another size than the next one, so all else is asked of few.
    at = (steps[1:] == steps[:-1]).nonzero()[0]
    equal = list(zip(blanks.take(at).tolist(), steps.take(at).tolist(), strict=True))
    groups = [
        end - step + 1
        for end, step in equal
        if SMALLEST_GROUP < step <= LARGEST_GROUP + 1 and step <= end + 1
    ]
    # Hardly ever are four steps the same.
    fours = (at[2:] - at[:-2] == 2).nonzero()[0].tolist()
    if not fours:
        return Spacing(groups, {})
    rowed = sorted({number for first in fours for number in range(first, first + 3)})
    return Spacing(groups, _rows(shadow, [equal[number] for number in rowed]))


def _rows(shadow: bytes, equal: list[tuple[int, int]]) -> dict[str, list[Area]]:
    """The rows that have the shape for it, of blanks with two equal steps after them."""
    rows: dict[str, list[Area]] = {}
    rowed = [one for one in equal if one[1] in _ROWS]
    number = 0
    while number < len(rowed):
        first, step = rowed[number]
        last = first
        while number < len(rowed) and rowed[number] == (last, step):
            last += step
            number += 1
        least, name, shape = _ROWS[step]
        # Two steps follow the last blank as well.
        if last - first >= (least - 1) * step:
            start, end = max(0, first - step + 1), min(last + 2 * step, len(shadow))
            if shape.search(shadow, start, end) is not None:
                rows.setdefault(name, []).append((start, end))
    return rows
