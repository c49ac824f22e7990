"""Identifiers without a shape of their own, told by the words beside them.

Bad: `passport number K5PXGG8G2`, `routing number 110149741`. Good: `passport requirements 2024`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from gateway.classify.detectors.base import Detector, Found, View


class Label(msgspec.Struct, frozen=True):
    """A word, the type of what it labels, the value's shape, and a check of the bare value."""

    word: str
    type: str
    shape: str
    accept: Callable[[str], bool] | None = None
    #: Whether an upper-case or bounded form of the word is required (short words).
    bounded: bool = False


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


_ALNUM = r"[A-Z0-9][A-Z0-9\-]{4,18}[A-Z0-9]"
_DIGITS = r"\d(?:[ \-./]?\d){5,19}"
_MIXED = r"[A-Z0-9](?:[ \-./]?[A-Z0-9]){5,19}"

_LABELS: tuple[Label, ...] = (
    Label("passport", "passport", _ALNUM, _document),
    Label("reisepass", "passport", _ALNUM, _document),
    Label("passeport", "passport", _ALNUM, _document),
    Label("pasaporte", "passport", _ALNUM, _document),
    Label("passaport", "passport", _ALNUM, _document),
    Label("driver's licen", "driver_license", _MIXED, _document),
    Label("drivers licen", "driver_license", _MIXED, _document),
    Label("driver licen", "driver_license", _MIXED, _document),
    Label("driving licen", "driver_license", _MIXED, _document),
    Label("driver_licen", "driver_license", _MIXED, _document),
    Label("dl number", "driver_license", _MIXED, _five_digits, True),
    Label("dl no", "driver_license", _MIXED, _five_digits, True),
    Label("licence no", "driver_license", _MIXED, _five_digits),
    Label("license no", "driver_license", _MIXED, _five_digits),
    Label("license nu", "driver_license", _MIXED, _five_digits),
    Label("licence nu", "driver_license", _MIXED, _five_digits),
    Label("fuhrerschein", "driver_license", _MIXED, _five_digits),
    Label("permis de cond", "driver_license", _MIXED, _five_digits),
    Label("account n", "bank_account", _DIGITS, _six_digits),
    Label("account", "bank_account", r"\d{7,17}", _six_digits),
    Label("acct", "bank_account", r"\d{7,17}", _six_digits),
    Label("a/c", "bank_account", r"\d{7,17}", _six_digits, True),
    Label("kontonummer", "bank_account", _DIGITS, _six_digits),
    Label("bankrekening", "bank_account", _DIGITS, _six_digits),
    Label("sort code", "bank_account", r"\d{2}[ \-]?\d{2}[ \-]?\d{2}"),
    Label("routing", "routing_number", r"\d{4}-?\d{4}-?\d", _routing),
    Label("aba", "routing_number", r"\d{4}-?\d{4}-?\d", _routing, True),
    Label("nhs", "health_id", r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", None, True),
    Label("medicare", "health_id", _MIXED, _five_digits),
    Label("medicaid", "health_id", _MIXED, _five_digits),
    Label("mbi", "health_id", r"[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}", None, True),
    Label("mrn", "health_id", r"[A-Z]{0,3}-?\d{5,12}", None, True),
    Label("medical record", "health_id", r"[A-Z]{0,3}-?\d{5,12}"),
    Label("patient id", "health_id", r"[A-Z]{0,4}-?\d{4,12}"),
    Label("health insurance", "health_id", _MIXED, _five_digits),
    Label("health card", "health_id", _MIXED, _five_digits),
    Label("member id", "health_id", _MIXED, _five_digits),
    Label("npi", "health_id", r"\d{10}", None, True),
    Label("dea", "health_id", r"[A-Z]{2}\d{7}", None, True),
    Label("versichertennummer", "health_id", _MIXED, _five_digits),
    Label("ein", "tax_id", r"\d{2}-?\d{7}", None, True),
    Label("employer identification", "tax_id", r"\d{2}-?\d{7}"),
    Label("itin", "tax_id", r"9\d{2}-?\d{2}-?\d{4}", None, True),
    Label("tin", "tax_id", r"\d{3}[ \-]?\d{2,3}[ \-]?\d{3,4}(?:-\d{3,5})?", None, True),
    Label("tax id", "tax_id", _MIXED, _six_digits),
    Label("tax-id", "tax_id", _MIXED, _six_digits),
    Label("tax_id", "tax_id", _MIXED, _six_digits),
    Label("tax number", "tax_id", _MIXED, _six_digits),
    Label("taxpayer", "tax_id", _MIXED, _six_digits),
    Label("utr", "tax_id", r"\d{5} ?\d{5}", None, True),
    Label("tfn", "tax_id", r"\d{3} ?\d{3} ?\d{2,3}", None, True),
    Label("tax file", "tax_id", r"\d{3} ?\d{3} ?\d{2,3}"),
    Label("steuer", "tax_id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}|\d{2,3}/\d{3}/\d{4,5}"),
    Label("vat n", "tax_id", r"[A-Z]{2} ?[A-Z0-9]{8,12}", _six_digits, True),
    Label("nif", "tax_id", r"\d{9}|\d{8}-?[A-Z]|[A-Z]\d{7}[A-Z0-9]", None, True),
    Label("cpf", "national_id", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", None, True),
    Label("cnpj", "tax_id", r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}", None, True),
    Label("id number", "national_id", _MIXED, _six_digits, True),
    Label("identity number", "national_id", _MIXED, _six_digits),
    Label("identity card", "national_id", _MIXED, _five_digits),
    Label("identification number", "national_id", _MIXED, _six_digits),
    Label("id card", "national_id", _MIXED, _five_digits, True),
    Label("id no", "national_id", _MIXED, _six_digits, True),
    Label("national id", "national_id", _MIXED, _five_digits),
    Label("national insurance", "national_id", r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    Label("nino", "national_id", r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", None, True),
    Label("bsn", "national_id", r"\d{9}|\d{4}[. ]?\d{2}[. ]?\d{3}", None, True),
    Label("burgerservicenummer", "national_id", r"\d{9}|\d{4}[. ]?\d{2}[. ]?\d{3}"),
    Label("personnummer", "national_id", r"(?:\d{2})?\d{6}[\-+]?\d{4}"),
    Label("fodselsnummer", "national_id", r"\d{6} ?\d{5}"),
    Label("cpr", "national_id", r"\d{6}-?\d{4}", None, True),
    Label("hetu", "national_id", r"\d{6}[\-+A-FU-Y]\d{3}[0-9A-Y]", None, True),
    Label("henkilotunnus", "national_id", r"\d{6}[\-+A-FU-Y]\d{3}[0-9A-Y]"),
    Label("ahv", "national_id", r"756\.?\d{4}\.?\d{4}\.?\d{2}", None, True),
    Label("avs", "national_id", r"756\.?\d{4}\.?\d{4}\.?\d{2}", None, True),
    Label("pesel", "national_id", r"\d{11}", None, True),
    Label("codice fiscale", "national_id", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"),
    Label("dni", "national_id", r"\d{8}[ \-]?[A-Z]", None, True),
    Label("nie", "national_id", r"[XYZ][ \-]?\d{7}[ \-]?[A-Z]", None, True),
    Label(
        "securite sociale",
        "national_id",
        r"[12] ?\d{2} ?\d{2} ?\d[0-9AB] ?\d{3} ?\d{3}(?: ?\d{2})?",
    ),
    Label(
        "nir", "national_id", r"[12] ?\d{2} ?\d{2} ?\d[0-9AB] ?\d{3} ?\d{3}(?: ?\d{2})?", None, True
    ),
    Label("sozialversicherung", "national_id", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}"),
    Label("personalausweis", "national_id", _ALNUM, _five_digits),
    Label("ausweisnummer", "national_id", _ALNUM, _five_digits),
    Label("aadhaar", "national_id", r"\d{4}[ \-]?\d{4}[ \-]?\d{4}"),
    Label("aadhar", "national_id", r"\d{4}[ \-]?\d{4}[ \-]?\d{4}"),
    Label("pan", "tax_id", r"[A-Z]{5}\d{4}[A-Z]", None, True),
    Label("sin", "national_id", r"\d{3}[ \-]?\d{3}[ \-]?\d{3}", None, True),
    Label("social insurance", "national_id", r"\d{3}[ \-]?\d{3}[ \-]?\d{3}"),
    Label("nric", "national_id", r"[STFGM]\d{7}[A-Z]", None, True),
    Label("curp", "national_id", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", None, True),
    Label("my number", "national_id", r"\d{4} ?\d{4} ?\d{4}"),
    Label("rrn", "national_id", r"\d{6}-?\d{7}", None, True),
    Label("voter", "national_id", r"[A-Z]{3}\d{7}"),
    Label("visa number", "passport", _ALNUM, _five_digits),
    Label("green card", "passport", r"[A-Z]{0,3}-?\d{7,13}"),
    Label("cnp", "national_id", r"[1-9]\d{12}", None, True),
    Label("rut", "national_id", r"\d{1,2}\.?\d{3}\.?\d{3}-?[0-9K]", None, True),
    Label("run", "national_id", r"\d{1,2}\.\d{3}\.\d{3}-[0-9K]", None, True),
    Label("egn", "national_id", r"\d{10}", None, True),
    Label("pps", "national_id", r"\d{7}[A-W][A-IW]?", None, True),
    Label("ppsn", "national_id", r"\d{7}[A-W][A-IW]?", None, True),
    Label("oib", "national_id", r"\d{11}", None, True),
    Label("jmbg", "national_id", r"\d{13}", None, True),
    Label("emso", "national_id", r"\d{13}", None, True),
    Label("rfc", "tax_id", r"[A-Z&]{3,4}\d{6}[A-Z0-9]{3}", None, True),
    Label("cuit", "tax_id", r"\d{2}-?\d{8}-?\d", None, True),
    Label("cuil", "tax_id", r"\d{2}-?\d{8}-?\d", None, True),
    Label("cedula", "national_id", _DIGITS, _six_digits),
    Label("kimlik", "national_id", r"\d{11}"),
    Label("tckn", "national_id", r"\d{11}", None, True),
    Label("amka", "national_id", r"\d{11}", None, True),
    Label("afm", "tax_id", r"\d{9}", None, True),
    Label("asmens kodas", "national_id", r"\d{11}"),
    Label("isikukood", "national_id", r"\d{11}"),
    Label("personas kods", "national_id", r"\d{6}-?\d{5}"),
    Label("kennitala", "national_id", r"\d{6}-?\d{4}"),
    Label("rodne cislo", "national_id", r"\d{6}/?\d{3,4}"),
    Label("hkid", "national_id", r"[A-Z]{1,2}\d{6}\(?[0-9A]\)?", None, True),
    Label("mykad", "national_id", r"\d{6}-?\d{2}-?\d{4}"),
    Label("cnic", "national_id", r"\d{5}-?\d{7}-?\d", None, True),
    Label("emirates id", "national_id", r"784-?\d{4}-?\d{7}-?\d"),
    Label("teudat", "national_id", r"\d{9}"),
    Label("snils", "national_id", r"\d{3}-?\d{3}-?\d{3}[ -]?\d{2}", None, True),
    Label("inn", "tax_id", r"\d{10}(?:\d{2})?", None, True),
    Label("ird", "tax_id", r"\d{2,3}-?\d{3}-?\d{3}", None, True),
    Label("nik", "national_id", r"\d{16}", None, True),
    Label("adoszam", "tax_id", r"\d{8}-?\d-?\d{2}|\d{10}"),
    Label("taj", "health_id", r"\d{3}[ -]?\d{3}[ -]?\d{3}", None, True),
    Label("svnr", "national_id", r"\d{4} ?\d{6}", None, True),
    Label("rijksregister", "national_id", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}"),
    Label("numero de seguridad social", "national_id", r"\d{2}[/ ]?\d{8}[/ ]?\d{2}"),
    Label("social security", "us_ssn", r"\d{3}[ -]?\d{2}[ -]?\d{4}"),
    Label("imei", "device_id", r"\d{2}[ \-]?\d{6}[ \-]?\d{6}[ \-]?\d"),
)

# What may stand between a label and its value.
_BETWEEN = (
    r"[a-z]{0,5}+(?:[ _\-]{0,2}(?:(?:number|num|no|nr|nummer|numero|id|card|code|of|is|was|ist|es|"
    r"est|e|are|my|the|in|with|ending|on|file|and|expir[a-z]{0,6}|ident[a-z]{0,12}|de|del|lautet)"
    r"(?![a-z0-9])|[#:=])[.:#]?){0,5}+[\"']?[ \t:=#\-(\"'>]{0,6}"
)
_COMPILED = tuple(
    re.compile(rf"(?i:{_BETWEEN})(?P<value>(?:{label.shape}))(?![A-Za-z0-9])") for label in _LABELS
)
_COMPILED_LOWER = tuple(
    re.compile(rf"(?i:{_BETWEEN})(?P<value>(?i:{label.shape}))(?![A-Za-z0-9])") for label in _LABELS
)


def _anchor(label: Label) -> str:
    word = re.escape(label.word)
    return f"[^a-z]{word}[^a-z]" if label.bounded else word


def _look(view: View, which: int, start: int, end: int) -> Found | None:
    label, text = _LABELS[which], view.text
    if label.bounded:
        end -= 1
    match = _COMPILED[which].match(text, end) or _COMPILED_LOWER[which].match(text, end)
    if match is None:
        return None
    value = match.group("value")
    if label.accept is None and not any(character.isdigit() for character in value):
        return None
    if label.accept is not None and not label.accept(value):
        return None
    return Found(label.type, match.start("value"), match.end("value"), 0.9)


DETECTOR = Detector(
    name="labelled_id", anchors=tuple(_anchor(label) for label in _LABELS), look=_look
)
