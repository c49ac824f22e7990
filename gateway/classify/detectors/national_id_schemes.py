"""Numbers of persons that carry a check, by country: their written shape and their check.

A row is the finding type, the shape, the check, and how far the shape tells: `plain` where shape
and check together are rare enough to stand without a word; `dated` where a date and a check inside
make chance small, so that any word of identity will do; `weak` where one number in ten passes, so
that the words must speak of persons. Shapes and checks are the issuers' own; most checks are
python-stdnum's.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from stdnum.exceptions import ValidationError
from stdnum.fi import hetu

from gateway.classify import check_digits as own

Check = Callable[[str], bool]


def stdnum(name: str) -> Check:
    """The check of a module of python-stdnum, as a question that does not raise."""
    validate: Callable[[str], object] = import_module(f"stdnum.{name}").validate

    def valid(number: str) -> bool:
        try:
            validate(number)
        except (ValidationError, ValueError, IndexError, KeyError):
            return False
        return True

    return valid


def bare(check: Check) -> Check:
    """The same check for a number that is written with separators."""

    def valid(number: str) -> bool:
        return check("".join(filter(str.isalnum, number)).upper())

    return valid


_dni_es, _emso = stdnum("es.nif"), stdnum("si.emso")


def _hetu(number: str) -> bool:
    try:
        hetu.validate(number, allow_temporary=True)
    except ValidationError:
        return False
    return True


#: Digits with separators only; the fewest digits of each shape decide who is asked.
NUMBERS: tuple[tuple[str, str, Check, str], ...] = (
    ("national_id", r"\d{17}[\dXx]", stdnum("cn.ric"), "plain"),
    ("national_id", r"\d{16}", stdnum("id.nik"), "dated"),
    ("national_id", r"784-?\d{4}-?\d{7}-?\d", bare(own.emirates), "plain"),
    ("national_id", r"[12] \d{2} \d{2} \d{2} \d{3} \d{3} \d{2}", stdnum("fr.nir"), "plain"),
    ("national_id", r"[12]\d{14}", stdnum("fr.nir"), "dated"),
    ("tax_id", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", stdnum("br.cnpj"), "plain"),
    ("national_id", r"756\.\d{4}\.\d{4}\.\d{2}", stdnum("ch.ssn"), "plain"),
    ("national_id", r"756\d{10}", stdnum("ch.ssn"), "dated"),
    ("national_id", r"\d-\d{4}-\d{5}-\d{2}-\d", stdnum("th.pin"), "plain"),
    ("national_id", r"\d{6}-\d{7}", stdnum("kr.rrn"), "plain"),
    ("national_id", r"\d{2}[01]\d[0-3]\d-[1-8]\d{6}", lambda _: True, "dated"),
    ("national_id", r"\d{2}[01]\d[0-3]\d[1-8]\d{6}", lambda _: True, "weak"),
    ("national_id", r"\d{5}-\d{7}-\d", stdnum("pk.cnic"), "dated"),
    ("national_id", r"\d{13}", stdnum("za.idnr"), "dated"),
    ("national_id", r"\d{13}", stdnum("ro.cnp"), "dated"),
    ("national_id", r"\d{13}", _emso, "dated"),
    ("national_id", r"\d{13}", stdnum("kr.rrn"), "dated"),
    ("national_id", r"[1-8]\d{12}", stdnum("th.pin"), "weak"),
    ("national_id", r"\d{13}", stdnum("md.idno"), "weak"),
    ("national_id", r"\d{6}-\d{2}-\d{4}", stdnum("my.nric"), "dated"),
    ("national_id", r"\d{12}", stdnum("my.nric"), "dated"),
    ("national_id", r"\d{12}", own.iin, "dated"),
    ("national_id", r"\d{4}[ :\-]\d{4}[ :\-]\d{4}", bare(stdnum("in_.aadhaar")), "weak"),
    ("national_id", r"\d{12}", stdnum("in_.aadhaar"), "weak"),
    ("national_id", r"\d{4}[ \-]?\d{4}[ \-]?\d{4}", bare(own.my_number), "weak"),
    ("tax_id", r"\d{12}", stdnum("ru.inn"), "dated"),
    ("national_id", r"(?:19|20)\d{10}", stdnum("se.personnummer"), "dated"),
    ("national_id", r"(?:19|20)?\d{6}[-+]\d{4}", stdnum("se.personnummer"), "plain"),
    ("national_id", r"\d{10}", stdnum("se.personnummer"), "dated"),
    ("national_id", r"\d{3}\.\d{3}\.\d{3}-\d{2}", stdnum("br.cpf"), "plain"),
    ("national_id", r"\d{11}", stdnum("br.cpf"), "dated"),
    ("national_id", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", stdnum("be.nn"), "plain"),
    ("national_id", r"\d{11}", stdnum("be.nn"), "dated"),
    ("national_id", r"\d{11}", stdnum("pl.pesel"), "dated"),
    ("national_id", r"\d{6} ?\d{5}", stdnum("no.fodselsnummer"), "dated"),
    ("national_id", r"[1-9]\d{10}", stdnum("tr.tckimlik"), "dated"),
    ("national_id", r"[1-6]\d{10}", stdnum("ee.ik"), "dated"),
    ("national_id", r"[1-6]\d{10}", stdnum("lt.asmens"), "dated"),
    ("national_id", r"\d{11}", stdnum("gr.amka"), "dated"),
    ("tax_id", r"\d{11}", stdnum("de.idnr"), "weak"),
    ("national_id", r"\d{11}", stdnum("hr.oib"), "weak"),
    ("national_id", r"\d{3}-?\d{7}-?\d", bare(stdnum("do.cedula")), "weak"),
    ("national_id", r"\d{3}-\d{3}-\d{3}[ -]\d{2}", bare(own.snils), "plain"),
    ("national_id", r"\d{11}", own.snils, "dated"),
    ("tax_id", r"(?:20|23|24|27)-\d{8}-\d", bare(stdnum("ar.cuit")), "plain"),
    ("tax_id", r"(?:20|23|24|27)\d{9}", stdnum("ar.cuit"), "weak"),
    ("national_id", r"\d{6}[-/]\d{4}", stdnum("is_.kennitala"), "dated"),
    ("national_id", r"\d{6}/\d{4}", stdnum("cz.rc"), "plain"),
    ("national_id", r"\d{10}", stdnum("cz.rc"), "weak"),
    ("national_id", r"\d{6}-\d{4}", stdnum("dk.cpr"), "dated"),
    ("national_id", r"\d{10}", stdnum("bg.egn"), "dated"),
    ("national_id", r"\d{4} ?\d{6}", stdnum("at.vnr"), "dated"),
    ("national_id", r"\d{10}", stdnum("ec.ci"), "weak"),
    ("national_id", r"\d{10}", stdnum("ua.rntrc"), "weak"),
    ("health_id", r"\d{3}[ -]\d{3}[ -]\d{4}", stdnum("gb.nhs"), "dated"),
    ("health_id", r"\d{10}", stdnum("gb.nhs"), "weak"),
    ("health_id", r"\d{4}[ -]?\d{3}[ -]?\d{3}", bare(own.provider), "weak"),
    ("health_id", r"\d{4} ?\d{5} ?\d", bare(own.medicare_australia), "weak"),
    ("tax_id", r"\d{10}", stdnum("pl.nip"), "weak"),
    ("tax_id", r"\d{3}-\d{3}-\d{2}-\d{2}", stdnum("pl.nip"), "plain"),
    ("tax_id", r"\d{5} ?\d{5}", bare(stdnum("gb.utr")), "weak"),
    ("tax_id", r"\d{10}", stdnum("vn.mst"), "weak"),
    ("national_id", r"\d{3}[ -]?\d{3}[ -]?\d{3}", bare(stdnum("ca.sin")), "weak"),
    ("tax_id", r"\d{3} ?\d{3} ?\d{3}", bare(stdnum("au.tfn")), "weak"),
    ("national_id", r"\d{9}", stdnum("nl.bsn"), "weak"),
    ("tax_id", r"\d{9}", stdnum("pt.nif"), "weak"),
    ("tax_id", r"\d{9}", stdnum("gr.vat"), "weak"),
    ("national_id", r"\d{9}", stdnum("il.idnr"), "weak"),
    ("health_id", r"\d{9}", own.physician_germany, "weak"),
    ("tax_id", r"9\d{2}-[5-9]\d-\d{4}", stdnum("us.itin"), "plain"),
    ("tax_id", r"9\d{2}[5-9]\d{5}", stdnum("us.itin"), "weak"),
    ("routing_number", r"\d{4}-?\d{4}-?\d", bare(stdnum("us.rtn")), "weak"),
    ("national_id", r"\d{1,2}\.\d{3}\.\d{3}-\d", stdnum("cl.rut"), "plain"),
    ("national_id", r"\d{7,8}-\d", stdnum("cl.rut"), "weak"),
)  # fmt: skip

MOST_BEFORE = 5
#: With letters: the anchor that finds it, the shape, the check (None for the shape alone). Where
#: an anchor begins with digits an engine has less to do, so some leave out letters before them, at
#: most `MOST_BEFORE`.
LETTERED: tuple[tuple[str, tuple[str, ...], str, Check | None, str], ...] = (
    (
        "national_id", (r"[a-z]{6}[0-9]{2}[a-z][0-9]{2}[a-z][0-9]{3}[a-z]",),
        r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]", stdnum("it.codicefiscale"), "plain",
    ),
    (
        "national_id", (r"[0-9]{7}[a-z]", r"[xyz]-[0-9]{7}-[a-z]"),
        r"[XYZ][ -]?\d{7}[ -]?[A-Z]", bare(stdnum("es.nie")), "plain",
    ),
    (
        "national_id", (r"[0-9]{7}[a-z]", r"[0-9]{7}-[a-z]"),
        r"\d{7,8}[ -]?[A-Z]", bare(lambda number: _dni_es(number.zfill(9))), "plain",
    ),
    (
        "national_id", (r"[0-9]{6}[\-+a-fu-y][0-9]{3}[0-9a-y]",),
        r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", _hetu, "plain",
    ),
    (
        "national_id",
        (r"[a-z]{2}[0-9]{6}[a-d]", r"[a-z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [a-d]"),
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]",
        None, "plain",
    ),
    (
        "health_id",
        (
            r"[0-9][a-z][0-9a-z][0-9][a-z][0-9a-z][0-9][a-z]{2}[0-9]{2}",
            r"[0-9][a-z][0-9a-z][0-9]-[a-z][0-9a-z][0-9]-[a-z]{2}[0-9]{2}",
        ),
        r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?"
        r"[AC-HJKMNP-RT-Y]{2}\d{2}", None, "plain",
    ),
    ("national_id", (r"[0-9]{17}x",), r"\d{17}X", stdnum("cn.ric"), "plain"),
    (
        "national_id", (r"[a-z]{4}[0-9]{6}[hmx][a-z]{5}",),
        r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", stdnum("mx.curp"), "plain",
    ),
    (
        "tax_id", (r"[a-z]{4}[0-9]{6}[a-z0-9]{3}[^a-z0-9]",),
        r"[A-Z]{4}\d{6}[A-Z0-9]{3}", stdnum("mx.rfc"), "dated",
    ),
    ("tax_id", (r"[a-z]{5}[0-9]{4}[a-z]",), r"[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z]", None, "weak"),
    (
        "national_id", (r"[0-9]{7}[a-z]",), r"[STFGM]\d{7}[A-Z]", own.singapore, "plain",
    ),
    (
        "national_id", (r"[a-z][0-9]{6}\([0-9a]\)",),
        r"[A-Z]{1,2}\d{6}\([0-9A]\)", bare(own.hong_kong), "plain",
    ),
    ("national_id", (r"[^a-z0-9][a-z][1289][0-9]{8}",), r"[A-Z][1289]\d{8}", own.taiwan, "weak"),
    ("health_id", (r"[^a-z0-9][a-z][0-9]{9}",), r"[A-Z]\d{9}", own.health_insured, "weak"),
    ("national_id", (r"[0-9]{8}[a-z][0-9]{3}",), r"\d{8}[A-Z]\d{3}", own.pension_insured, "dated"),
    (
        "national_id", (r"[0-9]{2} [0-9]{6} [a-z] [0-9]{3}",),
        r"\d{2} \d{6} [A-Z] \d{3}", bare(own.pension_insured), "plain",
    ),
    ("national_id", (r"[0-9]{7}[a-w]",), r"\d{7}[A-W][A-IW]?", stdnum("ie.pps"), "weak"),
    (
        "driver_license", (r"[0-9]{6}[a-z9]{2}[0-9a-z][a-z]{2}",),
        r"[A-Z9]{5}\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}", own.uk_driver, "plain",
    ),
    (
        "passport", (r"[^a-z0-9][cfghjklmnprtvwxyz][0-9cfghjklmnprtvwxyz]{7}[0-9]",),
        r"[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8,9}", own.travel_document, "weak",
    ),
    ("tax_id", (r"j[0-9]{9}", (r"[vejpg]-[0-9]{8}-"
                              r"[0-9]")), r"[VEJPG]-?\d{8}-?\d", stdnum("ve.rif"), "weak"),
    ("national_id", (r"[0-9]{7}-k", r"[0-9]{3}-k"), (r"\d{1,2}\.?\d{3}\.?"
                                                    r"\d{3}-K"), stdnum("cl.rut"), "plain"),
    ("tax_id", (r"a[0-9]{9}[a-z]", r"p[0-9]{9}[a-z]"), r"[AP]\d{9}[A-Z]", stdnum("ke.pin"),
     "dated"),
    ("national_id", ((r"[0-9]{8} [0-9] [a-z]{2}"
                     r"[0-9]"),), r"\d{8} \d [A-Z0-9]{2}\d", bare(stdnum("pt.cc")), "plain"),
)  # fmt: skip

#: Document numbers without a check, which count only where the text is nothing else.
BARE: tuple[tuple[str, str], ...] = (
    ("passport", r"[A-Z]{2}\d{7}|[A-Z]\d{7,8}|[A-Z]{3}\d{6}|M\d{3}[A-Z]\d{4}"),
    ("national_id", r"[A-Z]{3}\d{7}"),
    ("tax_id", r"[A-Z]{5}\d{4}[A-Z]"),
)
