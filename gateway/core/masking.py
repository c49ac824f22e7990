"""Replaces what was found by typed placeholders, such as `[EMAIL-KXQWZP]`, before anything is sent.

Rules of this file:
- a placeholder is a keyed digest of the value, so the same value has the same one in every turn of
  a conversation, nobody without the key can tell the value or guess a placeholder, and nothing
  need be stored: each request holds all that its answer is restored from;
- a value is replaced wherever it stands, also where no detector recognised it;
- no placeholder is a text that the request already holds;
- where policy wants it realistic, a placeholder is a fake of its type; where there is none, or none
  that is free, it is an ordinary one.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec

from gateway.core.digests import keyed_digest
from gateway.core.fakes import fake
from gateway.core.findings import Finding
from gateway.core.request import Segment

#: Letters of which no word is made, and no digits, which could look like a number of something.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
#: 20^6: two values of one request share a code once in millions, and then one gets another.
_CODE_LENGTH = 6
#: Shorter values are replaced where they were found, and not looked for elsewhere.
_SHORTEST_SOUGHT = 5
#: Fakes that are tried before a value gets an ordinary placeholder; some ranges are small.
_FAKES_TRIED = 32


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request becomes, and what its answer is restored from.

    `hidden` are the new texts of strings by JSON pointer, and `values` the hidden values by
    placeholder. `places` tells by number of segment where placeholders stand in its new text
    (code-point offsets, end exclusive). A finding in a key of an object cannot be replaced without
    changing what the request means, so it stays in `missed`, and a request with missed findings
    must not be sent.
    """

    hidden: Mapping[str, str]
    values: Mapping[str, str] = {}
    places: Mapping[int, tuple[tuple[int, int], ...]] = {}
    missed: tuple[Finding, ...] = ()


def mask(
    segments: Sequence[Segment],
    findings: Iterable[Finding],
    types: Collection[str],
    key: bytes,
    realistic: Collection[str] = (),
) -> Masked:
    """Mask every finding of the given types, and every other place where its text stands.

    Overlapping findings are replaced as one, named after the one that begins first. `key` is the
    secret of the conversation: equal values get equal placeholders under equal keys only. Values
    of `realistic` types become fakes where there are some.
    """
    by_segment: dict[int, list[Finding]] = {}
    missed = []
    for finding in findings:
        if finding.type not in types:
            continue
        if segments[finding.segment].kind == "key":
            missed.append(finding)
        else:
            by_segment.setdefault(finding.segment, []).append(finding)
    spans = {index: _merged(found) for index, found in by_segment.items()}
    names = _Names(key, segments, realistic)
    for index in sorted(spans):
        for start, stop, kind in spans[index]:
            names.name(segments[index].text[start:stop], kind)
    sought = names.sought()
    hidden, places = {}, {}
    for index, segment in enumerate(segments):
        if segment.kind == "key":
            continue
        there = spans.get(index, [])
        if sought is not None:
            there = _with_others(segment.text, there, sought)
        if there:
            hidden[segment.pointer], places[index] = _replaced(segment.text, there, names)
    return Masked(hidden=hidden, values=names.values, places=places, missed=tuple(missed))


def conversation_key(secret: bytes, *belonging: str) -> bytes:
    """The key of one conversation of one principal, from the gateway's secret.

    `belonging` says whose and which conversation it is, each part whole; others never share it.
    """
    return keyed_digest(secret, "mask", *belonging)


class _Names:
    """Gives each value its placeholder; `values` are the values by placeholder."""

    def __init__(self, key: bytes, segments: Sequence[Segment], realistic: Collection[str]) -> None:
        self.values: dict[str, str] = {}
        self._key = key
        self._realistic = realistic
        self._given: dict[str, str] = {}
        self._said = "\0".join(segment.text for segment in segments).upper()

    def name(self, value: str, kind: str) -> str:
        """The value's placeholder; of several kinds the first one counts."""
        if value not in self._given:
            chosen = self._fake(value, kind) if kind in self._realistic else None
            if chosen is None:
                chosen = self._placeholder(value, kind)
            self._given[value] = chosen
            self.values[chosen] = value
        return self._given[value]

    def sought(self) -> re.Pattern[str] | None:
        """What finds the values elsewhere, whole words only; None where none is long enough."""
        found = sorted((one for one in self._given if len(one) >= _SHORTEST_SOUGHT), key=len)
        if not found:
            return None
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, reversed(found)))})(?!\w)")

    def _placeholder(self, value: str, kind: str) -> str:
        word = kind.upper().replace("_", "-")
        number = 0
        while (code := f"{word}-{self._code(kind, value, number)}") in self._said or (
            f"[{code}]" in self.values
        ):
            number += 1
        return f"[{code}]"

    def _fake(self, value: str, kind: str) -> str | None:
        for number in range(_FAKES_TRIED):
            made = fake(kind, value, int.from_bytes(self._digest(kind, value, number), "big"))
            if made is None:
                return None
            if made.upper() not in self._said and made not in self.values:
                return made
        return None

    def _digest(self, kind: str, value: str, number: int) -> bytes:
        told = f"{kind}\0{number}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, told, sha256)

    def _code(self, kind: str, value: str, number: int) -> str:
        left = int.from_bytes(self._digest(kind, value, number)[:8], "big")
        letters = []
        for _ in range(_CODE_LENGTH):
            left, place = divmod(left, len(_LETTERS))
            letters.append(_LETTERS[place])
        return "".join(letters)


def _replaced(
    text: str, spans: list[tuple[int, int, str]], names: _Names
) -> tuple[str, tuple[tuple[int, int], ...]]:
    pieces: list[str] = []
    places = []
    end = length = 0
    for start, stop, kind in spans:
        placeholder = names.name(text[start:stop], kind)
        length += start - end
        places.append((length, length + len(placeholder)))
        length += len(placeholder)
        pieces += [text[end:start], placeholder]
        end = stop
    return "".join([*pieces, text[end:]]), tuple(places)


def _with_others(
    text: str, spans: list[tuple[int, int, str]], sought: re.Pattern[str]
) -> list[tuple[int, int, str]]:
    """The spans and, between them, wherever else a hidden value stands."""
    others = [
        (found.start(), found.end(), "")
        for found in sought.finditer(text)
        if not any(found.start() < stop and start < found.end() for start, stop, _ in spans)
    ]
    return sorted([*spans, *others])


def _merged(findings: list[Finding]) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, str]] = []
    for finding in sorted(findings, key=lambda one: (one.start, -one.end)):
        if spans and finding.start < spans[-1][1]:
            start, stop, kind = spans[-1]
            spans[-1] = (start, max(stop, finding.end), kind)
        else:
            spans.append((finding.start, finding.end, finding.type))
    return spans
