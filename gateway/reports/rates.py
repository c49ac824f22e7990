"""Exchange rates from a dated file, and money in another currency by the rate of its day.

A rate holds from its date (midnight in the report's time zone) until the next one. Conversions
are exact: nano-USD times a rate of nine decimals, summed, and rounded once for each row.
"""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO

import msgspec

from gateway.core.money import NANO
from gateway.core.periods import zone_of

_CODE = re.compile(r"[A-Z]{3}")
_FIELDS = ("date", "currency", "rate")


class RateError(ValueError):
    """A rate file cannot be used, or has no rate for a day; the message says which."""


class Rates(msgspec.Struct, frozen=True):
    """The rates of one currency, oldest first.

    `steps` are pairs of epoch seconds from which a rate holds, and units of the currency for a
    billion dollars; `source` names the file.
    """

    currency: str
    steps: tuple[tuple[float, int], ...]
    source: str = ""


def read_rates(text: str, currency: str, zone: str = "UTC", source: str = "the file") -> Rates:
    """The rates of a currency out of CSV with the columns `date,currency,rate`.

    A rate is units of the currency for one dollar, on a date such as 2026-11-01.

    Raises:
        RateError: the file has other columns, a wrong line, a day twice, or not this currency.
    """
    wanted = currency.upper()
    if not _CODE.fullmatch(wanted):
        raise RateError(f"'{currency}' is not a currency; use a code such as EUR")
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")))
    if tuple(reader.fieldnames or ()) != _FIELDS:
        raise RateError(f"{source} must begin with the line {','.join(_FIELDS)}")
    place, found = zone_of(zone), dict[float, int]()
    for number, row in enumerate(reader, start=2):
        try:
            day = date.fromisoformat((row["date"] or "").strip())
            rate = Decimal((row["rate"] or "").strip()) * NANO
        except (ValueError, InvalidOperation):
            raise RateError(f"{source}, line {number}: not a date and a rate") from None
        if not rate.is_finite() or rate <= 0 or rate != int(rate):
            raise RateError(f"{source}, line {number}: a rate is positive, with 9 decimals at most")
        if (row["currency"] or "").strip().upper() != wanted:
            continue
        begins = datetime(day.year, day.month, day.day, tzinfo=place).timestamp()
        if begins in found:
            raise RateError(f"{source}, line {number}: {day} has two rates for {wanted}")
        found[begins] = int(rate)
    if not found:
        raise RateError(f"{source} has no rate for {wanted}")
    return Rates(wanted, tuple(sorted(found.items())), source)
