"""An invoice against the ledger: every difference by day, model, class and cause.

Rules of this file:
- the differences of all rows add up to the invoice less the ledger, to the nano-dollar;
- days are those of UTC, as providers count them, and only the days of the invoice are compared;
- a cause is given where the figures show it; what they do not show is called unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from gateway.core.money import MILLION, NANO, divide_half_even, nano_to_usd_text
from gateway.reports.asking import Ask
from gateway.reports.causes import Cause, Compared, Key, causes_of, moved_between_days
from gateway.reports.invoices.lines import InvoiceLine, providers_of
from gateway.reports.selection import choose
from gateway.reports.shape import Cell, Column, Kind, Report, totals_of, whole

if TYPE_CHECKING:
    import duckdb

_COLUMNS = (
    Column("day"),
    Column("provider", brief=False),
    Column("model"),
    Column("token_class"),
    Column("cause"),
    Column("invoice_quantity", Kind.COUNT, brief=False),
    Column("ledger_quantity", Kind.COUNT, brief=False),
    Column("invoice_nanousd", Kind.MONEY, "invoice USD", adds=True, brief=False),
    Column("ledger_nanousd", Kind.MONEY, "ledger USD", adds=True, brief=False),
    Column("difference_nanousd", Kind.MONEY, "difference USD", adds=True),
)
#: On invoices, thinking is part of the output.
_CLASS_SQL = "CASE WHEN token_class = 'reasoning' THEN 'output' ELSE token_class END"


class _Billed(msgspec.Struct):
    """What the invoice has of one day, provider, model and class: amounts and quantities if any."""

    usd: Decimal | None = None
    quantity: int | None = None
    rounded_usd: Decimal = Decimal()

    def add(self, line: InvoiceLine) -> None:
        if line.usd is not None:
            self.usd = (self.usd or Decimal()) + line.usd
        if line.quantity is not None:
            self.quantity = (self.quantity or 0) + line.quantity
        self.rounded_usd += line.rounded_usd


class _Booked(msgspec.Struct):
    """What the ledger has of one day, provider, model and class."""

    quantity: int = 0
    estimated: int = 0
    nanousd: int = 0
    rated: int = 0
    listed: int = 0

    def add(self, other: _Booked) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def reconciliation(
    database: duckdb.DuckDBPyConnection,
    lines: Sequence[InvoiceLine],
    now: float,
    names: Mapping[str, str] | None = None,
) -> Report:
    """Explain what an invoice and the ledger say differently.

    Args:
        now: epoch seconds, of the question.
        names: the ledger's name of a model by the invoice's. A model whose name on the invoice is
            the ledger's with a date behind it needs none.
    """
    first, last = min(line.day for line in lines), max(line.day for line in lines)
    ask = Ask(now=now, start=_midnight(first), end=_midnight(last + timedelta(days=1)))
    held = choose(database, ask)
    booked = _booked(database, providers_of(lines))
    known = {(provider, model) for _, provider, model, _ in booked}
    billed = _billed(lines, known, names or {})
    _fold(booked, billed)
    coarse = sorted({one[1] for one in billed if not (one[2] or one[3])})
    compared = sorted(_compared(billed, booked), key=lambda one: one.key)
    causes = moved_between_days({one.key: causes_of(one) for one in compared})
    rows = [row for one in compared for row in _rows(one, causes[one.key])]
    totals = totals_of(_COLUMNS, rows)
    invoice, ledger, difference = (whole(totals[place]) for place in (7, 8, 9))
    return Report(
        name="reconcile",
        title="Invoice against ledger",
        columns=_COLUMNS,
        rows=tuple(rows),
        totals=totals,
        total_nanousd=ledger,
        ledger_nanousd=held,
        notes=(
            f"Invoice {nano_to_usd_text(invoice)} USD, ledger {nano_to_usd_text(ledger)} USD, "
            f"difference {nano_to_usd_text(difference)} USD.",
            *(
                f"The costs of {provider} are not grouped by line item: all models of a day are "
                "compared together."
                for provider in coarse
            ),
            *_summary(rows),
        ),
        since=ask.start,
        until=ask.end,
    )


def _summary(rows: Iterable[tuple[Cell, ...]]) -> Iterator[str]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[str(row[4])] = sums.get(str(row[4]), 0) + whole(row[9])
    for cause, amount in sorted(sums.items(), key=lambda one: -abs(one[1])):
        if amount:
            yield f"{cause}: {nano_to_usd_text(amount)} USD"


def _booked(database: duckdb.DuckDBPyConnection, providers: tuple[str, ...]) -> dict[Key, _Booked]:
    found = database.execute(
        f"SELECT moment::DATE, provider, model, {_CLASS_SQL} AS class, "
        "sum(quantity)::HUGEINT, coalesce(sum(quantity) FILTER (estimated), 0)::HUGEINT, "
        "sum(part_nanousd)::HUGEINT, sum(quantity::HUGEINT * rate)::HUGEINT, "
        "sum(quantity::HUGEINT * list_rate)::HUGEINT FROM parted "
        "WHERE NOT self_hosted AND list_contains(?, provider) "
        "AND (quantity != 0 OR part_nanousd != 0) GROUP BY ALL ORDER BY ALL",
        [list(providers)],
    ).fetchall()
    return {tuple(one[:4]): _Booked(*(int(cell) for cell in one[4:])) for one in found}


def _billed(
    lines: Sequence[InvoiceLine], known: set[tuple[str, str]], names: Mapping[str, str]
) -> dict[Key, _Billed]:
    """What is billed by key; both exports of one provider come together here.

    What any line tells of all models together is compared so, whatever other lines tell apart.
    """
    together = {(one.provider, one.token_class) for one in lines if not one.model}
    found: dict[Key, _Billed] = {}
    for line in lines:
        model, token_class = names.get(line.model) or _same_model(line, known), line.token_class
        if (line.provider, "") in together:
            if line.usd is None:
                continue  # Tokens of several models do not add up to anything.
            model, token_class = "", ""
        elif (line.provider, token_class) in together:
            model = ""
        found.setdefault((line.day, line.provider, model, token_class), _Billed()).add(line)
    return found


def _same_model(line: InvoiceLine, known: set[tuple[str, str]]) -> str:
    """The ledger's name of an invoice's model: the same, or one of both with a date behind it."""
    if not line.model or (line.provider, line.model) in known:
        return line.model
    ours = [model for provider, model in known if provider == line.provider]
    begins = [model for model in ours if _is_dated(line.model, model)]
    if begins:
        return max(begins, key=len)
    dated = [model for model in ours if _is_dated(model, line.model)]
    return dated[0] if len(dated) == 1 else line.model


def _is_dated(longer: str, shorter: str) -> bool:
    rest = longer.removeprefix(f"{shorter}-")
    return rest != longer and len(rest) > 3 and rest.replace("-", "").isdigit()


def _fold(booked: dict[Key, _Booked], billed: Iterable[Key]) -> None:
    """Where an invoice does not tell models or classes apart, neither does the comparison."""
    coarse = [one for one in billed if not (one[2] and one[3])]
    # A class of all models first, then all classes of a model, and what is left last.
    coarse.sort(key=lambda one: (not (one[2] or one[3]), bool(one[2])))
    for day, provider, model, token_class in coarse:
        together = _Booked()
        for key in [
            one
            for one in booked
            if one[:2] == (day, provider)
            and (not model or one[2] == model)
            and (not token_class or one[3] == token_class)
        ]:
            together.add(booked.pop(key))
        if any(getattr(together, name) for name in together.__struct_fields__):
            booked[day, provider, model, token_class] = together


def _compared(billed: Mapping[Key, _Billed], booked: Mapping[Key, _Booked]) -> Iterator[Compared]:
    priced = {key[1] for key, theirs in billed.items() if theirs.usd is not None}
    for key in {*billed, *booked}:
        theirs = billed.get(key, _Billed())
        usd, quantity = theirs.usd, theirs.quantity
        ours = booked.get(key, _Booked())
        rate = Fraction(ours.rated, ours.quantity * MILLION) if ours.quantity else None
        if usd is not None:
            invoice = round(Fraction(usd) * NANO)
        elif quantity is not None and key[1] not in priced:
            # The export has tokens only: they are priced as the ledger does.
            invoice = round(quantity * rate) if rate is not None else 0
        else:
            invoice = 0
        yield Compared(
            key=key,
            invoice=invoice,
            invoice_quantity=quantity,
            ledger=ours.nanousd,
            ledger_quantity=ours.quantity,
            estimated=ours.estimated,
            rate=rate,
            listed=divide_half_even(ours.listed, MILLION),
            rounded=round(Fraction(theirs.rounded_usd) * NANO),
            billed=key in billed,
            booked=key in booked,
        )


def _rows(one: Compared, causes: Sequence[Cause]) -> Iterator[tuple[Cell, ...]]:
    """A row for each cause; the amounts themselves stand on the first one."""
    day, provider, model, token_class = one.key
    place = (day.isoformat(), provider, model or "all", token_class or "all")
    for number, cause in enumerate(causes):
        amounts: tuple[Cell, ...] = (None, None, 0, 0)
        if number == 0:
            quantity = one.ledger_quantity if one.booked else None
            amounts = (one.invoice_quantity, quantity, one.invoice, one.ledger)
        yield (*place, cause.name, *amounts, cause.nanousd)


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
