"""International bank account numbers: country, its length, and the mod-97 check.

Bad: `Refund to NL41 HAHN 3468 7415 11`. Good: `How do I validate an IBAN in Java?`.
"""

from __future__ import annotations

import re

from stdnum import iban

from gateway.classify.detectors.base import Detector, Found, View

# Lengths by country from the IBAN registry (SWIFT, release 99).
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
    "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
    "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip

_BODY = re.compile(r"[A-Za-z0-9](?:[ \-.\t\n/_]{0,2}[A-Za-z0-9]){13,33}")
_SEPARATORS = str.maketrans("", "", " -.\t\n/_")


def valid(number: str) -> bool:
    """Whether upper-case letters and digits form an IBAN (ISO 13616: mod 97 is 1)."""
    moved = number[4:] + number[:4]
    return int("".join([str(int(character, 36)) for character in moved])) % 97 == 1


def _look(view: View, _which: int, start: int, _end: int) -> Found | None:
    text = view.text
    if start > 0 and text[start - 1].isalnum():
        return None
    head = text[start : start + 4].translate(_SEPARATORS)[:2].upper()
    length = _LENGTHS.get(head)
    if length is None:
        return None
    body = _BODY.match(text, start, start + 3 * length)
    if body is None:
        return None
    number = body.group().translate(_SEPARATORS)
    if len(number) < length or not valid(number[:length].upper()):
        return None
    # One string in 97 passes the check; the country's own layout of letters and digits decides.
    if not iban.is_valid(number[:length], check_country=False):
        return None
    end = _place(text, start, length)
    if end < len(text) and text[end].isalnum():
        return None
    return Found("iban", start, end, 0.99)


def _place(text: str, start: int, length: int) -> int:
    position, seen = start, 0
    while seen < length:
        seen += text[position].isalnum()
        position += 1
    return position


DETECTOR = Detector(
    name="iban",
    anchors=(r"[a-z]{2}[0-9]{2}", r"[a-z] [a-z] [0-9] [0-9]", r"[a-z]{2}[ \-][0-9]{2}"),
    look=_look,
)
