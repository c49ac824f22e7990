"""Runs all detectors over one text and gives what they found, without overlaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec

from gateway.classify.detectors.base import Detector, Found, View, number_runs
from gateway.classify.engine import Anchor, Engine, measure


class Table(msgspec.Struct, frozen=True):
    """The anchors of all detectors, each once, and who wants to look at which."""

    anchors: tuple[Anchor, ...]
    wanted_by: tuple[tuple[tuple[int, int], ...], ...]


def compile_table(detectors: Sequence[Detector]) -> Table:
    """Collect the anchors of the detectors.

    Raises:
        InvalidAnchor: an anchor can match strings of different lengths.
    """
    numbers: dict[str, int] = {}
    wanted: list[list[tuple[int, int]]] = []
    for position, detector in enumerate(detectors):
        for which, pattern in enumerate(detector.anchors):
            if pattern not in numbers:
                numbers[pattern] = len(wanted)
                wanted.append([])
            wanted[numbers[pattern]].append((position, which))
    anchors = tuple(measure(pattern) for pattern in numbers)
    return Table(anchors, tuple(tuple(entry) for entry in wanted))


class Detection(msgspec.Struct, frozen=True):
    """What was found in one view, and the detectors that broke while looking."""

    found: tuple[Found, ...]
    failed: tuple[str, ...]


class Scanner:
    """Detectors with the engine that finds their anchors."""

    def __init__(self, detectors: Sequence[Detector], table: Table, engine: Engine) -> None:
        self._detectors = tuple(detectors)
        self._table = table
        self._engine = engine
        self._for_numbers = tuple(d for d in detectors if d.look_at_number is not None)

    def scan(self, view: View) -> Detection:
        """Every finding of every detector, in no particular order."""
        found: list[Found] = []
        failed: list[str] = []
        self._at_anchors(view, found, failed)
        self._at_numbers(view, found, failed)
        return Detection(tuple(found), tuple(failed))

    def _at_anchors(self, view: View, found: list[Found], failed: list[str]) -> None:
        wanted_by, anchors = self._table.wanted_by, self._table.anchors
        places: list[tuple[int, int, int, int]] = []
        for number, end in self._engine.scan(view.text.encode("ascii")):
            start = end - anchors[number].width
            for position, which in wanted_by[number]:
                places.append((position, start, end, which))
        if not places:
            return
        places.sort()
        for position, hits in groupby(places, key=_position):
            detector = self._detectors[position]
            look = detector.look
            if look is None:
                continue
            done = -1
            try:
                for _, start, end, which in hits:
                    # Inside what was just found there is nothing more to find.
                    if start < done:
                        continue
                    one = look(view, which, start, end)
                    if one is not None:
                        found.append(one)
                        done = one.end
            except Exception:  # noqa: BLE001 - one broken detector must not blind the others
                failed.append(detector.name)

    def _at_numbers(self, view: View, found: list[Found], failed: list[str]) -> None:
        broken: set[str] = set()
        for run in number_runs(view):
            for detector in self._for_numbers:
                look: Callable[..., object] | None = detector.look_at_number
                if look is None or detector.name in broken:
                    continue
                try:
                    found.extend(detector.look_at_number(view, run))  # type: ignore[misc]
                except Exception:  # noqa: BLE001 - one broken detector must not blind the others
                    broken.add(detector.name)
        failed.extend(sorted(broken))


def _position(place: tuple[int, int, int, int]) -> int:
    return place[0]
