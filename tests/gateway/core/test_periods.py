"""Periods of the calendar in a zone, and rolling windows."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.periods import (
    PERIODS,
    in_window,
    is_period,
    months_later,
    offsets,
    period_end,
    period_of,
    rolling_seconds,
    zone_of,
)

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
MOMENTS = st.integers(min_value=1_600_000_000, max_value=2_000_000_000)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_day_in_berlin_begins_at_its_own_midnight() -> None:
    """22:30 UTC in summer is the next day there."""
    moment = at("2026-07-14T22:30:00+00:00")

    assert period_of("day", moment, "Europe/Berlin") == "2026-07-15"
    assert period_of("day", moment) == "2026-07-14"
    assert period_end("day", moment, "Europe/Berlin") == at("2026-07-16T00:00:00+02:00")


def test_the_month_of_the_change_ends_at_the_new_offset() -> None:
    """October in Berlin begins at +02:00 and ends at +01:00."""
    moment = at("2026-10-03T12:00:00+00:00")

    assert period_end("month", moment, "Europe/Berlin") == at("2026-11-01T00:00:00+01:00")


@given(per=st.sampled_from(PERIODS[1:-1]), zone=st.sampled_from(ZONES), now=MOMENTS)
def test_a_period_ends_where_the_next_one_begins(per: str, zone: str, now: int) -> None:
    """Property: in every zone, over changes of the clock."""
    end = period_end(per, now, zone)

    assert end is not None
    assert now < end
    assert period_of(per, end - 1, zone) == period_of(per, now, zone)
    assert period_of(per, end, zone) > period_of(per, now, zone)


@given(year=st.integers(1970, 2200), month=st.integers(1, 12), months=st.integers(1, 12))
def test_months_later_is_the_first_of_that_month(year: int, month: int, months: int) -> None:
    """Property: whatever the lengths of the months between, and over the turn of a year."""
    number = year * 12 + month - 1 + months

    assert months_later(date(year, month, 1), months) == date(number // 12, number % 12 + 1, 1)


@given(zone=st.sampled_from(ZONES), now=MOMENTS, behind=st.integers(0, 3600))
def test_offsets_are_those_of_the_zone(zone: str, now: int, behind: int) -> None:
    """Property: also for a clock that is up to an hour behind."""
    offset, change, later = offsets(zone, now)
    moment = now - behind
    shift = datetime.fromtimestamp(moment, zone_of(zone)).utcoffset()

    assert shift is not None
    assert (offset if moment < change else later) == shift.total_seconds()


@pytest.mark.parametrize(
    ("per", "seconds"), [("24h", 86400), ("90m", 5400), ("30d", 2_592_000), ("month", 0)]
)
def test_rolling_windows_are_written_short(per: str, seconds: int) -> None:
    """A number and m, h or d."""
    assert rolling_seconds(per) == seconds
    assert is_period(per)


@pytest.mark.parametrize("per", ["0h", "24 h", "year", "99999d", "", "1w"])
def test_what_is_no_period_is_told(per: str) -> None:
    """Nothing is guessed."""
    assert not is_period(per)


@given(now=MOMENTS, later=st.integers(0, 86400 * 2))
def test_money_stays_in_a_rolling_window_for_its_whole_length(now: int, later: int) -> None:
    """Property: it counts for a day, and is gone a sixtieth of it later."""
    counts = in_window("24h", period_of("24h", now), period_of("24h", now + later))

    assert counts or later > 86400
    assert not counts or later <= 86400 + 2 * 1440


def test_an_unknown_zone_is_told() -> None:
    """With the form that is meant."""
    with pytest.raises(ValueError, match="such as Europe/Berlin"):
        zone_of("Middle/Earth")
