"""The disguises, by kind; `replacements` undoes those whose gates stand open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from gateway.classify.disguises.base import Disguise
from gateway.classify.disguises.codes import CODES
from gateway.classify.disguises.digits import DIGITS
from gateway.classify.disguises.mail import MAIL
from gateway.classify.disguises.markup import MARKUP
from gateway.classify.offsets import Replacement

__all__ = ["DISGUISES", "replacements"]

#: Every disguise; where two begin at the same place, the one that comes first is undone.
DISGUISES: tuple[Disguise, ...] = (*CODES, *MARKUP, *DIGITS, *MAIL)


def replacements(
    text: str, gates: Iterable[str], where: Callable[[str], Iterable[tuple[int, int]]] | None = None
) -> list[Replacement]:
    """What to replace in a text whose open gates are given: ordered and without overlaps.

    `where` tells in which parts of the text a gate opened; without it, the whole is meant.
    """
    wanted = set(gates)
    candidates: list[Replacement] = []
    for disguise in DISGUISES:
        if disguise.name not in wanted:
            continue
        areas = ((0, len(text)),) if where is None else where(disguise.name)
        for match in chain.from_iterable(disguise.shape.finditer(text, *area) for area in areas):
            if disguise.read_back is not None:
                earlier = disguise.read_back(match)
                if earlier is not None:
                    candidates.append((earlier[0], match.end(), earlier[1]))
                continue
            meant = disguise.read(match)
            if meant is not None and meant != match.group():
                candidates.append((*match.span(), meant))
    candidates.sort(key=_place)
    chosen: list[Replacement] = []
    reached = 0
    for start, end, meant in candidates:
        if start >= reached:
            chosen.append((start, end, meant))
            reached = end
    return chosen


def _place(candidate: Replacement) -> int:
    return candidate[0]
