"""Identifiers without a shape of their own, told by the words beside them.

Bad: `passport number K5PXGG8G2`, `AAA123456 es mi pasaporte`. Good: `passport requirements 2024`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from gateway.classify.detectors.base import Detector, Found, View
from gateway.classify.detectors.labelled_id_words import ROWS


class Label(msgspec.Struct, frozen=True):
    """A word, the type of what it labels, the value's shape, and a check of the bare value."""

    word: str
    type: str
    shape: str
    accept: Callable[[str], bool]
    #: Whether the word stands only between non-letters (short words).
    bounded: bool


def aba(number: str) -> bool:
    """Whether nine digits are a US routing number (weights 3, 7, 1 sum to a multiple of ten)."""
    if len(number) != 9 or number[0] > "3":
        return False
    weights = (3, 7, 1, 3, 7, 1, 3, 7, 1)
    return sum(w * int(d) for w, d in zip(weights, number, strict=True)) % 10 == 0


_UNPRONOUNCEABLE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{5}")


def _routing(value: str) -> bool:
    return aba(value.replace("-", ""))


def _document(value: str) -> bool:
    digits = sum(character.isdigit() for character in value)
    if digits >= 3 or (digits >= 1 and value.isupper() and len(value) >= 8):
        return True
    # Nine capitals that are no word: newer passports mix letters and digits at random.
    return len(value) == 9 and _UNPRONOUNCEABLE.search(value) is not None


def _five_digits(value: str) -> bool:
    return sum(character.isdigit() for character in value) >= 5


def _six_digits(value: str) -> bool:
    return sum(character.isdigit() for character in value) >= 6


def _serial(value: str) -> bool:
    digits = sum(character.isdigit() for character in value)
    return digits >= 3 and len(value) >= 8


def _digit(value: str) -> bool:
    return any(character.isdigit() for character in value)


#: The checks that rows name.
CHECKS: dict[str, Callable[[str], bool]] = {
    "": _digit,
    "document": _document,
    "five": _five_digits,
    "six": _six_digits,
    "aba": _routing,
    "serial": _serial,
}

_LABELS: tuple[Label, ...] = tuple(
    Label(word.lstrip("="), kind, shape, CHECKS[check], word.startswith("="))
    for kind, shape, check, words in ROWS
    for word in words.split(";")
)

# Words that may stand between a label and its value, in the languages of the labels.
_FILLER = (
    r"number|num|no|nr|n|nummer|numero|numer|numar|numarasi|numara|cislo|szama?|"
    r"broj|stevilka|nomor|"
    r"so|id|card|code|kod|codigo|of|is|was|ist|es|est|e|ar|er|on|jest|je|este|are|my|the|in|with|"
    r"ending|on|file|and|expir[a-z]{0,6}|ident[a-z]{0,12}|de|del|della|di|da|do|du|des|lautet|"
    r"val(?:ue|or|ore)|wert|licence|license|document[oe]?|for|to|as|like|me|us|uk|eu"
)
_BETWEEN = re.compile(
    rf"[a-z]{{0,12}}+(?:[ _\-]{{0,2}}(?:(?:{_FILLER})(?![a-z0-9])|[#:=?]|"
    rf"\([a-z .]{{2,16}}\))[.:#]?)"
    r"{0,6}+[\"']?[ \t:=#\-(\"'>|]{0,8}",
    re.IGNORECASE,
)
# The other way round: the value, then "is my passport". What the words are is asked afterwards.
_AFTERWARDS = r"[\"')]{0,2}(?:,| \(| -)? ?(?P<words>(?:[A-Za-z]{1,7} ){1,5})$"
_LEADING = frozenset(
    "is was as for es ist est e ar er the my his her their our your a an mi su mein meine mon ma "
    "mio mia minha meu min mijn el la le il number numero nummer numer de del di du do valid us "
    "uk".split()
)
#: Types that may be named after their value; the rest are too common in other sentences.
_NAMED_AFTER = frozenset({"passport", "driver_license", "national_id", "tax_id", "health_id"})


class Compiled(msgspec.Struct, frozen=True):
    """The expressions of a shape: a value after its label, in capitals or not, and before it."""

    capitals: re.Pattern[str]
    either: re.Pattern[str]
    before: re.Pattern[str]


def _compiled(shape: str) -> Compiled:
    after = rf"(?P<value>{shape})(?![A-Za-z0-9])"
    before = rf"(?<![A-Za-z0-9])(?P<value>(?i:{shape})){_AFTERWARDS}"
    return Compiled(re.compile(after), re.compile(after, re.IGNORECASE), re.compile(before))


# All of them now (60 ms), so that no request has to wait for its own.
_COMPILED = {shape: _compiled(shape) for shape in {label.shape for label in _LABELS}}


_VALUE = re.compile(r"\d|[A-Z]{9}")


def _anchor(label: Label) -> str:
    word = re.escape(label.word).replace(r"\ ", " ")
    return f"[^a-z]{word}[^a-z]" if label.bounded else word


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    label, text = _LABELS[which], view.text
    if label.bounded:
        start, end = start + 1, end - 1
    # Without a digit near the label, and no row of capitals, there is nothing to try.
    after = _VALUE.search(text, end, end + 96) is not None
    if not after and _VALUE.search(text, max(0, start - 64), start) is None:
        return None
    between = _BETWEEN.match(text, end)
    begin = end if between is None else between.end()
    shape = _COMPILED[label.shape]
    # Capitals are tried first, so that a word after the label is not taken for its value.
    match = shape.capitals.match(text, begin) or shape.either.match(text, begin)
    if match is not None and label.accept(match.group("value")):
        return Found(label.type, match.start("value"), match.end("value"), 0.9)
    if label.type not in _NAMED_AFTER:
        return None
    match = shape.before.search(text, max(0, start - 64), start)
    if match is None or not _LEADING.issuperset(match.group("words").lower().split()):
        return None
    if not label.accept(match.group("value")):
        return None
    return Found(label.type, match.start("value"), match.end("value"), 0.8)


DETECTOR = Detector(
    name="labelled_id", anchors=tuple(_anchor(label) for label in _LABELS), look=_look
)
