"""One moment for each way in which windows of time hold together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.checker.moments import Moment, moments_of, shown
from policies.matchers import window
from policies.model.conditions import Hours
from policies.testing import NOON

OFFICE = Hours(start=480, end=1080, weekdays=(0, 1, 2, 3, 4), zone="Europe/Berlin")
NEW_YORK = Hours(start=480, end=1080, zone="America/New_York")
NIGHT = Hours(start=1320, end=360, weekdays=(5,))
LAST_DAYS = Hours(days=(28, 29, 30, 31))
HOLIDAYS = Hours(dates=("2026-12-24", "2027-01-01"), zone="Europe/Berlin")
LEAP_SUNDAY = Hours(days=(29,), weekdays=(6,), dates=("2032-02-01", "2032-03-01"))
WINDOWS = (OFFICE, NEW_YORK, NIGHT, LAST_DAYS, HOLIDAYS, LEAP_SUNDAY)


def holding(moments: tuple[Moment, ...]) -> set[frozenset[int]]:
    return {moment.holding for moment in moments}


def test_without_windows_the_usual_moment_is_enough() -> None:
    """Nothing asks for the time."""
    assert moments_of((), NOON) == (Moment(NOON, frozenset()),)


def test_the_usual_moment_comes_first() -> None:
    """A Wednesday noon is within office hours."""
    moments = moments_of((OFFICE,), NOON)

    assert moments[0] == Moment(NOON, frozenset((0,)))
    assert holding(moments) == {frozenset((0,)), frozenset()}


def test_windows_of_two_zones_can_hold_together_or_not() -> None:
    """Berlin's afternoon is New York's morning."""
    assert holding(moments_of((OFFICE, NEW_YORK), NOON)) == {
        frozenset(),
        frozenset((0,)),
        frozenset((1,)),
        frozenset((0, 1)),
    }


def test_what_excludes_itself_never_holds_together() -> None:
    """A Monday is no Tuesday."""
    days = (Hours(weekdays=(0,)), Hours(weekdays=(1,)))

    assert frozenset((0, 1)) not in holding(moments_of(days, NOON))


def test_rare_days_are_found() -> None:
    """A 29th of February that is a Sunday comes once in 28 years."""
    assert frozenset((0,)) in holding(moments_of((LEAP_SUNDAY,), NOON))


@pytest.mark.parametrize("dates", [("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31")])
def test_dates_that_no_clock_shows_are_left_out(dates: tuple[str, str]) -> None:
    """They neither hold nor break anything."""
    assert holding(moments_of((Hours(dates=dates),), NOON)) == {frozenset()}


@settings(deadline=None, max_examples=40)
@given(
    chosen=st.lists(st.sampled_from(WINDOWS[:5]), max_size=3, unique=True),
    at=st.integers(1_767_225_600, 2_600_000_000),
)
def test_any_moment_is_like_one_of_them(chosen: list[Hours], at: int) -> None:
    """Whatever holds together at a moment of the next decades holds together at one of these."""
    now = frozenset(number for number, hours in enumerate(chosen) if window(hours)(at))

    assert now in holding(moments_of(chosen, NOON))


def test_a_moment_is_shown_as_a_test_writes_it() -> None:
    """It reads back to the second."""
    assert datetime.fromisoformat(shown(NOON)) == datetime(2026, 1, 7, 12, tzinfo=UTC)
