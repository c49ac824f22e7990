"""Finds long runs and evenly spaced groups of encoded-looking characters by the gaps between them.

A pattern engine has to count the characters of every word for this, which cost more than a
thousand other patterns together; where the gaps stand is known by looking at each byte once.
"""

from __future__ import annotations

import numpy as np

#: The fewest characters of a run that is looked at: what base64, base32 and hexadecimal are
#: written with, and the signs of base64 for links.
SHORTEST_RUN = 18
#: The sizes of groups that are looked at, and how many of one size stand in a row at least.
SMALLEST_GROUP, LARGEST_GROUP = 4, 16
_LEAST_GROUPS = 3

_DIGITS_AND_LETTERS = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_IN_RUN = bytes(
    ord("a") if code in _DIGITS_AND_LETTERS or code in b"+/_-" else ord(" ") for code in range(256)
)
#: A run with the sign before it.
_RUN = b" " + b"a" * SHORTEST_RUN
_BLANK = ord(" ")


def long_runs(shadow: bytes) -> list[int]:
    """Where runs of at least `SHORTEST_RUN` characters begin that have another sign before them."""
    kinds = shadow.translate(_IN_RUN)
    places: list[int] = []
    place = kinds.find(_RUN)
    while place >= 0:
        places.append(place + 1)
        place = kinds.find(_RUN, place + len(_RUN))
    return places


def even_groups(shadow: bytes) -> list[int]:
    """Where a group begins that two of the same size follow, each after one blank.

    What the groups are made of is not looked at.
    """
    blanks = np.flatnonzero(np.frombuffer(shadow, np.uint8) == _BLANK)
    if len(blanks) < _LEAST_GROUPS:
        return []
    steps = blanks[1:] - blanks[:-1]
    even = (
        (steps[1:] == steps[:-1]) & (steps[1:] > SMALLEST_GROUP) & (steps[1:] <= LARGEST_GROUP + 1)
    )
    at = np.flatnonzero(even)
    begins: list[int] = (blanks[at] - steps[at] + 1).tolist()
    return begins
