"""Periods, refusals and corrections, by themselves; the twin's agreement is tested with Lua."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.budgets import BudgetCounter, BudgetUse, refusal
from gateway.core.ledger import correction_of
from gateway.core.periods import PERIODS, period_end, period_of
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage

#: A Thursday in a leap year's last quarter.
MOMENT = datetime(2028, 11, 23, 15, 55, 3, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("per", "period", "end"),
    [
        ("hour", "2028-11-23T15", "2028-11-23T16:00:00+00:00"),
        ("day", "2028-11-23", "2028-11-24T00:00:00+00:00"),
        ("week", "2028-11-20", "2028-11-27T00:00:00+00:00"),
        ("month", "2028-11", "2028-12-01T00:00:00+00:00"),
        ("quarter", "2028-Q4", "2029-01-01T00:00:00+00:00"),
    ],
)
def test_periods_begin_and_end_at_utc_boundaries(per: str, period: str, end: str) -> None:
    """Each kind of period has an id and an end."""
    assert period_of(per, MOMENT) == period
    assert period_end(per, MOMENT) == datetime.fromisoformat(end).timestamp()


def test_a_total_never_resets() -> None:
    """The period that lasts for good has no end."""
    assert period_of("total", MOMENT) == "total"
    assert period_end("total", MOMENT) is None


@given(
    per=st.sampled_from([per for per in PERIODS if per != "total"]),
    now=st.integers(min_value=0, max_value=4_102_444_800),
)
def test_a_period_ends_where_the_next_one_begins(per: str, now: int) -> None:
    """The second before the end has the same id, the end itself a later one."""
    end = period_end(per, now)

    assert end is not None
    assert end > now
    assert period_of(per, end - 1) == period_of(per, now)
    assert period_of(per, end) > period_of(per, now)


def test_a_refusal_says_which_budget_its_cap_and_when_it_resets() -> None:
    """The message is for the caller, in dollars and UTC."""
    counter = BudgetCounter(scope="team/support", per="month", cap_nanousd=500_000_000_000)
    refused = refusal(counter, 1_230_000_000, 499_500_000_000, MOMENT)
    forever = BudgetCounter(scope="key/k1", per="total", cap_nanousd=1_500)

    assert refused.message == (
        "The budget of team/support ($500.00 per month) cannot cover this request, which may "
        "cost up to $1.23: $0.50 is left. It resets at 2028-12-01 00:00 UTC."
    )
    assert refusal(forever, 2_000, 5_000, MOMENT).message == (
        "The budget of key/k1 ($0.0000015 in total) cannot cover this request, which may cost "
        "up to $0.000002: $0.00 is left. It does not reset."
    )


@pytest.mark.parametrize(
    ("per", "cap", "words"),
    [
        ("year", 1, "'year' is not a period; use one of: hour, day"),
        ("day", -1, r"the cap of team/a must lie between \$0 and \$9,007,199"),
        ("day", 2**53, r"the cap of team/a must lie between \$0 and \$9,007,199"),
    ],
)
def test_a_counter_that_cannot_be_counted_is_refused(per: str, cap: int, words: str) -> None:
    """Caps that Redis could not compare exactly, and unknown periods, never get to a hold."""
    with pytest.raises(ValueError, match=words):
        BudgetCounter(scope="team/a", per=per, cap_nanousd=cap)


def test_use_is_a_share_of_the_cap() -> None:
    """Held money counts as used; a cap of nothing is always used up."""
    use = BudgetUse(
        scope="team/a", per="day", period="d", spent_nanousd=20, held_nanousd=5, cap_nanousd=100
    )
    nothing = BudgetUse(
        scope="team/a", per="day", period="d", spent_nanousd=0, held_nanousd=0, cap_nanousd=0
    )

    assert use.share == 0.25
    assert nothing.share == 1.0


costs = st.integers(min_value=0, max_value=2**53 - 1)
usages = st.builds(
    Usage,
    input_tokens=st.integers(min_value=0, max_value=10**6),
    cached_input_tokens=st.integers(min_value=0, max_value=10**6),
    cache_write_tokens=st.integers(min_value=0, max_value=10**6),
    output_tokens=st.integers(min_value=0, max_value=10**6),
    reasoning_tokens=st.integers(min_value=0, max_value=10**6),
)


@given(booked=st.tuples(costs, usages), real=st.tuples(costs, usages))
def test_a_correction_brings_the_sums_to_what_was_spent(
    booked: tuple[int, Usage], real: tuple[int, Usage]
) -> None:
    """In_doubt line plus correction is the real line, in money and in every token class."""
    in_doubt, line = _line("in_doubt", 1.0, *booked), _line("settle", 9.0, *real)
    correction = correction_of(in_doubt, line)

    assert correction.kind == "correction"
    assert correction.at == in_doubt.at
    assert in_doubt.cost_nanousd + correction.cost_nanousd == line.cost_nanousd
    for field in Usage.__struct_fields__:
        if field != "estimated":
            total = getattr(in_doubt.usage, field) + getattr(correction.usage, field)
            assert total == getattr(line.usage, field)


def _line(kind: str, at: float, cost: int, usage: Usage) -> LedgerLine:
    return LedgerLine(
        kind=kind,
        hold_id="h",
        request_id="r",
        attempt=1,
        at=at,
        org="acme",
        team="a",
        app="",
        user="",
        key_id="k",
        alias="auto",
        deployment="house",
        provider="vllm",
        model="llama",
        route="all",
        sensitivity="internal",
        outcome="ok",
        usage=usage,
        held_nanousd=cost,
        cost_nanousd=cost,
    )
