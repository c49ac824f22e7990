"""Runs all detectors over one text and gives what they found, without overlaps."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.classify.areas import Area, Areas, joined
from gateway.classify.decoding import GATES as ENCODINGS
from gateway.classify.detectors.base import (
    LONGEST_BARE_VALUE,
    Detector,
    Found,
    NumberRun,
    View,
    number_runs,
)
from gateway.classify.disguises import DISGUISES
from gateway.classify.engine import Anchor, Engine, Hit, measure
from gateway.classify.spacing import Spacing, spacing_of
from gateway.classify.tables import GATE as TABLE
from gateway.classify.tagging import SIGNS

#: Cheap questions about the whole text, asked in the same pass; see `Anchor`.
GATES: dict[str, str] = {
    "number": r"[0-9](?:[ \t\r\n\-./:()]{0,3}[0-9]){6}",
    "key_lines": r"[a-z0-9+/]{60}\r?\n",
    "table": TABLE,
    "rotated": r"rot-?(?:13|47)",
    **ENCODINGS,
    "reversed": (
        r"(?:reversed|backwards?|mirrored)[ )]?:|(?:read|written|spelled)[ a-z]{0,12} backward"
    ),
}


#: From this confidence on, digits inside a finding belong to it and are not asked about again.
_SURE = 0.97
#: Texts longer than this are looked at in parts, to know about where gates open; characters.
LONG, PART = 4_096, 2_048
#: How far the parts overlap: more than what any gate is long; characters.
SEAM = 128
#: How far around a part something may reach whose gate opened in it; characters.
OVERLAP = 256
#: A hit of a detector's anchor: its start, its end and the number of the anchor.
Place = tuple[int, int, int]


class Table(msgspec.Struct, frozen=True):
    """The anchors of all detectors, each once, and who wants to look at which.

    `signs` are the numbers of the anchors whose places are told to the tagger.
    """

    anchors: tuple[Anchor, ...]
    wanted_by: tuple[tuple[tuple[int, int], ...], ...]
    gates: Mapping[int, str]
    signs: frozenset[int]


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
    for pattern in SIGNS:
        if pattern not in numbers:
            numbers[pattern] = len(wanted)
            wanted.append([])
    signs = frozenset(numbers[pattern] for pattern in SIGNS)
    anchors = [measure(pattern) for pattern in numbers]
    gates: dict[int, str] = {}
    asked = [*GATES.items(), *((one.name, gate) for one in DISGUISES for gate in one.gates())]
    for name, pattern in asked:
        gates[len(anchors)] = name
        anchors.append(Anchor(pattern, 0))
        wanted.append([])
    return Table(tuple(anchors), tuple(tuple(entry) for entry in wanted), gates, signs)


class Detection(msgspec.Struct, frozen=True):
    """What was found in one view, the detectors that broke, and the gates that stand open.

    `signs` are the places where an address may be near. `areas` are the parts of the text in
    which a gate opened, by its name; the whole text is meant where it has none. `spacing` is that
    of the text.
    """

    found: tuple[Found, ...]
    failed: tuple[str, ...]
    gates: frozenset[str]
    signs: tuple[int, ...]
    areas: Mapping[str, Areas]
    spacing: Spacing

    def area(self, gate: str, size: int) -> Areas:
        """Where in a text of `size` characters an open gate is open."""
        return self.areas.get(gate, ((0, size),))


class Scanner:
    """Detectors with the engine that finds their anchors."""

    def __init__(self, detectors: Sequence[Detector], table: Table, engine: Engine) -> None:
        self._detectors = tuple(detectors)
        self._table = table
        self._engine = engine
        self._asked = [
            (anchor.width, wanted)
            for anchor, wanted in zip(table.anchors, table.wanted_by, strict=True)
        ]
        self._for_numbers = tuple(d for d in detectors if d.look_at_number is not None)
        self._for_values = tuple(d for d in detectors if d.look_at_value is not None)

    def scan(self, view: View) -> Detection:
        """Every finding of every detector, in no particular order."""
        found: list[Found] = []
        failed: list[str] = []
        signs: list[int] = []
        # One line break on either side lets an anchor ask for "no letter" at the text's ends.
        shadow = f"\n{view.text}\n".encode("ascii")
        gates, areas = self._open_gates(shadow)
        self._at_anchors(view, self._engine.hits(shadow), found, failed, signs)
        spacing = spacing_of(shadow[1:-1])
        for gate, rows in spacing.rows.items():
            # Where the engine saw it open in a short text, the whole text is meant already.
            if gate in areas or gate not in gates:
                near = _around(rows, len(view.text))
                areas[gate] = joined((*areas.get(gate, ()), *near))
            gates.add(gate)
        if "number" in gates:
            self._at_numbers(view, areas.get("number"), found, failed)
        if len(view.text) <= LONGEST_BARE_VALUE:
            self._at_value(view, found, failed)
        return Detection(
            tuple(found), tuple(failed), frozenset(gates), tuple(signs), areas, spacing
        )

    def _open_gates(self, shadow: bytes) -> tuple[set[str], dict[str, Areas]]:
        """The gates that open; a long text is looked at in parts, to know where they do."""
        names = self._table.gates
        if len(shadow) <= LONG:
            return {names[number] for number in self._engine.gates(shadow)}, {}
        open_in: dict[str, list[Area]] = {}
        for start in range(0, len(shadow), PART):
            stop = min(start + PART + SEAM, len(shadow))
            for number in self._engine.gates(shadow[start:stop]):
                open_in.setdefault(names[number], []).append((start, stop))
        size = len(shadow) - 2
        return set(open_in), {name: _around(parts, size) for name, parts in open_in.items()}

    def _at_anchors(
        self,
        view: View,
        hits: Iterable[Hit],
        found: list[Found],
        failed: list[str],
        signs: list[int],
    ) -> None:
        asked, signposts = self._asked, self._table.signs
        size = len(view.text)
        places: dict[int, list[Place]] = {}
        for number, padded_end in hits:
            width, wanted_by = asked[number]
            end = padded_end - 1
            start = end - width
            # An anchor may take in the line break after the text, which is not there to be read.
            if end > size:
                end = size
            if number in signposts:
                signs.append(end)
            for position, which in wanted_by:
                if position in places:
                    places[position].append((start, end, which))
                else:
                    places[position] = [(start, end, which)]
        for position in sorted(places):
            detector = self._detectors[position]
            try:
                _look_at_hits(detector, view, sorted(places[position]), found)
            except Exception:  # noqa: BLE001 - one broken detector must not blind the others
                failed.append(detector.name)

    def _at_numbers(
        self, view: View, areas: Areas | None, found: list[Found], failed: list[str]
    ) -> None:
        sure = sorted((one.start, one.end) for one in found if one.confidence >= _SURE)
        runs = [run for run in number_runs(view, areas) if not _within(run, sure)]
        for detector in self._for_numbers:
            look = detector.look_at_number
            if look is None:
                continue
            try:
                for run in runs:
                    found.extend(look(view, run))
            except Exception:  # noqa: BLE001 - one broken detector must not blind the others
                failed.append(detector.name)

    def _at_value(self, view: View, found: list[Found], failed: list[str]) -> None:
        for detector in self._for_values:
            look = detector.look_at_value
            if look is None:
                continue
            try:
                one = look(view)
            except Exception:  # noqa: BLE001 - one broken detector must not blind the others
                failed.append(detector.name)
                continue
            if one is not None:
                found.append(one)


def _around(rows: Iterable[Area], size: int) -> Areas:
    """The rows with what may belong to them on both sides."""
    return joined((max(0, start - OVERLAP), min(size, end + OVERLAP)) for start, end in rows)


def _look_at_hits(detector: Detector, view: View, hits: list[Place], found: list[Found]) -> None:
    if detector.look_at_hits is not None:
        found.extend(detector.look_at_hits(view, hits))
        return
    look = detector.look
    if look is None:
        return
    done = -1
    for start, end, which in hits:
        # Inside what was just found there is nothing more to find.
        if start < done:
            continue
        one = look(view, which, start, end)
        if one is not None:
            found.append(one)
            done = one.end


def _within(run: NumberRun, places: list[tuple[int, int]]) -> bool:
    """Whether a run lies inside a place that is known for something else."""
    number = bisect_right(places, (run.start, sys.maxsize)) - 1
    return number >= 0 and places[number][1] >= run.end
