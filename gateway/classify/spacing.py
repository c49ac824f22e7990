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

_BLANK = ord(" ")


def table_of(characters: bytes) -> bytes:
    """The table by which `long_runs` looks for runs of these characters."""
    return bytes(ord("a") if code in characters else ord(" ") for code in range(256))


_ENCODED = table_of(f"{string.ascii_letters}{string.digits}+/-_".encode())


def long_runs(shadow: bytes, table: bytes = _ENCODED, least: int = SHORTEST_RUN) -> list[int]:
    """Where runs of at least so many characters begin, in order.

    Without a `table` they are the characters that texts are encoded with.
    """
    kinds = shadow.translate(table)
    run = b"a" * least
    places: list[int] = []
    place = kinds.find(run)
    while place >= 0:
        places.append(place)
        end = kinds.find(b" ", place)
        place = -1 if end < 0 else kinds.find(run, end)
    return places


def even_groups(shadow: bytes) -> list[int]:
    """Where a group begins, in order, that two of the same size follow, each after one blank.

    What stands before a group and what it is made of is not looked at.
    """
    blanks = (np.frombuffer(shadow, np.uint8) == _BLANK).nonzero()[0]
    steps = blanks[1:] - blanks[:-1]
    # Most words are of another size than the next one, so all else is asked of few.
    at = (steps[1:] == steps[:-1]).nonzero()[0]
    groups: list[int] = []
    for end, step in zip(blanks.take(at).tolist(), steps.take(at).tolist(), strict=True):
        if SMALLEST_GROUP < step <= LARGEST_GROUP + 1 and step <= end + 1:
            groups.append(end - step + 1)
    return groups
