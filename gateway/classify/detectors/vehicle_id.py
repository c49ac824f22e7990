"""Vehicle identification numbers, and number plates beside words of vehicles.

Bad: `VIN WVWPSWJG5MT738579`, `the van AB51 ABC was seen`. Good: serial numbers of other things.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View, near, whole, words

_VIN = re.compile(r"(?<![A-Za-z0-9])[A-HJ-NPR-Za-hj-npr-z0-9]{17}(?![A-Za-z0-9])")
_CONTEXT = words(r"\bvin\b|chassis|vehicle|\bcar\b|fahrgestell|frame number|fin\b")
_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_LABELLED = re.compile(
    r"(?:s|n|en|nummer|number)?(?:[ :#=\"'(]|is\b|was\b|no\b|number\b|nummer\b|"
    r"ist\b|es\b|est\b){0,8}"
    r"(?P<plate>(?=[A-Z0-9 \-]{4,12})(?=[A-Z \-]*\d)(?=[\d \-]*[A-Z])"
    r"(?:[A-Z0-9]{1,4}[ \-]?){2,3}[A-Z0-9]{1,4})(?![A-Za-z0-9])"
)
# Plates as countries write them today (GB, IN, DE, FR/IT, ES, TR, NG, NL, SE, PL, BR, US).
_PLATES = re.compile(
    r"(?<![A-Za-z0-9\-])(?:[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]\d{1,3} ?[A-Z]{3}|"
    r"[A-Z]{2}[ \-]?\d{1,2}[ \-]?[A-Z]{1,3}[ \-]?\d{4}|[A-Z]{1,3}[ \-][A-Z]{1,2} ?\d{1,4}[EH]?|"
    r"[A-Z]{2}-?\d{3}-?[A-Z]{2}|\d{4} ?[BCDFGHJKLMNPRSTVWXYZ]{3}|\d{2} ?[A-Z]{1,3} ?\d{2,5}|"
    r"[A-Z]{3}[ \-]?\d{3}[A-Z]{0,2}|[A-Z]{3}[ \-]?\d[A-Z0-9]\d{2}|\d[A-Z]{3}\d{3}|"
    r"(?:[A-Z0-9]{2}-){2}[A-Z0-9]{2}|[A-Z]{3} ?\d{4})(?![A-Za-z0-9\-])"
)
_PLATE_WORD = (
    "license plate", "licence plate", "number plate", "plate number", "registration number",
    "kennzeichen", "car reg", "immatriculation", "matricula", "targa ", "nummerplade",
    "nummerskylt", "rejestracyjn", "rendszam", "[^a-z]plate[s:]", "[^a-z]reg no", "plate no",
    "kentekenplaat", "kenteken", "numero de placa", "placa ", "plaka", "vehicle reg",
)  # fmt: skip
_VIN_WORD = ("[^a-z]vin[^a-z]", "chassis", "fahrgestell")
_VEHICLE_WORD = (
    "vehicles ", "vehicle ", "[^a-z]car[ ,]", "[^a-z]cars ", "[^a-z]van ", "[^a-z]truck ",
    "[^a-z]lorry ", "parked ", "parking ", "driving a ",
)  # fmt: skip
_ANCHORS = _VIN_WORD + _PLATE_WORD + _VEHICLE_WORD
_PLATES_FROM = len(_VIN_WORD)
_VEHICLES_FROM = _PLATES_FROM + len(_PLATE_WORD)


def check_digit(vin: str) -> bool:
    """Whether the ninth character checks the others (49 CFR 565)."""
    total = sum(
        weight * (int(character) if character.isdigit() else _VALUES[character])
        for character, weight in zip(vin.upper(), _WEIGHTS, strict=True)
    )
    return "0123456789X"[total % 11] == vin[8].upper()


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    if which >= _VEHICLES_FROM:
        return _seen(view, end)
    if which >= _PLATES_FROM:
        match = _LABELLED.match(view.text, end - (not view.text[end - 1].isalnum()))
        return Found("vehicle_id", *match.span("plate"), 0.8) if match else _seen(view, end)
    match = _VIN.search(view.text, max(0, start), end + 48)
    if match is None:
        return None
    vin = match.group()
    digits = sum(c.isdigit() for c in vin)
    if digits < 3 or digits > 14:
        return None
    if check_digit(vin) or near(view, *match.span(), _CONTEXT, 32, 0):
        return Found("vehicle_id", *match.span(), 0.95)
    return None


def _seen(view: View, end: int) -> Found | None:
    match = _PLATES.search(view.text, end - 1, end + 40)
    return None if match is None else Found("vehicle_id", *match.span(), 0.7)


def _bare(view: View) -> Found | None:
    match = whole(view, _PLATES)
    return None if match is None else Found("vehicle_id", *match.span(), 0.6)


DETECTOR = Detector(name="vehicle_id", anchors=_ANCHORS, look=_look, look_at_value=_bare)
