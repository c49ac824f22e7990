"""FOCUS files: the standard's own rules, and amounts that tie out."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from io import StringIO
from pathlib import Path

import duckdb
import pytest

from gateway.core.ledger import correction_of
from gateway.core.money import NANO
from gateway.core.prices import CostPart, Price, cost_of, cost_parts, discounted
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.reports.asking import Ask, Background
from gateway.reports.focus import focus_report
from gateway.reports.forms import FORMS
from gateway.reports.shape import Report
from tests.gateway.reports import focus_rules
from tests.gateway.reports.conftest import NOON, line

Ledger = Callable[[Iterable[LedgerLine]], duckdb.DuckDBPyConnection]
Rows = list[focus_rules.Row]

LISTED = Price(
    input=5 * NANO // 2,
    output=10 * NANO,
    cached_input=5 * NANO // 4,
    cache_write=5 * NANO // 2,
    web_search=10_000 * NANO,
    per_request=1000,
)
AGREED = discounted(LISTED, Decimal("0.07"))
OWN = Price(input=1_234_567, output=7_654_321, cached_input=1_234_567, cache_write=1_234_567)


def settled(number: int, rng: random.Random) -> LedgerLine:
    """A line at home or outside, with a discount outside, on one of some days."""
    own = rng.random() < 0.4
    price = OWN if own else AGREED
    usage = Usage(
        input_tokens=rng.randint(10, 9000),
        cached_input_tokens=rng.randint(0, 9),
        output_tokens=rng.randint(1, 500),
        reasoning_tokens=rng.choice((0, 1)),
        web_searches=0 if own else rng.randint(0, 1),
    )
    parts = cost_parts(usage, price)
    return line(
        request_id=f"r{number}",
        team=rng.choice(("support", "legal", "")),
        app=rng.choice(("", "bot")),
        at=NOON + rng.randint(-20, 20) * 43_000,
        model="llama" if own else "gpt-4o",
        provider="vllm" if own else "openai",
        deployment="house" if own else "frontier",
        self_hosted=own,
        usage=usage,
        parts=parts,
        cost_nanousd=sum(part.cost_nanousd for part in parts),
        list_nanousd=None if own else cost_of(usage, LISTED),
    )


@pytest.fixture(scope="module")
def lines() -> list[LedgerLine]:
    """Two hundred requests, some in doubt, some of these settled later."""
    rng = random.Random(12)
    made: list[LedgerLine] = []
    for number in range(200):
        one = settled(number, rng)
        if rng.random() < 0.1:
            held = 3 * one.cost_nanousd + 1
            doubtful = line(
                **{name: getattr(one, name) for name in ("request_id", "team", "app", "at")},
                **{name: getattr(one, name) for name in ("model", "provider", "deployment")},
                **{"kind": "in_doubt", "outcome": "in_doubt", "self_hosted": one.self_hosted},
                **{"usage": Usage(estimated=True), "cost_nanousd": held},
                parts=(CostPart("in_doubt", 0, 0, held, 0),),
            )
            made += [doubtful, correction_of(doubtful, one)] if number % 2 else [doubtful]
        else:
            made.append(one)
    return made


@pytest.fixture(scope="module")
def report(ledger: Ledger, lines: list[LedgerLine]) -> Report:
    """Those lines in Berlin's days and months."""
    ask = Ask(now=NOON, zone="Europe/Berlin")
    return focus_report(ledger(lines), ask, Background())


def from_csv(report: Report) -> Rows:
    """The rows as a reader of the CSV file has them."""
    text = FORMS["csv"].write(report).decode()
    return [
        {name: cell or None for name, cell in row.items()} for row in csv.DictReader(StringIO(text))
    ]


def test_a_file_breaks_none_of_the_rules(report: Report) -> None:
    """Every rule of the standard that the rows can break holds."""
    assert focus_rules.broken(from_csv(report)) == set()


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("ListCost", "1.0", "ListUnitPrice-C-010-C"),
        ("ContractedUnitPrice", None, "ContractedUnitPrice-C-006-C"),
        ("InvoiceIssuerName", "nobody", "BilledCost-C-005-C"),
        ("SkuId", "another", "SkuPriceId-C-008-M"),
        ("ChargePeriodStart", "2026-11-01", "DateTimeFormat-A-000-M: ChargePeriodStart"),
        ("ConsumedUnit", None, "ConsumedUnit-C-006-C"),
        ("EffectiveCost", None, "EffectiveCost is null"),
    ],
)
def test_the_ported_rules_find_what_is_wrong(
    report: Report, column: str, text: str | None, rule: str
) -> None:
    """A file with one wrong value is found out, so that the test above means something."""
    rows = from_csv(report)
    first = next(
        row for row in rows if row["ChargeCategory"] == "Usage" and row["ChargeClass"] is None
    )
    first[column] = text

    assert rule in focus_rules.broken(rows)


def test_amounts_add_up_to_the_ledger_in_csv_and_parquet(
    report: Report, lines: list[LedgerLine], tmp_path: Path
) -> None:
    """Effective and billed cost are the ledger's own, exactly; Parquet has the integers, too."""
    total = sum(each.cost_nanousd for each in lines)
    rows = from_csv(report)
    path = tmp_path / "focus.parquet"
    path.write_bytes(FORMS["parquet"].write(report))
    with duckdb.connect() as database:
        told = database.execute(
            "SELECT sum(x_EffectiveCostNanousd), typeof(any_value(EffectiveCost)), "
            "typeof(any_value(ChargePeriodStart)) FROM read_parquet(?)",
            [str(path)],
        ).fetchone()

    for column in ("EffectiveCost", "BilledCost"):
        assert sum(Decimal(row[column] or "") for row in rows) * NANO == total
    assert told == (total, "DOUBLE", "TIMESTAMP WITH TIME ZONE")
    assert report.total_nanousd == report.ledger_nanousd == total


def test_list_cost_is_the_public_price_of_the_quantity(ledger: Ledger) -> None:
    """A discount is the difference of list and contracted cost, exact to the last decimal."""
    usage = Usage(input_tokens=3)
    one = line(usage=usage, parts=cost_parts(usage, AGREED), cost_nanousd=cost_of(usage, AGREED))
    rows = from_csv(focus_report(ledger([one]), Ask(now=NOON), Background()))
    tokens = next(row for row in rows if row["PricingUnit"] == "Tokens")

    assert (tokens["ListUnitPrice"], tokens["ListCost"]) == ("0.0000025", "0.0000075")
    assert (tokens["ContractedUnitPrice"], tokens["ContractedCost"]) == (
        *("0.000002325", "0.000006975"),
    )


def test_corrections_are_rows_of_their_own_and_own_machines_are_included(report: Report) -> None:
    """What was learnt later is a Correction; who runs a machine provides and invoices it."""
    rows = from_csv(report)

    classes = {(row["ChargeCategory"], row["ChargeClass"]) for row in rows}
    assert classes == {
        ("Usage", None),
        ("Usage", "Correction"),
        ("Adjustment", None),
        ("Adjustment", "Correction"),
    }
    own = [row for row in rows if row["PublisherName"] == "vllm"]
    assert own
    assert {row["InvoiceIssuerName"] for row in own} == {"Self-hosted"}


def test_days_and_months_begin_at_the_zones_midnight(report: Report) -> None:
    """Berlin's November begins an hour before Greenwich's."""
    rows = from_csv(report)

    assert {row["BillingPeriodStart"] for row in rows} >= {"2026-10-31T23:00:00Z"}
    assert all((row["ChargePeriodStart"] or "").endswith("T23:00:00Z") for row in rows)
