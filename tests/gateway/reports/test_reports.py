"""What each report beside the cost report tells, and that all of them tie out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.price_book import load_price_book
from gateway.core.deployment import Deployment
from gateway.core.ledger import correction_of
from gateway.core.money import MILLION, NANO, divide_half_even, usd_to_nano
from gateway.core.prices import Machine, Price, PriceCase, price_at
from gateway.core.records import LedgerLine
from gateway.core.sensitivity import Sensitivity
from gateway.core.usage import Usage, quantities
from gateway.reports.asking import Ask, Background, Plan, ReportError
from gateway.reports.catalogue import REPORTS
from gateway.reports.journal import shared_out
from gateway.reports.shape import Report, subtotals_of
from tests.gateway.reports.conftest import NOON, line

Ledger = Callable[[Iterable[LedgerLine]], duckdb.DuckDBPyConnection]

API_PRICE = Price(input=2 * NANO, output=10 * NANO, cached_input=NANO, cache_write=2 * NANO)
HOUSE = Deployment(
    name="house",
    adapter="openai_compatible",
    model="llama",
    clearance=Sensitivity.RESTRICTED,
    self_hosted=True,
    provider="vllm",
    price=Price(
        input=NANO,
        output=NANO,
        cached_input=NANO,
        cache_write=NANO,
        machine=Machine(
            hour_nanousd=2 * NANO,
            input_tokens_per_second=1000.0,
            output_tokens_per_second=100.0,
            utilisation=0.5,
        ),
    ),
)
FRONTIER = Deployment(
    name="frontier",
    adapter="openai",
    model="gpt",
    clearance=Sensitivity.INTERNAL,
    provider="openai",
    price=API_PRICE,
)
DEPLOYMENTS = {"house": HOUSE, "frontier": FRONTIER}


def made(
    name: str, database: duckdb.DuckDBPyConnection, known: Background | None = None, **asked: object
) -> Report:
    """A report, asked at 15:30 on 2026-11-23."""
    ask = msgspec.convert({"now": NOON, **asked}, Ask)
    return REPORTS[name](database, ask, known or Background())


def told(report: Report, *names: str) -> list[tuple[object, ...]]:
    """The rows with these columns only."""
    places = [report.column(name) for name in names]
    return [tuple(row[place] for place in places) for row in report.rows]


def some_lines() -> list[LedgerLine]:
    """A month of everything: fallback, aborted stream, in doubt and corrected, two teams."""
    gone = line(request_id="r6", kind="in_doubt", outcome="in_doubt", cost_nanousd=1000)
    return [
        line(request_id="r1", attempt=1, deployment="frontier", outcome="timeout", cost_nanousd=7),
        line(request_id="r1", attempt=2, self_hosted=True, gpu_seconds=1800.0),
        line(request_id="r2", outcome="cancelled", stream=True, cost_nanousd=11),
        line(
            request_id="r3", team="legal", provider="openai", deployment="frontier", unpriced=True
        ),
        line(request_id="r4", team="legal", usage=Usage(estimated=True), list_nanousd=50),
        line(request_id="r5", outcome="timeout", attempt=1, cost_nanousd=3),
        line(request_id="r5", outcome="timeout", attempt=2, cost_nanousd=4),
        gone,
        correction_of(gone, line(request_id="r6", cost_nanousd=400)),
        line(request_id="r7", kind="in_doubt", outcome="in_doubt", cost_nanousd=600),
        line(request_id="r8", spooled=True, at=NOON - 40 * 86400),
    ]


def test_a_chargeback_has_a_statement_for_each_team_with_its_reasons(ledger: Ledger) -> None:
    """Lines, subtotals and why policy routed them so; discounts are seen beside the list."""
    report = made("chargeback", ledger(some_lines()), Background(because={"all": "Everyone may."}))

    place = report.column("cost_nanousd")
    subtotals = {group[0]: totals[place] for group, totals in subtotals_of(report).items()}
    assert subtotals == {"legal": 80, "support": 1105}
    assert set(told(report, "route", "because")) == {("all", "Everyone may.")}
    assert report.totals[report.column("discount_nanousd")] == 10
    assert report.totals[report.column("correction_nanousd")] == -600


def test_waste_tells_why_each_attempt_bought_nothing(ledger: Ledger) -> None:
    """One cause for each attempt; one that was settled late and well is no waste."""
    report = made("waste", ledger(some_lines()), by=("team",))

    assert sorted(told(report, "cause", "outcome", "attempts", "cost_nanousd")) == [
        ("aborted stream", "cancelled", 1, 11),
        ("failed for good", "timeout", 1, 4),
        ("fell back", "timeout", 1, 7),
        ("gateway died", "in_doubt", 1, 600),
        ("retried", "timeout", 1, 3),
    ]
    assert report.total_nanousd == 625
    assert report.notes == ("5 of 10 attempts",)


def test_an_answer_that_failed_its_check_was_paid_for_in_vain(ledger: Ledger) -> None:
    """What a cascade sent on is waste; what passed and the samples it compared are not."""
    lines = [
        line(attempt=1, because="check: sample", cost_nanousd=1),
        line(attempt=2, because="check: schema", cost_nanousd=2),
        line(attempt=3, deployment="frontier", cost_nanousd=4),
        line(request_id="r2", because="check: passed", cost_nanousd=8),
    ]
    report = made("waste", ledger(lines), by=())

    assert told(report, "cause", "attempts", "cost_nanousd") == [("answer failed a check", 1, 2)]


def test_exceptions_are_filed_under_what_is_uncertain(ledger: Ledger) -> None:
    """Every uncertain line once, with a request to look up."""
    report = made("exceptions", ledger(some_lines()), by=("team",))

    assert told(report, "exception", "team", "lines", "example", "cost_nanousd") == [
        ("correction", "support", 1, "r6", -600),
        ("estimated", "legal", 1, "r4", 40),
        ("in doubt", "support", 1, "r7", 600),
        ("in doubt, corrected since", "support", 1, "r6", 1000),
        ("kept on disk while Redis was away", "support", 1, "r8", 40),
        ("unpriced", "legal", 1, "r3", 40),
    ]


def test_a_budget_has_plan_actual_and_a_named_forecast(ledger: Ledger) -> None:
    """The forecast of a month goes on at the pace so far; a kind of scope is each of its own."""
    plans = (
        Plan(scope="team/*", per="month", cap_nanousd=10_000),
        Plan(scope="team/legal", per="month", cap_nanousd=0),
        Plan(scope="org/acme", per="total", cap_nanousd=5_000),
    )
    report = made("budget", ledger(some_lines()), Background(plans=plans))

    gone, whole = 22 * 86400 + 15.5 * 3600, 30 * 86400
    assert told(report, "scope", "plan_nanousd", "actual_nanousd", "forecast_nanousd", "used") == [
        ("team/support", 10_000, 1065, round(1065 * whole / gone), 0.1065),
        ("team/legal", 0, 80, round(80 * whole / gone), None),
        ("org/acme", 5_000, 1185, 1185, 0.237),
    ]
    assert told(report, "period", "method")[0] == ("2026-11", "run-rate")


def test_the_forecast_of_the_last_days_counts_those_only(ledger: Ledger) -> None:
    """What was spent early in the month does not move it."""
    plans = (Plan(scope="team/support", per="month", cap_nanousd=10_000),)
    early = line(request_id="r2", at=NOON - 15 * 86400, cost_nanousd=9_000)
    recent = line(at=NOON - 86400, cost_nanousd=700)
    report = made("budget", ledger([early, recent]), Background(plans=plans), method="last-7-days")

    left = (30 - 22) * 86400 - 15.5 * 3600
    assert told(report, "forecast_nanousd") == [(9_700 + round(700 * left / (7 * 86400)),)]


def test_an_unknown_forecast_is_refused(ledger: Ledger) -> None:
    """The message names those that exist."""
    with pytest.raises(ReportError, match="'magic' is no way to forecast; use: run-rate"):
        made("budget", ledger([]), method="magic")


def list_price(provider: str, model: str) -> Price | None:
    """The list knows one model, dearer above 1000 tokens."""
    if (provider, model) != ("openai", "gpt"):
        return None
    dear = msgspec.structs.replace(API_PRICE, input=4 * NANO)
    return msgspec.structs.replace(API_PRICE, cases=(PriceCase(price=dear, above=1000),))


def test_savings_are_against_the_list_price_of_each_answered_call(ledger: Ledger) -> None:
    """Tokens by class at the price of their size; failed attempts only cost us."""
    lines = [
        line(usage=Usage(input_tokens=500, cached_input_tokens=100, output_tokens=50)),
        line(request_id="r2", usage=Usage(input_tokens=2000, output_tokens=10)),
        line(request_id="r3", outcome="timeout", usage=Usage(input_tokens=9), cost_nanousd=5),
    ]
    report = made(
        "savings", ledger(lines), Background(price_of=list_price), against=("openai/gpt",)
    )

    counterfactual = (400 * 2 + 100 * 1 + 50 * 10 + 2000 * 4 + 10 * 10) * 1000
    assert told(report, "requests", "actual_nanousd", "counterfactual_nanousd") == [
        (2, 85, counterfactual)
    ]
    assert told(report, "savings_nanousd") == [(counterfactual - 85,)]
    assert "Counterfactual" in report.notes[0]


usages = st.builds(
    lambda read, cached, written, thought, tier: Usage(
        input_tokens=read,
        cached_input_tokens=min(cached, read),
        output_tokens=written,
        reasoning_tokens=min(thought, written),
        service_tier=tier,
    ),
    read=st.integers(0, 300_000),
    cached=st.integers(0, 300_000),
    written=st.integers(0, 5000),
    thought=st.integers(0, 5000),
    tier=st.sampled_from(["", "flex"]),
)


@settings(max_examples=30, deadline=None)
@given(
    place=st.sampled_from(
        ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-pro"]
    ),
    calls=st.lists(st.tuples(usages, st.floats(NOON - 6e7, NOON)), min_size=1, max_size=8),
)
def test_counterfactuals_are_what_the_price_book_says_of_each_call(
    ledger: Ledger, place: str, calls: list[tuple[Usage, float]]
) -> None:
    """Prices by date, hour and size of the prompt hold for each line, at the standard tier."""
    book = load_price_book(NOON)
    provider, model = place.split("/")
    price = book.price_of(provider, model)
    assert price is not None
    lines = [
        line(request_id=f"r{number}", usage=usage, at=at)
        for number, (usage, at) in enumerate(calls)
    ]
    report = made("savings", ledger(lines), Background(price_of=book.price_of), against=(place,))

    exact = sum(
        count * price_at(price, plain, at).rate(name)
        for usage, at in calls
        for plain in (msgspec.structs.replace(usage, service_tier=""),)
        for name, count in quantities(usage)
    )
    assert told(report, "counterfactual_nanousd") == [(divide_half_even(exact, MILLION),)]


def test_budgets_of_keys_and_tags_are_told_by_their_own_lines(ledger: Ledger) -> None:
    """Every kind of scope that a policy may name."""
    plans = tuple(
        Plan(scope=scope, per="total", cap_nanousd=1000)
        for scope in ("key/k1", "tag/project=*", "deployment/house", "provider/vllm", "user/ann")
    )
    lines = [
        line(tags={"project": "x"}),
        line(request_id="r2", key_id="k2", user="ann", cost_nanousd=1),
    ]
    report = made("budget", ledger(lines), Background(plans=plans))

    assert told(report, "scope", "actual_nanousd") == [
        ("key/k1", 40),
        ("tag/project=x", 40),
        ("deployment/house", 41),
        ("provider/vllm", 41),
        ("user/ann", 1),
    ]


def test_an_unknown_baseline_is_refused(ledger: Ledger) -> None:
    """A baseline without a list price cannot be reckoned with."""
    with pytest.raises(ReportError, match="does not know 'acme/x'"):
        made("savings", ledger([line()]), against=("acme/x",))


def test_standard_cost_and_idle_time_are_the_bill(ledger: Ledger) -> None:
    """Ten hours at $2, half an hour of them busy; what the tokens did not pay for is idle."""
    lines = [line(at=NOON - 36_000, gpu_seconds=1800.0, cost_nanousd=NANO, self_hosted=True)]
    report = made("gpu", ledger(lines), Background(deployments=DEPLOYMENTS))

    assert told(report, "row", "utilisation", "cost_nanousd") == [
        ("standard cost", 0.05, NANO),
        ("idle and variance", None, 19 * NANO),
    ]
    assert report.total_nanousd == 20 * NANO
    assert report.notes[0].startswith("house is cheaper than frontier from ")


def test_a_real_bill_stands_instead_of_the_hours(ledger: Ledger) -> None:
    """Spread over the months of the span by their hours, and exact together."""
    lines = [line(at=NOON - 40 * 86400, cost_nanousd=NANO), line(request_id="r2")]
    bill = usd_to_nano("123.45")
    report = made("gpu", ledger(lines), Background(deployments=DEPLOYMENTS), bills={"house": bill})

    assert report.total_nanousd == bill
    assert [row[0] for row in report.rows] == ["2026-10", "2026-10", "2026-11", "2026-11"]


def test_total_cost_counts_whole_machines_and_says_what_it_assumes(ledger: Ledger) -> None:
    """Cheapest first; the mix is given or the ledger's."""
    report = made(
        "tco", ledger([]), Background(deployments=DEPLOYMENTS), tokens=10**9, input_share=0.5
    )

    # 500M read at 1000/s and written at 100/s: 1527.8 busy hours; at half load 5 machines.
    assert told(report, "deployment", "machines", "month_nanousd") == [
        ("frontier", None, 6_000 * NANO),
        ("house", 5, int(5 * 2 * 730.5 * NANO)),
    ]
    assert "50.0% of the tokens are input" in report.notes[0]


def test_a_journal_balances_in_every_month(ledger: Ledger) -> None:
    """Debits of teams equal credits of providers, exact and in cents."""
    report = made("journal", ledger(some_lines()), accounts={"payable": "2200"})

    debit, credit = report.totals[4], report.totals[5]
    assert debit == credit == report.total_nanousd == report.ledger_nanousd
    assert report.totals[6] == report.totals[7]
    assert {row[1] for row in report.rows} == {"6400", "2200", "6490"}
    assert {row[0] for row in report.rows} == {"2026-10-31", "2026-11-30"}


def test_cents_are_shared_out_by_the_largest_remainders() -> None:
    """Three thirds of a dollar are a dollar, also when they are taken back."""
    third = NANO // 3

    assert shared_out([third, third, third + 1], 2) == [33, 33, 34]
    assert sum(shared_out([-third, -third, -third - 1], 2)) == -100


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_knows_the_whole_ledger(ledger: Ledger, name: str) -> None:
    """What a report leaves out is seen: it says what the ledger holds for the span."""
    lines = some_lines()
    known = Background(deployments=DEPLOYMENTS, price_of=list_price)
    report = made(name, ledger(lines), known, against=("openai/gpt",))

    assert report.ledger_nanousd == sum(each.cost_nanousd for each in lines)


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_can_be_empty(ledger: Ledger, name: str) -> None:
    """A fresh installation has reports, too."""
    known = Background(deployments=DEPLOYMENTS, price_of=list_price)

    assert made(name, ledger([]), known, against=("openai/gpt",)).ledger_nanousd == 0
