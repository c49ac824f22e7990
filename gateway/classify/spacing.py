"""Finds long runs and evenly spaced groups of encoded-looking characters by the gaps between them.

A pattern engine has to count the characters of every word for this, which cost it more than a
thousand other patterns together; to search for one string, and for where blanks stand, is cheap.
"""

from __future__ import annotations

import string

import numpy as np

#: The fewest characters of a run that is looked at: what base64, base32 and hexadecimal are
#: written with, and the signs of base64 for links.
SHORTEST_RUN = 18
#: The sizes of groups that are looked at, which are written without the signs for links.
SMALLEST_GROUP, LARGEST_GROUP = 4, 16

_IN_RUN = f"{string.ascii_letters}{string.digits}+/-_".encode()
_KINDS = bytes(ord("a") if code in _IN_RUN else ord(" ") for code in range(256))
_RUN = b"a" * SHORTEST_RUN
_BLANK = ord(" ")


def long_runs(shadow: bytes) -> list[int]:
    """Where runs of at least `SHORTEST_RUN` characters begin, in order."""
    kinds = shadow.translate(_KINDS)
    places: list[int] = []
    place = kinds.find(_RUN)
    while place >= 0:
        places.append(place)
        end = kinds.find(b" ", place)
        place = -1 if end < 0 else kinds.find(_RUN, end)
    return places


def even_groups(shadow: bytes) -> list[int]:
    """Where a group begins, in order, that two of the same size follow, each after one blank.

    What stands before a group and what it is made of is not looked at.
    """
    blanks = np.flatnonzero(np.frombuffer(shadow, np.uint8) == _BLANK)
    steps = blanks[1:] - blanks[:-1]
    at = np.flatnonzero(steps[1:] == steps[:-1])
    steps = steps[at]
    begins = blanks[at] - steps + 1
    wanted = (steps > SMALLEST_GROUP) & (steps <= LARGEST_GROUP + 1) & (begins >= 0)
    groups: list[int] = begins[wanted].tolist()
    return groups
