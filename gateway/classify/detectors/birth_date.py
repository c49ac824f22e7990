"""Dates of birth: a date beside words of birth.

Bad: `Date of birth: 17 July 1953`. Good: `When was Marie Curie born?`, dates of other things.
"""

from __future__ import annotations

import re

from gateway.classify.detectors.base import Detector, Found, View

_MONTH = (
    r"(?:jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar)?|fev(?:rier|ereiro)?|"
    r"mar(?:ch|s|zo|co)?|marz|maerz|"
    r"apr(?:il)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|maio|june?|juni|juin|junio|junho|july?|juli|"
    r"juillet|julio|julho|aug(?:ust)?|aout|ago(?:sto)?|sep(?:t|tember|tembre|"
    r"tiembre)?|oct(?:ober|obre|ubre)?|"
    r"okt(?:ober)?|nov(?:ember|embre|iembre)?|dec(?:ember|embre)?|dez(?:ember)?|"
    r"dic(?:iembre)?|enero)"
)
_DATE = re.compile(
    r"(?<![\w.])(?:"
    r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|"
    r"\d{1,2}[-/.] ?\d{1,2}[-/.] ?(?:19|20)?\d\d|"
    rf"\d{{1,2}}(?:st|nd|rd|th|er|\.)?[ \-]?(?:of |de )?{_MONTH}\.?,?[ \-]?(?:de )?(?:19|20)?\d\d|"
    rf"{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|"
    r"(?:19|20)\d\d年\d{1,2}月\d{1,2}"
    r")(?![\w])"
)
# What may stand between the words of birth and the date.
_REACH = 40


def _look(view: View, _which: int, start: int, end: int) -> Found | None:
    lower = view.lower
    if lower[start : start + 3] == "dob" and (
        (start > 0 and lower[start - 1].isalpha()) or lower[end : end + 1].isalpha()
    ):
        return None
    match = _DATE.search(lower, end, end + _REACH + 24)
    line_end = lower.find("\n\n", end, end + _REACH)
    if match is None or match.start() > end + _REACH or -1 < line_end < match.start():
        match = _columns(lower, end)
    if match is None:
        return None
    return Found("birth_date", *match.span(), 0.93)


def _columns(lower: str, end: int) -> re.Match[str] | None:
    # In a table or an INSERT the date stands with the values, after the names of the columns.
    values = re.compile(r"values ?\(|\n").search(lower, end, end + 120)
    if values is None or "," not in lower[end : end + 3]:
        return None
    return _DATE.search(lower, values.end(), values.end() + 100)


DETECTOR = Detector(
    name="birth_date",
    anchors=(
        "born",
        "birth",
        "dob",
        "d\\.o\\.b",
        "geboren",
        "geburts",
        "ne le ",
        "nee le ",
        "naissance",
        "nacid",
        "nacimiento",
        "nascid",
        "nascimento",
        "nato il",
        "nata il",
        "nascita",
        "geboorte",
        "fodd",
        "fodelse",
        "urodz",
        "bday",
        "b-day",
    ),
    look=_look,
)
