"""Postal addresses: a house number and a street, with a place, a unit or words of living.

Bad: `463 Oak Ridge Road, Suite 858, Austin, TX 78701`. Good: `1600 Pennsylvania Avenue: who?`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View, near, words

_STREET = re.compile(
    r"(?<![\w.\-/#])\d{1,5}[A-Za-z]?(?: \d{1,5})?,? (?:[NSEW]\.? )?(?:(?:[A-Z]["
    r"\w'.?\-]{0,20}|\d{1,3}(?:st|nd|rd|th)) ){0,4}"
    r"(?:[A-Z][\w'?\-]{0,16}way|Broadway|Kingsway|Street|St|Avenue|Ave|Av|Road|"
    r"Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Close|Cl|"
    r"Terrace|Ter|Square|Sq|Crescent|Cres|Gardens|Grove|Hill|Mews|Row|Walk|"
    r"Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Alley|Route)\b\.?",
)
_MORE = re.compile(
    r"(?:,? ?\n? ?(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|#)\.? ?[A-Za-z0-9\-]{1,6})?"
    r"(?:,? ?\n? ?[A-Z][\w'.?\-]{1,20}(?: [A-Z][\w'.?\-]{1,20}){0,2})?"
    r"(?:,? ?\n? ?(?:[A-Z]{2} ?\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4,6}))?"
)
_PLACE = re.compile(
    r"\b[A-Z]{2} ?\d{5}|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b(?:Apt|Apartment|"
    r"Suite|Ste|Unit|Flat)\b|, \d{4,6}\b"
)
_CONTEXT = words(
    r"address|\blives? |\bliving (?:at|on)|resid(?:e|ing|ent|ence)|ship (?:to|"
    r"it)|deliver|located at|mail (?:it )?to|"
    r"moved to|office (?:is )?at|\baddr\b|home|visit|send (?:it )?to|return to|"
    r"pick ?up|\bbilling|at my place|ship to"
)
_BOX = re.compile(
    r"(?:PSC \d{3,5},? Box \d{2,5}|Unit \d{3,5},? Box \d{2,5}|"
    r"P\.? ?O\.? Box \d{1,6})(?:,?\s+(?:APO|FPO|DPO),? [A-Z]{2} \d{5})?"
)
_GERMAN = re.compile(
    r"(?<!\w)[A-Z][\w?\-]{2,24}(?:strasse|strase|str\.|weg|platz|allee|gasse|"
    r"damm|ring|ufer|laan|straat|gatan|vagen|vej|gade) ?\d{1,4} ?[a-z]?\b"
    r"(?:,? ?\n?(?:[A-Z]{1,2}-)?\d{4,5} [A-Z][\w?\-]{2,24})?"
)
_ROMANCE = re.compile(
    r"(?<!\w)(?:\d{1,4}(?: ?bis| ?ter)?,? )?(?i:rue|avenue|boulevard|chemin|"
    r"calle|avenida|via|viale|piazza|rua|plaza|paseo|corso)"
    r" (?:(?:de|du|des|la|le|l'|del|della|di|da|do|dos|"
    r"von) ?){0,3}[A-Z][\w'?\-]{1,20}(?: [A-Z][\w'?\-]{1,20}){0,3}(?:,? ?\d{1,5}"
    r")?(?:,? ?\d{4,5} [A-Z][\w?\-]{2,24})?"
)


_DIGIT = re.compile(r"\d")
_STREET_ENDS = (
    "street st avenue ave road rd boulevard blvd lane ln drive dr court ct place close terrace "
    "square crescent gardens grove mews"
).split()
_ENGLISH = (
    *(f" {end}[^a-z]" for end in _STREET_ENDS),
    *("parkway", "highway", "way,", "broadway", "kingsway"),
)
_BOXES = ("box [0-9]",)
_GERMANIC = (
    "strasse", "strase", r"str\.", "weg [0-9]", "platz", "allee", "gasse", "laan", "straat",
    "gatan", "vagen", "vej ", "gade ",
)  # fmt: skip
_ROMANIC = (
    "rue ",
    "chemin ",
    "calle ",
    "avenida ",
    "viale ",
    "piazza ",
    "rua ",
    "plaza ",
    "corso ",
    "[^a-z]via ",
)
#: Anchors that stand where an address may be.
PLACES = _ENGLISH + _BOXES + _GERMANIC + _ROMANIC
_SHAPES = (
    (_STREET,) * len(_ENGLISH)
    + (_BOX,) * len(_BOXES)
    + (_GERMAN,) * len(_GERMANIC)
    + (_ROMANCE,) * len(_ROMANIC)
)


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    text, shape = view.text, _SHAPES[which]
    low = max(0, start - 60)
    if _DIGIT.search(text, low, end + 60) is None:
        return None
    # A street begins with its house number, so only digits are tried as beginnings.
    for match in shape.finditer(text, low, end + 60):
        if match.start() <= start + 1 and match.end() >= end - 1:
            return _judge(view, shape, match)
    return None


def _judge(view: View, shape: re.Pattern[str], match: re.Match[str]) -> Found | None:
    if shape is _BOX:
        return Found("address", *match.span(), 0.9)
    end = match.end()
    if shape is _STREET:
        more = _MORE.match(view.text, end)
        end = end if more is None else more.end()
    shown = view.text[match.start() : end]
    digits = sum(character.isdigit() for character in shown)
    if digits and _PLACE.search(shown, match.end() - match.start()):
        return Found("address", match.start(), end, 0.9)
    if digits and near(view, match.start(), end, _CONTEXT, 60, 0):
        return Found("address", match.start(), end, 0.75)
    if shape is _GERMAN and digits >= 5:
        return Found("address", match.start(), end, 0.8)
    return None


DETECTOR = Detector(name="address", anchors=PLACES, look=_look)
