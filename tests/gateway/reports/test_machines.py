"""Idle time and variance of own machines, wherever a report is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.deployment import Deployment
from gateway.core.money import NANO
from gateway.core.records import LedgerLine
from gateway.reports.asking import Ask, Background, ReportError
from gateway.reports.catalogue import REPORTS
from gateway.reports.rates import read_rates
from gateway.reports.shape import Report, whole
from tests.gateway.reports import focus_rules
from tests.gateway.reports.conftest import NOON, line
from tests.gateway.reports.test_focus import from_csv
from tests.gateway.reports.test_reports import DEPLOYMENTS, HOUSE, made, some_lines, told

Ledger = Callable[[Iterable[LedgerLine]], duckdb.DuckDBPyConnection]
OTHER = msgspec.structs.replace(HOUSE, name="barn", model="mistral")
MACHINES: dict[str, Deployment] = {**DEPLOYMENTS, "barn": OTHER}
KNOWN = Background(deployments=MACHINES)
WITH_IDLE = ("cost", "chargeback", "journal", "focus")


def bill_of(database: duckdb.DuckDBPyConnection, **asked: object) -> int:
    """What the report of own machines says that they cost."""
    return made("gpu", database, KNOWN, **asked).total_nanousd


def own(report: Report, column: str, **wanted: str) -> int:
    """The sum of a column over the rows that have these words."""
    place, places = report.column(column), {report.column(name): of for name, of in wanted.items()}
    rows = [row for row in report.rows if all(row[at] == of for at, of in places.items())]
    return sum(whole(row[place]) for row in rows)


@pytest.mark.parametrize("name", WITH_IDLE)
def test_a_report_adds_up_to_ledger_and_idle_time(ledger: Ledger, name: str) -> None:
    """The total has both, and the report says how much of it no line of the ledger has."""
    lines = [*some_lines(), line(request_id="r9", deployment="barn", model="mistral")]
    database, booked = ledger(lines), sum(one.cost_nanousd for one in lines)
    houses = sum(one.cost_nanousd for one in lines if one.deployment in ("house", "barn"))
    idle = bill_of(database) - houses
    report = made(name, database, KNOWN, idle=True)

    assert report.total_nanousd == booked + idle
    assert report.ledger_nanousd == booked
    assert any(note.startswith("Idle time and variance of own") for note in report.notes)
    assert made(name, database, KNOWN).total_nanousd == booked


calls = st.lists(
    st.tuples(
        st.sampled_from(("house", "barn", "frontier")),
        st.floats(NOON - 200 * 86_400, NOON - 60, allow_nan=False),
        st.integers(0, 10**12),
    ),
    min_size=1,
    max_size=12,
)
bills = st.dictionaries(st.sampled_from(("house", "barn")), st.integers(0, 10**14), max_size=2)


@settings(max_examples=20, deadline=None)
@given(calls=calls, bills=bills, zone=st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kolkata")))
def test_what_a_machine_costs_in_every_report_is_its_bill(
    ledger: Ledger, calls: list[tuple[str, float, int]], bills: dict[str, int], zone: str
) -> None:
    """To the nano-dollar, in each machine and month, whatever was used and whatever it cost."""
    database = ledger(
        line(
            request_id=f"r{number}",
            deployment=name,
            provider=MACHINES[name].provider,
            model=MACHINES[name].model,
            self_hosted=name != "frontier",
            at=at,
            cost_nanousd=cost,
        )
        for number, (name, at, cost) in enumerate(calls)
    )
    asked = {"bills": bills, "zone": zone}
    gpu = made("gpu", database, KNOWN, **asked)
    focus = made("focus", database, KNOWN, idle=True, **asked)
    cost = made("cost", database, KNOWN, idle=True, by=("month", "deployment"), **asked)
    journal = made("journal", database, KNOWN, idle=True, **asked)

    for name, given_bill in bills.items():
        if any(called == name for called, _, _ in calls):
            assert own(gpu, "cost_nanousd", deployment=name) == given_bill
    for name in ("house", "barn"):
        bill = own(gpu, "cost_nanousd", deployment=name)
        assert own(focus, "x_EffectiveCostNanousd", ResourceId=name) == bill
    for month, name in {(str(row[0]), str(row[1])) for row in gpu.rows}:
        bill = own(gpu, "cost_nanousd", month=month, deployment=name)
        assert own(cost, "cost_nanousd", month=month, deployment=name) == bill
    assert own(journal, "credit_nanousd", account="6490") == gpu.total_nanousd
    assert journal.totals[4] == journal.totals[5]


def test_idle_time_keeps_the_rules_of_focus(ledger: Ledger) -> None:
    """It is an Adjustment of the month's last day, and no usage."""
    lines = [line(self_hosted=True, at=NOON - 40 * 86_400), line(request_id="r2", self_hosted=True)]
    rows = from_csv(made("focus", ledger(lines), KNOWN, idle=True))
    idle = [row for row in rows if row["SkuMeter"] == "idle"]

    assert focus_rules.broken(rows) == set()
    assert [(row["ChargeCategory"], row["ChargePeriodStart"]) for row in idle] == [
        ("Adjustment", "2026-10-31T00:00:00Z"),
        ("Adjustment", "2026-11-23T00:00:00Z"),
    ]
    assert {row["ConsumedQuantity"] for row in idle} == {None}


def test_idle_time_is_nobodys_request(ledger: Ledger) -> None:
    """Counts of requests and attempts are what they are without it, and no team has to pay it."""
    database = ledger([line(self_hosted=True, at=NOON - 36_000)])
    report = made("chargeback", database, KNOWN, idle=True)
    counted = made("cost", database, KNOWN, idle=True, by=("kind",))

    assert told(report, "team", "route", "requests") == [
        ("", "idle and variance", 0),
        ("support", "all", 1),
    ]
    assert told(counted, "kind", "requests", "attempts") == [("idle", 0, 0), ("settle", 1, 1)]
    assert counted.totals[counted.column("requests")] == 1


def test_idle_time_is_in_another_currency_too(ledger: Ledger) -> None:
    """A journal in euros balances, and credits the bill."""
    rates = read_rates("date,currency,rate\n2026-01-01,EUR,0.5\n", "EUR", "UTC", "rates.csv")
    known = Background(deployments=MACHINES, rates=rates)
    database = ledger([line(self_hosted=True, at=NOON - 36_000)])
    report = made("journal", database, known, idle=True)

    assert report.totals[4] == report.totals[5] == 10 * NANO
    assert {row[1] for row in report.rows} == {"6400", "6490", "6495"}


def test_several_organisations_share_idle_time(ledger: Ledger) -> None:
    """Nobody alone is to blame for it, so it stands under none of their names."""
    lines = [line(self_hosted=True), line(request_id="r2", org="other", self_hosted=True)]
    report = made("cost", ledger(lines), KNOWN, idle=True, by=("org", "kind"))

    assert ("(shared)", "idle") in told(report, "org", "kind")


def test_a_ledger_without_own_machines_has_no_idle_time(ledger: Ledger) -> None:
    """It says so, and the report is what it is without."""
    report = made("cost", ledger([line(deployment="frontier")]), KNOWN, idle=True)

    assert report.total_nanousd == 40
    assert report.notes[-1] == (
        "No own machine with an hourly price was used, so there is no idle time."
    )


def test_a_bill_of_no_machine_is_refused(ledger: Ledger) -> None:
    """A wrong name would leave the real machine at its price by the hour."""
    ask = Ask(now=NOON, idle=True, bills={"hose": NANO})
    with pytest.raises(ReportError, match="names hose, which is no own machine"):
        REPORTS["focus"](ledger([line()]), ask, KNOWN)
