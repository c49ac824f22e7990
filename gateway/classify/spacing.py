"""Finds long runs and evenly spaced groups of encoded-looking characters by the gaps between them.

A pattern engine has to count the characters of every word for this, which cost it more than a
thousand other patterns together; to search for one string, and for where blanks stand, is cheap.
"""

from __future__ import annotations

import re
import string
import sys
from itertools import pairwise

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
_NO_ROW = (sys.maxsize, "", _SINGLES)


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
    same = steps[1:] == steps[:-1]
    at = same.nonzero()[0]
    ends, sizes = blanks.take(at).tolist(), steps.take(at).tolist()
    groups = [
        end - step + 1
        for end, step in zip(ends, sizes, strict=True)
        if SMALLEST_GROUP < step <= LARGEST_GROUP + 1 and step <= end + 1
    ]
    # Hardly ever are four steps the same, and to search for a string is the quickest way to ask.
    if b"\x01\x01\x01" not in same.tobytes():
        return Spacing(groups, {})
    cuts = (at[1:] - at[:-1] != 1).nonzero()[0].tolist()
    rows: dict[str, list[Area]] = {}
    for before, last in pairwise((-1, *cuts, len(at) - 1)):
        step = sizes[last]
        least, name, shape = _ROWS.get(step, _NO_ROW)
        if last - before + 1 >= least:
            # From each of these blanks on two steps are the same, and a word follows the last one.
            start, stop = ends[before + 1] - step + 1, ends[last] + 3 * step
            if shape.search(shadow, max(0, start), stop) is not None:
                rows.setdefault(name, []).append((max(0, start), min(stop, len(shadow))))
    return Spacing(groups, rows)
