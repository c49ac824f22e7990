"""Telephone numbers: international, in national shapes, or beside words of calling.

Bad: `call (022) 17643`, `+61 412 651 227`. Good: `1902-1864`, ISBNs, dates, order numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from gateway.classify.detectors.base import Detector, Found, NumberRun, View, near, whole, words

_CONTEXT = words(
    r"\bphone|\btel\b|\btel[.:e]|\bcall(?:s|ed|ing)?\b|mobil|\bcell\b|"
    r"cell ?phone|\bfax|\bsms\b|whatsapp|telegram|"
    r"\btext(?:s|ed|ing)? (?:me|him|her|us|to|them)|reach|\bcontact|\bring me|"
    r"answering|messages to|handy|movil|"
    r"telefon|telephone|appelle|joindre|anruf|ruf |pager|hotline|\bdesk\b|"
    r"\boffice\b|\bwork:|\bhome:|numero de|"
    r"nummer|\bph[:.]|emergency|dial|backup|\bsim\b|celular|\bmob\b|lig[au]e|"
    r"puhelin|linea|\bmy number\b|us number|"
    r"\bnumber is\b|\bline\b"
)
_AFTER = re.compile(r"^[ \t]{0,3}\(?(?:office|fax|mobile|cell|home|work|phone|tel)\b")
_NOT_A_PHONE = words(
    r"isbn|issn|\bcas\b|\bean\b|order|invoice|ticket|serial|account|routing|"
    r"\bversion|coordinate|\blat\b|"
    r"\blon|\bport\b|arxiv|\bdoi\b|\bpart\b|\blot\b|\bvin\b|\bnhs|passport|"
    r"\bssn|\bid\b|\bamount|\bprice|tracking|"
    r"license|licence|\bcard\b|\biban\b|request|\btotal\b|\bpi\b|sequence"
)
_DATE = re.compile(
    r"(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)|"
    r"(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d|"
    r"\d{4}-\d{4}$|\d{5}-\d{4}$|\d{1,2}:\d\d"
)
_NORTH_AMERICA = re.compile(r"(?:\+?1[ .\-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[.\-])\d{3}[ .\-]\d{4}")
_NATIONAL = re.compile(r"\(?0\d{1,5}\)?[ .\-/]\d{2,5}(?:[ .\-]\d{2,6}){0,4}")
_PIECE = re.compile(r"(?:\+|\(\+?)?\d(?:[ \t.\-/()]{0,2}\d){6,}+")
_EXTENSION = re.compile(r" ?(?:x|ext\.? ?|#)\d{1,6}")


def _look(view: View, run: NumberRun) -> Iterator[Found]:
    text = view.text
    start = run.start
    # The sign in front belongs to the number.
    while start > 0 and text[start - 1] in "+(" and run.start - start < 2:
        start -= 1
    for match in _PIECE.finditer(text, start, run.end):
        found = _judge(view, *match.span(), sum(map(str.isdigit, match.group())))
        if found is not None:
            yield found


def _judge(view: View, start: int, end: int, digits: int) -> Found | None:
    text = view.text
    shown = text[start:end]
    if (
        start > 0
        and (text[start - 1].isalnum() or text[start - 1] in "_$#.=")
        and text[start - 1] != "="
    ) or _DATE.match(shown):
        return None
    if end < len(text) and ((text[end].isalpha() and text[end] not in "xXe") or text[end] == "_"):
        return None
    extension = _EXTENSION.match(text, end)
    finish = end if extension is None else extension.end()
    if digits > 15 or len(set(shown)) < 3:
        return None
    if shown[0] == "+" or shown.startswith("(+"):
        return Found("phone", start, finish, 0.97) if digits >= 8 and shown[1] != "0" else None
    if near(view, start, end, _NOT_A_PHONE, 26, 0):
        return None
    if near(view, start, end, _CONTEXT, 42, 0) or _AFTER.match(view.lower[finish : finish + 14]):
        return Found("phone", start, finish, 0.9) if _shaped(shown, digits) else None
    if shown.startswith("00") and digits >= 10 and not shown.startswith("000"):
        return Found("phone", start, finish, 0.85)
    if _NORTH_AMERICA.fullmatch(shown):
        return Found("phone", start, finish, 0.85)
    if 9 <= digits <= 12 and _NATIONAL.fullmatch(shown) and _possible(shown):
        return Found("phone", start, finish, 0.7)
    return None


def _shaped(shown: str, digits: int) -> bool:
    groups = re.findall(r"\d+", shown)
    if len(groups) == 1:
        return 7 <= digits <= 15
    return all(len(group) <= 8 for group in groups) and len(groups) <= 7 and "." not in shown[:2]


def _possible(shown: str) -> bool:
    # National numbers with a trunk zero are checked under the plans that use one.
    for region in ("GB", "DE", "FR", "AU", "IT", "SE", "JP", "IN"):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(shown, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False


# Regions whose subscribers write their numbers without a country code, tried for a bare number.
_REGIONS = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "MX", "IN", "PH", "TR", "ID", "JP", "KR", "CN",
    "AU", "ZA", "NG", "PL", "SE", "NO", "DK", "FI", "CH", "AT", "BE", "PT", "GR", "CZ", "HU", "RO",
    "RU", "UA", "EG", "SA", "AE", "IL", "TH", "VN", "MY", "SG", "PK", "BD", "KE", "AR", "CO", "CL",
)  # fmt: skip
# A bare run of digits is a number of anything, unless it begins as numbers are dialled.
_BARE = re.compile(
    r"\+\d{8,14}|0[1-9]\d{8,10}|(?:\+|\(|0)?\d{1,5}\)?[ \-/](?:\d{2,4}[ \-/]){1,4}\d{2,4}"
)


def _bare(view: View) -> Found | None:
    match = whole(view, _BARE)
    if match is None or len(set(match.group())) < 4 or _DATE.match(match.group()):
        return None
    for region in _REGIONS:
        try:
            number = phonenumbers.parse(match.group(), region)
        except phonenumbers.NumberParseException:
            return None
        if phonenumbers.is_valid_number(number):
            return Found("phone", *match.span(), 0.6)
    return None


DETECTOR = Detector(name="phone", look_at_number=_look, look_at_value=_bare)
