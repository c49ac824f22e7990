"""Counts how well findings agree with labelled texts: the figures of `fairlead privacy bench`.

A request counts as sensitive when a finding raises its level by itself; so does a labelled text.
The labels may bear our names of finding types or those that evaluation sets use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from gateway.core.findings import FINDING_TYPES, WEAK_TYPES, Finding

#: Evaluation sets' names of types that are not ours in capitals.
_NAMES = {
    "CREDIT_CARD": "payment_card",
    "SSN": "us_ssn",
    "DOB": "birth_date",
    "SECRET": "credential",
    "CONN_STRING": "connection_string",
    "CONFIDENTIAL_MARKER": "confidentiality_marker",
    "IP": "ip_address",
    "MAC": "mac_address",
    "ORG": "organization",
    "NRP": "nationality",
    "LICENSE": "driver_license",
}
SECRETS = frozenset({"credential", "password", "connection_string", "private_key"})
_NUMBERS = frozenset({"us_ssn", "national_id", "tax_id", "health_id"})
#: Types that are as good as one another where one is labelled and the other found.
_ALIKE = (SECRETS, _NUMBERS, frozenset({"address", "location"}), frozenset({"birth_date", "date"}))
#: Sets of bare values without any context, which no request is.
BARE = frozenset({"presidio_unit"})
#: Sets whose texts hold nothing sensitive, and the one among them that looks as if.
ORDINARY, LOOKALIKE = "neg_", "neg_lookalike"
#: Sets in which every name of a person is labelled.
NAMED = frozenset({"presidio_v2", "presidio_gen_large", "synth", "datafog"})


class Label(msgspec.Struct, frozen=True):
    """A labelled place, end exclusive."""

    start: int
    end: int
    type: str


class Labelled(msgspec.Struct, frozen=True):
    """A text with its labels. `tier` 2 and up: it must stay in; 1: weak items only; 0: nothing.

    `technique` tells how its item was hidden, in sets of evasions; `kind` may be `control_neg`
    there, for a text in which nothing may be found.
    """

    id: str
    source: str
    text: str
    spans: tuple[Label, ...] = ()
    tier: int = 0
    kind: str = ""
    technique: str = ""


class Share(msgspec.Struct, frozen=True):
    """So many of so many."""

    hit: int
    of: int

    @property
    def percent(self) -> float:
        """The share in percent; 0 of 0 is 0."""
        return 100 * self.hit / self.of if self.of else 0.0


class TypeFigures(msgspec.Struct, frozen=True):
    """How many labels of a type there are, and which share was found; both 0..1 where known."""

    labelled: int
    recall: float
    precision: float | None


class Figures(msgspec.Struct, frozen=True):
    """Everything that was counted; shares are of requests, but for `types`."""

    shares: dict[str, Share]
    person_f1: float | None
    types: dict[str, TypeFigures]
    evasions: dict[str, Share]


def our_type(name: str) -> str:
    """Our word for an evaluation set's type; an unknown one stays as it is, in small letters."""
    return _NAMES.get(name, name.lower())


def raises(kind: str) -> bool:
    """Whether a finding or label of this type makes a request sensitive by itself."""
    return kind in FINDING_TYPES and kind not in WEAK_TYPES


class Tally:
    """Counts texts one after another."""

    def __init__(self) -> None:
        self._shares: dict[str, list[int]] = {}
        self._evasions: dict[str, list[int]] = {}
        self._labelled: Counter[str] = Counter()
        self._found: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()
        #: Of names in sets that label every one: labelled, found, rightly and wrongly reported.
        self._names = [0, 0, 0, 0]

    def add(self, text: Labelled, findings: Sequence[Finding]) -> bool:
        """Count one text. Returns whether the answer for the whole text was right."""
        flagged = any(raises(one.type) for one in findings)
        if text.technique:
            return self._add_evasion(text, findings, flagged)
        self._add_types(text, findings)
        group = group_of(text)
        if group is None:
            return True
        _count(self._shares, group, flagged)
        if group == "secrets" and not text.source.startswith("gitleaks"):
            _count(self._shares, "secrets without gitleaks'", flagged)
        return flagged == (group not in ("ordinary", "look-alikes"))

    def figures(self) -> Figures:
        """What was counted so far."""
        types = {
            kind: TypeFigures(
                labelled=self._labelled[kind],
                recall=self._found[kind] / self._labelled[kind],
                precision=_ratio(self._right[kind], self._right[kind] + self._wrong[kind]),
            )
            for kind in sorted(self._labelled, key=lambda kind: (not raises(kind), kind))
        }
        return Figures(
            shares={name: Share(*pair) for name, pair in self._shares.items()},
            person_f1=self._person_f1(),
            types=types,
            evasions={name: Share(*pair) for name, pair in self._evasions.items()},
        )

    def _add_evasion(self, text: Labelled, findings: Sequence[Finding], flagged: bool) -> bool:
        if text.kind == "control_neg":
            _count(self._shares, "evasion controls", flagged)
            return not flagged
        strong = [one for one in findings if raises(one.type)]
        caught = flagged and (
            not text.spans or any(covered(span, strong) >= 0.5 for span in text.spans)
        )
        _count(self._shares, "evasions", caught)
        _count(self._evasions, text.technique, caught)
        return caught

    def _add_types(self, text: Labelled, findings: Sequence[Finding]) -> None:
        labels = [(span, our_type(span.type)) for span in text.spans]
        named = text.source in NAMED
        for span, kind in labels:
            found = covered(span, [one for one in findings if alike(one.type, kind)]) >= 0.5
            self._labelled[kind] += 1
            self._found[kind] += found
            if named and kind == "person":
                self._names[0] += 1
                self._names[1] += found
        if not named and not text.source.startswith(ORDINARY):
            return
        for one in findings:
            right = any(alike(one.type, kind) and _overlap(one, span) for span, kind in labels)
            (self._right if right else self._wrong)[one.type] += 1
            if named and one.type == "person":
                self._names[2 if right else 3] += 1

    def _person_f1(self) -> float | None:
        labelled, found, right, wrong = self._names
        if not found or not right:
            return None if not labelled else 0.0
        recall, precision = found / labelled, right / (right + wrong)
        return 2 * recall * precision / (recall + precision)


def group_of(text: Labelled) -> str | None:
    """Which figure a text counts for: by what it holds that is sensitive by itself."""
    if text.source in BARE:
        return "bare values" if text.tier >= 2 else None
    if text.tier == 1:
        return "names and places only"
    if text.tier < 1:
        if text.source == LOOKALIKE:
            return "look-alikes"
        return "ordinary" if text.source.startswith(ORDINARY) else None
    kinds = {kind for kind in map(our_type, (span.type for span in text.spans)) if raises(kind)}
    if kinds == {"address"}:
        return "addresses alone"
    if kinds == {"confidentiality_marker"}:
        return "markings"
    return "secrets" if kinds & SECRETS and kinds <= SECRETS | {"ip_address"} else "personal"


def alike(found: str, labelled: str) -> bool:
    """Whether a finding of one type answers a label of another."""
    return found == labelled or any(found in group and labelled in group for group in _ALIKE)


def covered(span: Label, findings: Iterable[Finding]) -> float:
    """The share of a label's characters that findings cover, 0..1."""
    reached, total = span.start, 0
    for start, end in sorted((one.start, one.end) for one in findings):
        start, end = max(start, reached), min(end, span.end)
        if end > start:
            total += end - start
            reached = end
    return total / max(1, span.end - span.start)


def _overlap(one: Finding, span: Label) -> bool:
    shared = min(one.end, span.end) - max(one.start, span.start)
    return shared >= 0.5 * min(one.end - one.start, span.end - span.start)


def _count(into: dict[str, list[int]], name: str, hit: bool) -> None:
    pair = into.setdefault(name, [0, 0])
    pair[0] += hit
    pair[1] += 1


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
