"""National, tax and health numbers that carry a check of their own.

Bad: `110101196605150701`, `756.8308.0089.11`. Good: random digits of the same length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
from stdnum.be import nn as be_nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.za import idnr

from gateway.classify.detectors.base import Detector, Found, NumberRun, View, isolated, near


class Scheme(msgspec.Struct, frozen=True):
    """A country's number: its written shape, its check, and how surely the shape alone tells it."""

    type: str
    shape: re.Pattern[str]
    valid: Callable[[str], bool]
    #: Whether digits of this shape and check need a word of identity beside them.
    needs_context: bool
    confidence: float


def _checked(module: object) -> Callable[[str], bool]:
    validate: Callable[[str], object] = module.validate  # type: ignore[attr-defined]

    def valid(number: str) -> bool:
        try:
            validate(number)
        except (ValidationError, ValueError):
            return False
        return True

    return valid


_CONTEXT = re.compile(
    r"\bid\b|\bids\b|ident|national|citizen|person|social|insurance|\bnhs\b|"
    r"patient|tax|\bpin\b|pesel|aadhaar|"
    r"fodsels|bsn|cpf|resident|birth|born|ssn|payroll|employee|\bnir\b|secu|"
    r"steuer|\bnummer|numero|rrn|applicant"
)

_NOT_A_PERSON = re.compile(
    r"\bbuild|\bversion|\brelease|\border|\binvoice|\bticket|\brev\b|\blot\b|"
    r"\bserial|\bisbn|\bean\b"
)

_NUMBERS: tuple[Scheme, ...] = (
    Scheme("national_id", re.compile(r"\d{17}[\dXx]"), _checked(ric), False, 0.97),
    Scheme("national_id", re.compile(r"756\.\d{4}\.\d{4}\.\d{2}"), _checked(ahv), False, 0.97),
    Scheme("national_id", re.compile(r"756\d{10}"), _checked(ahv), True, 0.9),
    Scheme("national_id", re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), _checked(cpf), False, 0.97),
    Scheme("national_id", re.compile(r"\d{11}"), _checked(cpf), True, 0.8),
    Scheme(
        "national_id", re.compile(r"(?:19|20)?\d{6}[-+]\d{4}"), _checked(personnummer), False, 0.9
    ),
    Scheme("national_id", re.compile(r"(?:19|20)\d{10}"), _checked(personnummer), True, 0.85),
    Scheme("national_id", re.compile(r"\d{13}"), _checked(idnr), True, 0.9),
    Scheme("national_id", re.compile(r"\d{11}"), _checked(pesel), True, 0.9),
    Scheme("national_id", re.compile(r"\d{6} ?\d{5}"), _checked(fodselsnummer), True, 0.9),
    Scheme("national_id", re.compile(r"\d{6}-\d{7}"), _checked(rrn), False, 0.95),
    Scheme("national_id", re.compile(r"\d{4} \d{4} \d{4}"), _checked(aadhaar), True, 0.85),
    Scheme(
        "national_id",
        re.compile(r"[12] \d{2} \d{2} \d{2} \d{3} \d{3} \d{2}"),
        _checked(nir),
        False,
        0.97,
    ),
    Scheme("national_id", re.compile(r"[12]\d{14}"), _checked(nir), True, 0.9),
    Scheme(
        "national_id", re.compile(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), _checked(be_nn), False, 0.97
    ),
    Scheme("health_id", re.compile(r"\d{3}[ -]\d{3}[ -]\d{4}"), _checked(nhs), True, 0.85),
)

# The fewest digits of each scheme's shape, so that short runs meet few schemes.
_FEWEST = (17, 13, 13, 11, 11, 10, 12, 13, 11, 11, 13, 12, 15, 15, 11, 10)
_NUMBERS_BY_SIZE = tuple(
    sorted(zip(_NUMBERS, _FEWEST, strict=True), key=lambda scheme_and_size: scheme_and_size[1])
)

_NINO = re.compile(
    r"(?<![A-Za-z0-9])(?!BG|GB|NK|KN|TN|NT|"
    r"ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za"
    r"-z0-9])"
)
_LETTERED: tuple[tuple[re.Pattern[str], Callable[[str], bool] | None, str], ...] = (
    (
        re.compile(r"(?<![A-Za-z0-9])[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z](?![A-Za-z0-9])", re.I),
        _checked(codicefiscale),
        "national_id",
    ),
    (
        re.compile(r"(?<![A-Za-z0-9])[XYZ][ -]?\d{7}[ -]?[A-Z](?![A-Za-z0-9])", re.I),
        _checked(nie),
        "national_id",
    ),
    (
        re.compile(r"(?<![A-Za-z0-9.])\d{8}[ -]?[A-Z](?![A-Za-z0-9])", re.I),
        _checked(dni),
        "national_id",
    ),
    (
        re.compile(r"(?<![A-Za-z0-9])\d{6}[-+A-FU-Y]\d{3}[0-9A-Y](?![A-Za-z0-9])", re.I),
        _checked(hetu),
        "national_id",
    ),
    (_NINO, None, "national_id"),
    (
        re.compile(
            r"(?<![A-Za-z0-9])[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-"
            r"Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}(?![A-Za-z0-9])"
        ),
        None,
        "health_id",
    ),
    (re.compile(r"(?<![A-Za-z0-9])\d{17}X(?![A-Za-z0-9])", re.I), _checked(ric), "national_id"),
)
_ANCHORS = (
    r"[a-z]{6}[0-9]{2}[a-z][0-9]{2}[a-z][0-9]{3}[a-z]",
    r"[xyz][0-9]{7}[a-z]",
    r"[0-9]{8}[a-z]",
    r"[0-9]{8}-[a-z]",
    r"[0-9]{6}[\-+a-fu-y][0-9]{3}[0-9a-y]",
    r"[a-z]{2}[0-9]{6}[a-d]",
    r"[a-z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [a-d]",
    r"[0-9][a-z][0-9a-z][0-9][a-z][0-9a-z][0-9][a-z]{2}[0-9]{2}",
    r"[0-9][a-z][0-9a-z][0-9]-[a-z][0-9a-z][0-9]-[a-z]{2}[0-9]{2}",
    r"[0-9]{17}x",
)


def _lettered(view: View, which: int, start: int, end: int) -> Found | None:
    for shape, valid, kind in _LETTERED:
        match = shape.match(view.text, start)
        if match is None or match.end() < end:
            continue
        value = match.group().replace(" ", "").replace("-", "").upper()
        if valid is not None and not valid(value if "hetu" not in kind else match.group()):
            if valid(match.group().upper()):
                return Found(kind, *match.span(), 0.95)
            continue
        return Found(kind, *match.span(), 0.93)
    return None


def _look(view: View, run: NumberRun) -> Iterator[Found]:
    shown = view.text[run.start : run.end]
    most = len(run.digits)
    for scheme, digits in _NUMBERS_BY_SIZE:
        if digits > most:
            break
        for match in scheme.shape.finditer(shown):
            start, end = run.start + match.start(), run.start + match.end()
            if not _whole(view, start, end):
                continue
            if near(view, start, end, _NOT_A_PERSON, 24, 0):
                continue
            if scheme.needs_context and not near(view, start, end, _CONTEXT, 50, 24):
                continue
            if scheme.valid(match.group()):
                yield Found(scheme.type, start, end, scheme.confidence)


def _whole(view: View, start: int, end: int) -> bool:
    text = view.text
    if not isolated(view, start, end):
        return False
    before, after = text[start - 1 : start], text[end : end + 2]
    return before not in (".", "-") and not (
        len(after) == 2 and after[0] in ".-" and after[1].isdigit()
    )


DETECTOR = Detector(name="national_id", anchors=_ANCHORS, look=_lettered, look_at_number=_look)
