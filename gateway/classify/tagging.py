"""Asks the tagger about addresses and names, and only where cheap signs say that it can matter.

A short text is read whole, and so is a short message that may hold something. Of the rest the
surroundings of street words, of words for living or sending with digits near by, and of
identifiers that were found are read, up to a bounded share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gateway.classify.areas import Area, joined
from gateway.classify.detectors.address import PLACES
from gateway.classify.detectors.base import Found
from gateway.classify.tagger import Tagger
from gateway.classify.tagger_tokens import tokens_of

#: Anchors whose places are signs of an address in a long text.
SIGNS = (
    *PLACES,
    "address", "adresse", "direcci", "indirizzo", "endere", "anschrift", "wohn", "habit", "reside",
    r"[^a-z]lives ", "living at", "located at", "office is", r"ship to", "send to", "deliver",
    "moved to", r"[^a-z]apt[ .]", "suite [0-9]", "ulica", r"[^a-z]ul\.", "katu [0-9]", " utca",
    "zip code", "postcode", "postal", r"[a-z]{2} [0-9]{5}[^0-9]", r"[0-9]{5} [a-z]{3}",
)  # fmt: skip
#: Texts up to this length are read whole, in characters.
SHORT = 500
#: How far around a sign is read.
BEFORE, AFTER = 60, 120
_NOWHERE = -2 * BEFORE
#: The most that is read of a longer text: so much and a share of its length, in characters.
MOST, SHARE = 1_200, 1 / 200
#: The least mean probability of a span that is reported.
LEAST = {"address": 0.75, "person": 0.7}

# Findings beside which no name is to be expected.
_NOBODYS = frozenset(
    "credential private_key password connection_string confidentiality_marker ip_address "
    "mac_address crypto_wallet device_id location organization date age url postcode".split()
)
_MATTERS = re.compile(r"\d|[^\W\d_].*\b(?![a-z])[^\W\d_]", re.S)
_DIGIT = re.compile(r"\d")
# `12 Elm`, `12 34th`, `Gartenweg 4`: a number where a house has it.
_NUMBERED = re.compile(
    r"\b\d{1,5}[A-Za-z]?,? (?:[^\W\d_a-z]|\d)|\b[^\W\d_a-z][^\W\d_]{2,}\.? \d{1,5}[a-z]?\b"
)
_NAMES = re.compile(r"\b[A-Z][a-z'’\-]+ (?:[A-Z]\.? )?[A-Z]")
_WORD = re.compile(r"[^\W\d_]{3}")
# Signs of programs, sums and links stand in no address and in no name.
_NO_ADDRESS = re.compile(r"[=<≤≥{}+$€£@\\^~]")
_NO_NAME = re.compile(r"[\d=<>{}()\[\]:;/@#]")
# Where nobody lives who would not be known to: seats of government, and of tales and firms.
_PUBLIC = re.compile(
    r"(?:1600 Penn?sylvania Ave|1[01] Downing St|4 Privet D|742 Evergreen T|350 Fifth Ave|"
    r"1 Infinite L|(?:One|1) Apple Park|(?:One|1) Microsoft W|1 Hacker W|"
    r"55,? rue du Faubourg Saint|Willy-Brandt-Stra(?:ß|ss)e 1\b|Platz der Republik 1\b)",
    re.I,
)
# What stands before the second and further parts of links, paths and names in programs.
_INSIDE = frozenset("./_-@&")
_LINK = re.compile(r"://\S{0,80}$")
_BREAK = re.compile(r"\s")


def find_tagged(
    text: str,
    signs: Sequence[int],
    found: Sequence[Found],
    tagger: Tagger,
    messages: Sequence[Area] = (),
) -> list[Found]:
    """The addresses and names in a text.

    `signs` are the places of `SIGNS`, `messages` those of strings that people write; `found` is
    what the detectors saw, whose addresses and names grow where the tagger says that they reach
    further.
    """
    areas = regions(text, signs, found, messages)
    if not areas:
        return []
    tagged: list[Found] = []
    others = [one for one in found if one.type not in LEAST]
    runs = [tokens_of(text, *region) for region in areas]
    for tokens, spans in zip(runs, tagger.tag_all(runs), strict=True):
        for span in spans:
            if span.confidence < LEAST[span.type]:
                continue
            place = (tokens[span.first].start, tokens[span.end - 1].end)
            one = Found(span.type, *_beside(place, others), span.confidence)
            if _sensible(text, one):
                tagged.append(_grown(one, found))
    return tagged


def regions(
    text: str, signs: Sequence[int], found: Sequence[Found], messages: Sequence[Area] = ()
) -> list[Area]:
    """The parts of a text that are worth reading, in order and apart."""
    size = len(text)
    if size <= SHORT:
        shown = text.rstrip()
        # What has no blank in it is a key, a link or the like, which decoded passages mostly are.
        one_word = shown.isascii() and _BREAK.search(shown) is None
        return [(0, len(shown))] if not one_word and _MATTERS.search(text) is not None else []
    wanted = [(place - BEFORE, place + AFTER) for place in numbered(text, signs)]
    wanted += [(one.start - BEFORE, one.end + BEFORE) for one in found if one.type not in _NOBODYS]
    wanted += [
        (start, end)
        for start, end in messages
        if end - start <= SHORT and _MATTERS.search(text, start, end) is not None
    ]
    if not wanted:
        return []
    chosen: list[Area] = []
    left = MOST + int(size * SHARE)
    for start, end in _apart(wanted, text):
        if chosen and left <= 0:
            break
        if _DIGIT.search(text, start, end) or _NAMES.search(text, start, end):
            end = min(end, start + left)
            left -= end - start
            chosen.append((start, end))
    return chosen


def numbered(text: str, signs: Sequence[int]) -> list[int]:
    """The signs with a house's number near them, in order; little is read twice where many are."""
    near: list[int] = []
    number, reached = _NOWHERE, 0
    for place in sorted(signs):
        if number < place - BEFORE:
            low, high = max(place - BEFORE, reached), place + BEFORE
            # Near most signs there is no digit at all, which is quicker to see.
            some = _DIGIT.search(text, low, high)
            match = None if some is None else _NUMBERED.search(text, low, high)
            # A number may begin before the end of what was read, and go on behind it.
            number, reached = (_NOWHERE, place) if match is None else (match.start(), match.start())
        if number >= place - BEFORE:
            near.append(place)
    return near


def _apart(wanted: Iterable[Area], text: str) -> list[Area]:
    """Areas without overlaps, beginning and ending between words."""
    size = len(text)
    apart = []
    inside = ((max(0, low), min(size, high)) for low, high in wanted)
    for start, end in joined(inside):
        if start and not text[start - 1].isspace():
            first = _BREAK.search(text, start, min(start + BEFORE // 2, end))
            start = first.end() if first else start
        last = _BREAK.search(text, end, end + BEFORE // 2)
        apart.append((start, last.start() if last else end))
    return apart


def _beside(place: Area, others: Iterable[Found]) -> Area:
    """The longer part of a place that is left by what was found there for something else."""
    start, end = place
    for other in others:
        if other.start < end and start < other.end:
            if other.start - start >= end - other.end:
                end = other.start
            else:
                start = other.end
    return start, end


def _sensible(text: str, one: Found) -> bool:
    """Whether what was tagged can be what the tagger says."""
    shown = text[one.start : max(one.start, one.end)]
    if one.start and text[one.start - 1] in _INSIDE:
        return False
    if _LINK.search(text, max(0, one.start - 90), one.start) is not None:
        return False
    if one.type == "address":
        # Written without a blank it is a part of a link, a path or a name of a program.
        if len(shown.split()) < 2:
            return False
        wanted = _DIGIT.search(shown) is not None and _WORD.search(shown) is not None
        return wanted and _NO_ADDRESS.search(shown) is None and _PUBLIC.match(shown) is None
    if len(shown) < 2 or _NO_NAME.search(shown) is not None:
        return False
    if text[one.end : one.end + 1] in ("@", "_"):
        return False
    # Where others are written with capitals, names are too.
    return not shown.islower() or text.islower()


def _grown(one: Found, found: Sequence[Found]) -> Found:
    """The finding with those of the same type that it touches, and surer than they are."""
    start, end, confidence = one.start, one.end, one.confidence
    for other in found:
        if other.type == one.type and other.start < end and start < other.end:
            start, end = min(start, other.start), max(end, other.end)
            confidence = max(confidence, other.confidence)
    return Found(one.type, start, end, min(0.99, confidence + 0.01))
