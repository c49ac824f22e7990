"""Finds the anchors of all detectors in one pass; two engines with the same answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

try:
    import hyperscan
except ImportError:  # the wheel exists for Linux only
    hyperscan = None  # type: ignore[assignment]

import re2


class Anchor(msgspec.Struct, frozen=True):
    """A pattern and its length in characters; 0 marks a gate.

    Anchors are of one fixed length, so that all engines report the same places. A gate may be
    any regular expression: only whether it occurs is reported, once, at no place in particular.
    """

    pattern: str
    width: int


#: Anchor number and end offset of one hit.
Hit = tuple[int, int]


class Engine(Protocol):
    """Looks for anchors and gates in ASCII bytes."""

    name: str

    def hits(self, shadow: bytes) -> list[Hit]:
        """Every place where an anchor ends, ordered by anchor and then by place."""
        ...

    def gates(self, shadow: bytes) -> list[int]:
        """The numbers of the gates that open, in order."""
        ...


class InvalidAnchor(ValueError):
    """An anchor is not of one fixed length, so the engines could disagree about it."""


def search_set(patterns: Iterable[str], *, case_sensitive: bool = True) -> re2.Set:
    """A set that says which of the patterns occur in a text, by their numbers.

    google-re2 reads a text once however many patterns there are, where `re` tries each of them at
    each place; its set is the one of its ways to ask that does not make matches as well.
    """
    options = re2.Options()
    options.case_sensitive = case_sensitive
    made = re2.Set.SearchSet(options)
    for pattern in patterns:
        made.Add(pattern)
    made.Compile()
    return made


def measure(pattern: str) -> Anchor:
    """Check an anchor and note its length.

    Raises:
        InvalidAnchor: the pattern is empty or can match strings of different lengths.
    """
    # The parser behind `re` is the one authority on how long a match can be.
    low, high = re._parser.parse(pattern).getwidth()  # type: ignore[attr-defined]
    if low != high or low == 0:
        raise InvalidAnchor(f"anchor {pattern!r} must have one fixed length, not {low}..{high}")
    return Anchor(pattern, low)


#: What detectors put on both sides of a word that is to stand by itself.
EDGE = "[^a-z0-9]"
#: Everything but letters and digits becomes a blank.
_BLANKED = bytes(code if chr(code).isalnum() and code < 0x80 else ord(" ") for code in range(256))


class HyperscanEngine:
    """Vectorscan in block mode. Not for use by two threads at once (one scratch space).

    Anchors and gates have a database each: together they would become larger automata, and
    looking for both at once takes longer than looking for one after the other. So have words
    between edges: with a blank for every sign in the text they are plain strings, which take a
    sixth of the time.
    """

    name = "hyperscan"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        wanted: dict[str, list[tuple[int, str]]] = {"anchors": [], "words": [], "gates": []}
        for number, anchor in enumerate(anchors):
            word = anchor.pattern.removeprefix(EDGE).removesuffix(EDGE)
            if not anchor.width:
                wanted["gates"].append((number, anchor.pattern))
            elif word.isalnum() and anchor.pattern == f"{EDGE}{word}{EDGE}":
                wanted["words"].append((number, f" {word} "))
            else:
                wanted["anchors"].append((number, anchor.pattern))
        self._anchors, self._words = _compiled(wanted["anchors"]), _compiled(wanted["words"])
        self._gates = _compiled(wanted["gates"], hyperscan.HS_FLAG_SINGLEMATCH)

    def hits(self, shadow: bytes) -> list[Hit]:
        """Every place where an anchor ends, ordered by anchor and then by place."""
        hits: list[Hit] = []
        append = hits.append

        def take(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append((number, end))

        if self._anchors is not None:
            self._anchors.scan(shadow, match_event_handler=take)
        if self._words is not None:
            self._words.scan(shadow.translate(_BLANKED), match_event_handler=take)
        hits.sort()
        return hits

    def gates(self, shadow: bytes) -> list[int]:
        """The numbers of the gates that open, in order."""
        numbers: list[int] = []
        append = numbers.append

        def note(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            append(number)

        if self._gates is not None:
            self._gates.scan(shadow, match_event_handler=note)
        numbers.sort()
        return numbers


class FallbackEngine:
    """google-re2 says which anchors occur, `re` says where."""

    name = "re2"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        numbers = range(len(anchors))
        self._anchors = [number for number in numbers if anchors[number].width]
        self._gates = [number for number in numbers if not anchors[number].width]
        self._some_anchor, self._some_gate = (
            search_set((anchors[number].pattern for number in asked), case_sensitive=False)
            for asked in (self._anchors, self._gates)
        )
        # A look-ahead reports overlapping places too, as Hyperscan does.
        self._places = [
            (re.compile(f"(?={anchors[number].pattern})", re.I | re.A), anchors[number].width)
            for number in self._anchors
        ]

    def hits(self, shadow: bytes) -> list[Hit]:
        """Every place where an anchor ends, ordered by anchor and then by place."""
        text = shadow.decode("ascii")
        hits: list[Hit] = []
        for which in sorted(self._some_anchor.Match(text) or ()):
            places, width = self._places[which]
            number = self._anchors[which]
            hits.extend((number, match.start() + width) for match in places.finditer(text))
        return hits

    def gates(self, shadow: bytes) -> list[int]:
        """The numbers of the gates that open, in order."""
        return [
            self._gates[which] for which in sorted(self._some_gate.Match(shadow.decode()) or ())
        ]


def open_engine(engine: str, anchors: Sequence[Anchor]) -> Engine:
    """Build the engine that is asked for: "hyperscan", "re2", or "auto" for the best there is.

    Compiling the anchors takes about a second.

    Raises:
        ValueError: no engine of that name.
        RuntimeError: Hyperscan was asked for and is not installed.
    """
    if engine not in ("auto", "hyperscan", "re2"):
        raise ValueError(f"'{engine}' is not an engine; use one of: auto, hyperscan, re2")
    if engine == "re2" or (engine == "auto" and hyperscan is None):
        return FallbackEngine(anchors)
    if hyperscan is None:
        raise RuntimeError("hyperscan is not installed; use the re2 engine")
    return HyperscanEngine(anchors)


def _compiled(numbered: Sequence[tuple[int, str]], flag: int = 0) -> hyperscan.Database | None:
    if not numbered:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern.encode() for _, pattern in numbered],
        ids=[number for number, _ in numbered],
        elements=len(numbered),
        flags=[hyperscan.HS_FLAG_CASELESS | flag] * len(numbered),
    )
    return database
