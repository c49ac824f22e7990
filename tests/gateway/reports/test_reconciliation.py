"""Invoices are explained to the nano-dollar, by day, model and cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.money import NANO, usd_to_nano
from gateway.core.prices import CostPart, Price, cost_parts, discounted
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.reports import causes
from gateway.reports.invoices.lines import InvoiceLine
from gateway.reports.reconciliation import reconciliation
from gateway.reports.shape import Report
from tests.gateway.reports.conftest import NOON, line

Ledger = Callable[[Iterable[LedgerLine]], duckdb.DuckDBPyConnection]

DAY = date(2026, 11, 23)
#: $2 and $8 a million tokens read and written.
PRICE = Price(input=2 * NANO, output=8 * NANO, cached_input=NANO, cache_write=2 * NANO)


def call(read: int, written: int, price: Price = PRICE, **fields: Any) -> LedgerLine:
    """A call to an outside model."""
    usage = Usage(input_tokens=read, output_tokens=written, **fields.pop("usage", {}))
    parts = cost_parts(usage, price)
    known = {"provider": "openai", "model": "gpt-4o", "deployment": "frontier"}
    return line(
        **{**known, **fields},
        usage=usage,
        parts=parts,
        cost_nanousd=sum(part.cost_nanousd for part in parts),
    )


def billed(token_class: str, usd: str | None = None, **fields: Any) -> InvoiceLine:
    """A line of the invoice for that model and day."""
    known: dict[str, Any] = {"day": DAY, "provider": "openai", "model": "gpt-4o-2024-08-06"}
    amount = Decimal(usd) if usd is not None else None
    return InvoiceLine(**{**known, **fields}, token_class=token_class, usd=amount)


def explained(report: Report) -> list[tuple[object, ...]]:
    """Day, class, cause and difference of every row."""
    places = [report.column(name) for name in ("day", "token_class", "cause")]
    place = report.column("difference_nanousd")
    return [(*(row[at] for at in places), row[place]) for row in report.rows]


def test_an_invoice_that_agrees_says_so(ledger: Ledger) -> None:
    """A date behind the model's name is no difference, and thinking is part of the output."""
    calls = [call(1_000_000, 100_000, usage={"reasoning_tokens": 40_000})]
    report = reconciliation(ledger(calls), [billed("input", "2"), billed("output", "0.8")], NOON)

    assert explained(report) == [
        ("2026-11-23", "input", causes.AGREES, 0),
        ("2026-11-23", "output", causes.AGREES, 0),
    ]
    assert report.notes[0].endswith("difference 0.000000000 USD.")


def test_quantity_and_price_are_told_apart_where_quantities_are_billed(ledger: Ledger) -> None:
    """More tokens at our rate, and then another rate for the invoice's tokens."""
    report = reconciliation(
        ledger([call(1_000_000, 0)]), [billed("input", "3.3", quantity=1_100_000)], NOON
    )

    assert explained(report) == [
        ("2026-11-23", "input", causes.QUANTITY, usd_to_nano("0.2")),
        ("2026-11-23", "input", causes.PRICE, usd_to_nano("1.1")),
    ]


def test_costs_and_usage_of_the_same_days_are_read_together(ledger: Ledger) -> None:
    """Money from one export and tokens from the other make one line."""
    lines = [billed("input", "2.2"), billed("input", quantity=1_100_000)]
    report = reconciliation(ledger([call(1_000_000, 0)]), lines, NOON)

    assert explained(report) == [("2026-11-23", "input", causes.QUANTITY, usd_to_nano("0.2"))]


def test_a_usage_export_alone_is_priced_as_the_ledger_does(ledger: Ledger) -> None:
    """Tokens can be compared without any money on the invoice."""
    report = reconciliation(ledger([call(1_000_000, 0)]), [billed("input", quantity=900_000)], NOON)

    assert explained(report) == [("2026-11-23", "input", causes.QUANTITY, -usd_to_nano("0.2"))]


def test_a_discount_that_was_not_given_is_found(ledger: Ledger) -> None:
    """The invoice has the list price for what we booked at the agreed one."""
    agreed = discounted(PRICE, Decimal("0.25"))
    report = reconciliation(ledger([call(1_000_000, 0, agreed)]), [billed("input", "2")], NOON)

    assert explained(report) == [("2026-11-23", "input", causes.DISCOUNT, usd_to_nano("0.5"))]


def test_what_only_one_side_has_is_named(ledger: Ledger) -> None:
    """Calls around the gateway, calls never billed, and money held for calls that died."""
    doubtful = line(
        kind="in_doubt",
        outcome="in_doubt",
        provider="openai",
        model="gpt-4o",
        usage=Usage(estimated=True),
        cost_nanousd=70,
        parts=(CostPart("in_doubt", 0, 0, 70, 0),),
        request_id="r2",
    )
    lines = [billed("input", "2"), billed("input", "5", model="o9")]
    report = reconciliation(ledger([call(1_000_000, 1000), doubtful]), lines, NOON)

    assert explained(report) == [
        ("2026-11-23", "in_doubt", causes.IN_DOUBT, -70),
        ("2026-11-23", "input", causes.AGREES, 0),
        ("2026-11-23", "output", causes.NOT_BILLED, -8_000_000),
        ("2026-11-23", "input", causes.NOT_BOOKED, 5 * NANO),
    ]


def test_estimates_of_ours_explain_a_quantity(ledger: Ledger) -> None:
    """Where we had to count ourselves, another count is no surprise."""
    report = reconciliation(
        ledger([call(1_000_000, 0, usage={"estimated": True})]), [billed("input", "1.9")], NOON
    )

    assert explained(report) == [("2026-11-23", "input", causes.ESTIMATED, -usd_to_nano("0.1"))]


def test_requests_at_midnight_are_counted_on_another_day(ledger: Ledger) -> None:
    """What one day lacks and the next has too much is one thing, not two."""
    calls = [call(1_000_000, 0), call(1_000_000, 0, request_id="r2", at=NOON + 86400)]
    following = DAY + timedelta(days=1)
    lines = [
        billed("input", "1.8", quantity=900_000),
        billed("input", "2.3", quantity=1_150_000, day=following),
    ]
    report = reconciliation(ledger(calls), lines, NOON)

    assert explained(report) == [
        ("2026-11-23", "input", causes.OTHER_DAY, -usd_to_nano("0.2")),
        ("2026-11-24", "input", causes.OTHER_DAY, usd_to_nano("0.2")),
        ("2026-11-24", "input", causes.QUANTITY, usd_to_nano("0.1")),
    ]


def test_an_invoice_without_classes_is_compared_by_model(ledger: Ledger) -> None:
    """The classes of the ledger are folded, and the name may be given."""
    report = reconciliation(
        ledger([call(1_000_000, 100_000)]),
        [billed("", "2.8", model="Our agreed model")],
        NOON,
        {"Our agreed model": "gpt-4o"},
    )

    assert explained(report) == [("2026-11-23", "all", causes.AGREES, 0)]


def test_own_machines_and_other_days_are_not_compared(ledger: Ledger) -> None:
    """An invoice is of its own days, and nobody bills our machines."""
    calls = [
        call(1_000_000, 0),
        call(5, 5, request_id="r2", at=NOON - 86400),
        call(5, 5, request_id="r3", self_hosted=True),
        call(5, 5, request_id="r4", provider="anthropic"),
    ]
    report = reconciliation(ledger(calls), [billed("input", "2")], NOON)

    assert explained(report) == [("2026-11-23", "input", causes.AGREES, 0)]


CLASSES = ("input", "output", "cached_input", "")
DAYS = st.sampled_from([DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)])


def at_noon(day: date) -> float:
    """Noon of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(
        st.builds(
            lambda read, written, model, day: call(read, written, model=model, at=at_noon(day)),
            read=st.integers(0, 10**7),
            written=st.integers(0, 10**6),
            model=st.sampled_from(["gpt-4o", "o3"]),
            day=DAYS,
        ),
        max_size=6,
    ),
    invoice=st.lists(
        st.builds(
            lambda token_class, usd, quantity, model, day: billed(
                token_class, usd, quantity=quantity, model=model, day=day
            ),
            token_class=st.sampled_from(CLASSES),
            usd=st.one_of(st.none(), st.decimals(-5, 50, places=7).map(str)),
            quantity=st.one_of(st.none(), st.integers(0, 10**7)),
            model=st.sampled_from(["gpt-4o-2024-08-06", "o3", "Image models"]),
            day=DAYS,
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_the_causes_always_add_up_to_the_difference(
    ledger: Ledger, calls: list[LedgerLine], invoice: list[InvoiceLine]
) -> None:
    """Whatever both say: invoice less ledger is the sum of the rows, and no line is lost."""
    report = reconciliation(ledger(calls), invoice, NOON)
    billed_total, booked, difference = report.totals[7:10]

    assert isinstance(billed_total, int)
    assert isinstance(booked, int)
    assert difference == billed_total - booked
    assert booked == report.ledger_nanousd
    if all(one.usd is not None for one in invoice):
        exact = sum((one.usd or Decimal()) for one in invoice) * NANO
        assert abs(billed_total - exact) <= len(invoice)


def test_a_total_of_a_day_is_compared_with_all_models(ledger: Ledger) -> None:
    """And the report says that it cannot tell more; tokens of models are then of no use."""
    calls = [call(1_000_000, 0), call(0, 1_000_000, model="gpt-4.1")]
    day = billed("", "10.5", model="")
    report = reconciliation(ledger(calls), [day, billed("input", quantity=5)], NOON)

    ((*_, cause, difference),) = explained(report)
    assert (cause, difference) == (causes.UNEXPLAINED, NANO // 2)
    assert report.rows[0][report.column("model")] == "all"
    assert "costs of openai are not grouped by line item" in report.notes[1]


def test_searches_without_a_model_are_those_of_all_models(ledger: Ledger) -> None:
    """Providers bill them so; what their usage tells by model is added up."""
    price = msgspec.structs.replace(PRICE, web_search=10_000 * NANO)
    calls = [
        call(0, 100, price, usage={"web_searches": 1}, model=name) for name in ("gpt-4o", "gpt-4.1")
    ]
    lines = [
        billed("web_search", "0.02", model=""),
        billed("web_search", quantity=1, model="gpt-4o"),
        billed("web_search", quantity=1, model="gpt-4.1"),
    ]
    report = reconciliation(ledger(calls), lines, NOON)

    found = [row for row in explained(report) if row[1] == "web_search"]
    assert found == [(DAY.isoformat(), "web_search", causes.AGREES, 0)]


def test_amounts_in_cents_are_off_by_rounding(ledger: Ledger) -> None:
    """Half a cent for each row of the export, and not a coin more."""
    cents = {"rounded_usd": Decimal("0.005"), "provider": "anthropic", "model": "claude-haiku-4-5"}
    calls = [
        call(1_000, 0, provider="anthropic", model="claude-haiku-4-5-20251001"),
    ]
    near = reconciliation(ledger(calls), [billed("input", "0.00", **cents)], NOON)
    far = reconciliation(ledger(calls), [billed("input", "0.01", **cents)], NOON)

    assert [row[2] for row in explained(near)] == [causes.ROUNDING]
    assert [row[2] for row in explained(far)] == [causes.UNEXPLAINED]


def test_a_name_without_a_date_is_the_only_one_with_a_date(ledger: Ledger) -> None:
    """Of two it is neither: nothing is guessed."""
    names = ("claude-x-20250101", "claude-x-20260101")
    calls = [call(1_000_000, 0, provider="anthropic", model=name) for name in names]
    theirs = [billed("input", "2", provider="anthropic", model="claude-x")]

    one = reconciliation(ledger(calls[:1]), theirs, NOON)
    two = reconciliation(ledger(calls), theirs, NOON)

    assert [row[2] for row in explained(one)] == [causes.AGREES]
    assert len(two.rows) == 3
