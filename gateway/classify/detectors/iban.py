"""International bank account numbers: country, its length, and the mod-97 check.

Bad: `Refund to NL41 HAHN 3468 7415 11`. Good: `How do I validate an IBAN in Java?`.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

# What follows country and check digits, by country: n digits, a letters, c either (IBAN registry,
# SWIFT, release 99; compared with python-stdnum's copy in the tests).
STRUCTURES = {
    "AD": "8n12c", "AE": "19n", "AL": "8n16c", "AT": "16n", "AZ": "4a20c", "BA": "16n",
    "BE": "12n", "BG": "4a6n8c", "BH": "4a14c", "BI": "23n", "BR": "23n1a1c", "BY": "4c4n16c",
    "CH": "5n12c", "CR": "18n", "CY": "8n16c", "CZ": "20n", "DE": "18n", "DJ": "23n", "DK": "14n",
    "DO": "4c20n", "EE": "16n", "EG": "25n", "ES": "20n", "FI": "14n", "FK": "2a12n", "FO": "14n",
    "FR": "10n11c2n", "GB": "4a14n", "GE": "2a16n", "GI": "4a15c", "GL": "14n", "GR": "7n16c",
    "GT": "24c", "HN": "4a20n", "HR": "17n", "HU": "24n", "IE": "4a14n", "IL": "19n",
    "IQ": "4a15n", "IS": "22n", "IT": "1a10n12c", "JO": "4a4n18c", "KW": "4a22c", "KZ": "3n13c",
    "LB": "4n20c", "LC": "4a24c", "LI": "5n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c",
    "LY": "21n", "MC": "10n11c2n", "MD": "20c", "ME": "18n", "MK": "3n10c2n", "MN": "16n",
    "MR": "23n", "MT": "4a5n18c", "MU": "4a19n3a", "NI": "4a20n", "NL": "4a10n", "NO": "11n",
    "OM": "3n16c", "PK": "4a16c", "PL": "24n", "PS": "4a21c", "PT": "21n", "QA": "4a21c",
    "RO": "4a16c", "RS": "18n", "RU": "14n15c", "SA": "2n18c", "SC": "4a20n3a", "SD": "14n",
    "SE": "20n", "SI": "15n", "SK": "20n", "SM": "1a10n12c", "SO": "19n", "ST": "21n",
    "SV": "4a20n", "TL": "19n", "TN": "20n", "TR": "6n16c", "UA": "6n19c", "VA": "18n",
    "VG": "4a16n", "XK": "16n", "YE": "4a4n18c",
}  # fmt: skip
_KINDS = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_PART = re.compile(r"(\d+)([nac])")


def _layout(structure: str) -> tuple[int, re.Pattern[str]]:
    parts = _PART.findall(structure)
    length = 4 + sum(int(count) for count, _ in parts)
    return length, re.compile("[A-Z]{2}[0-9]{2}" + "".join(f"{_KINDS[k]}{{{n}}}" for n, k in parts))


_LAYOUTS = {country: _layout(structure) for country, structure in STRUCTURES.items()}

_BODY = re.compile(r"[A-Za-z0-9](?:[ \-.\t\n/_]{0,2}[A-Za-z0-9]){13,33}")
_SEPARATORS = str.maketrans("", "", " -.\t\n/_")


_VALUES = {chr(code): str(code - 55) for code in range(65, 91)}
_AS_DIGITS = str.maketrans(_VALUES)


def valid(number: str) -> bool:
    """Whether capitals and digits form an IBAN: its country's layout, and mod 97 (ISO 13616)."""
    layout = _LAYOUTS.get(number[:2])
    if layout is None or layout[1].fullmatch(number) is None:
        return False
    return int((number[4:] + number[:4]).translate(_AS_DIGITS)) % 97 == 1


def _look(view: View, _which: int, start: int, _end: int) -> Found | None:
    text = view.text
    start += 1
    head = text[start : start + 2].upper()
    if head not in _LAYOUTS:
        head = text[start : start + 4].translate(_SEPARATORS)[:2].upper()
    layout = _LAYOUTS.get(head)
    if layout is None:
        return None
    length = layout[0]
    # Written without separators, which is the usual case, its end is known at once.
    number, end = text[start : start + length], start + length
    if not number.isalnum():
        body = _BODY.match(text, start, start + 3 * length)
        if body is None:
            return None
        number = body.group().translate(_SEPARATORS)[:length]
        end = _place(text, start, length) if len(number) == length else end
    if len(number) < length or not valid(number.upper()):
        return None
    if end < len(text) and text[end].isalnum():
        return None
    return Found("iban", start, end, 0.99)


def _place(text: str, start: int, length: int) -> int:
    position, seen = start, 0
    while seen < length:
        seen += text[position].isalnum()
        position += 1
    return position


_COUNTRIES = "|".join(STRUCTURES).lower()
_COUNTRIES_APART = "|".join(" ".join(country) for country in STRUCTURES).lower()

DETECTOR = Detector(
    name="iban",
    anchors=(
        rf"[^a-z0-9](?:{_COUNTRIES})[0-9]{{2}}",
        rf"[^a-z0-9](?:{_COUNTRIES})[ \-][0-9]{{2}}",
        rf"[^a-z0-9](?:{_COUNTRIES_APART}) [0-9] [0-9]",
    ),
    look=_look,
)
