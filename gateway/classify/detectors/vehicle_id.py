"""Vehicle identification numbers, and number plates beside words that say so.

Bad: `VIN WVWPSWJG5MT738579`. Good: serial numbers of other things.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View, near

_VIN = re.compile(r"(?<![A-Za-z0-9])[A-HJ-NPR-Za-hj-npr-z0-9]{17}(?![A-Za-z0-9])")
_CONTEXT = re.compile(r"\bvin\b|chassis|vehicle|\bcar\b|fahrgestell|frame number|fin\b")
_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_PLATE = re.compile(
    r"[ :#is]{0,16}(?P<plate>(?=[A-Z0-9 \-]{4,12})(?=[A-Z \-]*\d)(?:[A-Z0-9]{1,4"
    r"}[ \-]?){2,3}[A-Z0-9]{1,4})(?![A-Za-z0-9])"
)


def check_digit(vin: str) -> bool:
    """Whether the ninth character checks the others (49 CFR 565)."""
    total = sum(
        weight * (int(character) if character.isdigit() else _VALUES[character])
        for character, weight in zip(vin.upper(), _WEIGHTS, strict=True)
    )
    return "0123456789X"[total % 11] == vin[8].upper()


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    if which > 1:
        return _plate(view, end)
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


def _plate(view: View, end: int) -> Found | None:
    match = _PLATE.match(view.text, end)
    if match is None or sum(c.isalpha() for c in match.group("plate")) == 0:
        return None
    return Found("vehicle_id", match.start("plate"), match.end("plate"), 0.8)


DETECTOR = Detector(
    name="vehicle_id",
    anchors=(
        "[^a-z]vin[^a-z]",
        "chassis",
        "license plate",
        "licence plate",
        "number plate",
        "plate number",
        "registration number",
        "kennzeichen",
        "car reg",
    ),
    look=_look,
)
