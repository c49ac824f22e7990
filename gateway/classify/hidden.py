"""Reads a text in every way that its writer may have meant, and gathers the findings.

The text as it shows itself is read first. Where the engine saw signs of a disguise, the
rewritten text is read too, and encoded passages are decoded and read in turn, to a bounded
depth. Places are always those of the text that was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from gateway.classify.decoding import passages
from gateway.classify.detection import Detection, Scanner
from gateway.classify.detectors.base import Found, View
from gateway.classify.disguises import DISGUISES, replacements
from gateway.classify.eastern_addresses import find_eastern
from gateway.classify.fingerprints import FingerprintIndex
from gateway.classify.folding import Folding
from gateway.classify.offsets import OffsetMap, Replacement, rewrite
from gateway.classify.overlaps import PASSAGES
from gateway.classify.own_detectors import OwnDetectors
from gateway.classify.scripts import NOWHERE, Places, Scripts, other_scripts
from gateway.classify.tables import cells
from gateway.classify.tagger import Tagger
from gateway.classify.tagging import find_tagged

#: How many disguises inside one another are undone.
DEEPEST = 3

#: How much of the text around a disguise is read again with it, in characters.
AROUND = 200
#: What stands for text that is not read again: more line breaks than any detector skips.
GAP = "\n\n\n\n"

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROT13 = str.maketrans(
    _LETTERS + _LETTERS.upper(),
    _LETTERS[13:] + _LETTERS[:13] + _LETTERS[13:].upper() + _LETTERS[:13].upper(),
)
_ROT47 = {code: 33 + (code + 14) % 94 for code in range(33, 127)}
_DISGUISE_NAMES = frozenset(disguise.name for disguise in DISGUISES)


class Readers(msgspec.Struct, frozen=True):
    """What a text is read with."""

    folding: Folding
    scripts: Scripts
    scanner: Scanner
    tagger: Tagger
    fingerprints: FingerprintIndex | None = None
    own: OwnDetectors | None = None


class Reading:
    """One text being read; collects findings and the names of detectors that failed."""

    def __init__(self, readers: Readers) -> None:
        self._folding = readers.folding
        self._scripts = readers.scripts
        self._scanner = readers.scanner
        self._tagger = readers.tagger
        self._fingerprints = readers.fingerprints
        self._own = readers.own
        self.failed: set[str] = set()

    def read(
        self, text: str, depth: int = 0, messages: Sequence[tuple[int, int]] | None = None
    ) -> list[Found]:
        """What is in a text, with places in it.

        Names and addresses are looked for where `messages` tell what in it people wrote.
        """
        view, offsets = self._folding.view(text)
        others = NOWHERE if text.isascii() else other_scripts(text)
        # Other scripts tell something, too; what cannot be seen does not.
        seen = text if offsets is None else self._folding.visible(text)
        detection = self._scanner.scan(view)
        self.failed.update(detection.failed)
        found = list(detection.found)
        if self._own is not None:
            found.extend(self._own.find(seen, view))
        if messages is not None:
            if offsets is not None:
                messages = [(offsets.new_place(a), offsets.new_place(b)) for a, b in messages]
            found.extend(self._tagged(seen, detection, messages))
            if len(others):
                found.extend(find_eastern(seen))
            if self._fingerprints is not None:
                found.extend(self._fingerprints.find(seen))
        if depth < DEEPEST:
            disguises = detection.gates & _DISGUISE_NAMES
            if "table" in detection.gates:
                found.extend(self._written_out(view, detection))
            if disguises:
                found.extend(self._rewritten(view, disguises, detection, depth))
            found.extend(self._decoded(view, detection, depth))
            if "reversed" in detection.gates:
                found.extend(self._mirrored(view))
            if "rotated" in detection.gates:
                for turned in (_ROT13, _ROT47):
                    found.extend(self.read(view.text.translate(turned), DEEPEST))
            if "key_lines" in detection.gates:
                found.extend(_bare_keys(view, detection.area("key_lines", len(view.text))))
        if offsets is not None:
            found = [_placed(one, offsets) for one in found]
        if depth < DEEPEST and len(others):
            found.extend(self._translated(text, others, depth))
        return found

    def _tagged(
        self, text: str, detection: Detection, messages: Sequence[tuple[int, int]]
    ) -> list[Found]:
        try:
            # What a passage is about is no sign of a name in it.
            found = [one for one in detection.found if one.type not in PASSAGES]
            return find_tagged(text, detection.signs, found, self._tagger, messages)
        except Exception:  # noqa: BLE001 - what was not looked for must count as restricted
            self.failed.add("tagger")
            return []

    def _translated(self, text: str, others: Places, depth: int) -> list[Found]:
        changes = self._scripts.replacements(text, others)
        if not changes:
            return []
        meant, offsets = rewrite(text, _only_around(changes, len(text)))
        return [_placed(one, offsets) for one in self.read(meant, depth + 1)]

    def _rewritten(
        self, view: View, disguises: frozenset[str], detection: Detection, depth: int
    ) -> list[Found]:
        size = len(view.text)
        changes = replacements(view.text, disguises, lambda gate: detection.area(gate, size))
        if not changes:
            return []
        text, offsets = rewrite(view.text, _only_around(changes, len(view.text)))
        return [_placed(one, offsets) for one in self.read(text, depth + 1)]

    def _written_out(self, view: View, detection: Detection) -> list[Found]:
        changes = cells(view.text, detection.area("table", len(view.text)))
        if not changes:
            return []
        text, offsets = rewrite(view.text, _only_around(changes, len(view.text)))
        return [_placed(one, offsets) for one in self.read(text, DEEPEST)]

    def _mirrored(self, view: View) -> list[Found]:
        size = len(view.text)
        return [
            Found(one.type, size - one.end, size - one.start, one.confidence * 0.9)
            for one in self.read(view.text[::-1], DEEPEST)
        ]

    def _decoded(self, view: View, detection: Detection, depth: int) -> list[Found]:
        found, size = [], len(view.text)
        for passage in passages(
            view.text,
            detection.spacing,
            detection.gates,
            lambda gate: detection.area(gate, size),
        ):
            if passage.unread:
                self.failed.add("attachment")
            for one in self.read(passage.text, depth + 1, ()):
                found.append(Found(one.type, passage.start, passage.end, one.confidence * 0.95))
        return found


def _only_around(changes: list[Replacement], size: int) -> list[Replacement]:
    """The changes, and in the place of the text far from them a gap that nothing reaches over."""
    narrowed: list[Replacement] = []
    reached = 0
    for change in changes:
        start, end, _ = change
        if start - AROUND > reached:
            narrowed.append((reached, start - AROUND, GAP))
        narrowed.append(change)
        reached = min(end + AROUND, size)
    if reached < size:
        narrowed.append((reached, size, GAP))
    return narrowed


# Three or more full lines of base64 beside a word for a key: key material without its header.
_BARE_KEY = re.compile(
    r"(?:^|\n)[ \t]*((?:[A-Za-z0-9+/]{60,76}\r?\n[ \t]*){3,}[A-Za-z0-9+/=]{0,76})", re.M
)
_KEY_WORDS = re.compile(r"\bkey\b|\bpem\b|\brsa\b|\bssh\b|private")
_PUBLIC_WORDS = re.compile(r"public|certificate|signature|attachment|image")


def _bare_keys(view: View, areas: Iterable[tuple[int, int]]) -> list[Found]:
    found = []
    for match in chain.from_iterable(_BARE_KEY.finditer(view.text, *area) for area in areas):
        lead = view.lower[max(0, match.start() - 80) : match.start()]
        if _KEY_WORDS.search(lead) is not None and _PUBLIC_WORDS.search(lead) is None:
            found.append(Found("private_key", *match.span(1), 0.7))
    return found


def _placed(one: Found, offsets: OffsetMap) -> Found:
    start, end = offsets.span(one.start, one.end)
    return Found(one.type, start, end, one.confidence)


def find_everywhere(
    text: str, readers: Readers, messages: Sequence[tuple[int, int]] = ()
) -> tuple[list[Found], tuple[str, ...]]:
    """What is found in a text, with places in that text, and who failed.

    `messages` are the places of the strings in it that people or tools wrote.
    """
    reading = Reading(readers)
    found = reading.read(text, messages=messages)
    return found, tuple(sorted(reading.failed))
