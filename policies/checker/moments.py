"""Finds one moment for every way in which windows of time can hold together.

What a window says changes only where one of its hours begins or ends, at midnight, and where a
zone changes its clocks; so those moments stand for all others between them. Days are taken from
two years, in which every weekday meets every offset of a zone. Where windows ask for days of the
month or for dates, they are taken from the 28 years after which weekdays and dates repeat, and from
all dates that the windows name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from policies.matchers import window
from policies.model.conditions import Hours

#: The first day that is looked at, and how many; 28 years hold every day on every weekday.
FIRST_DAY = date(2026, 1, 1)
TWO_YEARS, CALENDAR = 731, 28 * 365 + 7
#: Dates outside of these are not looked at: no clock of a gateway shows them.
_EARLIEST, _LATEST = date(1971, 1, 1), date(9990, 12, 31)
_QUARTERS = range(0, 1440, 15)


class Moment(msgspec.Struct, frozen=True):
    """A moment in epoch seconds, and the numbers of the windows that hold then."""

    at: float
    holding: frozenset[int]


def moments_of(windows: Sequence[Hours], usual: float) -> tuple[Moment, ...]:
    """One moment for each set of windows that can hold together; that of `usual` comes first."""
    tests = tuple(window(hours) for hours in windows)
    found: dict[frozenset[int], float] = {}
    for at in (usual, *_candidates(windows)):
        holding = frozenset(number for number, holds in enumerate(tests) if holds(at))
        found.setdefault(holding, at)
    return tuple(Moment(at, holding) for holding, at in found.items())


def shown(at: float) -> str:
    """A moment as a test writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _candidates(windows: Sequence[Hours]) -> Iterator[float]:
    marks: dict[str, set[int]] = {}
    for hours in windows:
        marks.setdefault(hours.zone, {0}).update((hours.start, hours.end % 1440))
    days = tuple(_days(windows)) if windows else ()
    for name, minutes in marks.items():
        zone = ZoneInfo(name)
        for day in days:
            midnight = datetime(day.year, day.month, day.day)
            turns = _offset(midnight, zone) != _offset(midnight + timedelta(days=1), zone)
            for minute in (*minutes, *_QUARTERS) if turns else minutes:
                local = (midnight + timedelta(minutes=minute)).replace(tzinfo=zone)
                yield local.timestamp()
                if turns:
                    yield local.replace(fold=1).timestamp()


def _offset(local: datetime, zone: ZoneInfo) -> timedelta | None:
    return local.replace(tzinfo=zone).utcoffset()


def _days(windows: Iterable[Hours]) -> list[date]:
    ranges = {hours.dates for hours in windows if hours.dates is not None}
    by_calendar = ranges or any(hours.days is not None for hours in windows)
    count = CALENDAR if by_calendar else TWO_YEARS
    days = {FIRST_DAY + timedelta(days=number) for number in range(count)}
    for first, last in ranges:
        day = max(_EARLIEST, date.fromisoformat(first))
        end = min(_LATEST, date.fromisoformat(last))
        if day > end:
            continue
        span = min((end - day).days, CALENDAR)
        near = (timedelta(days=number) for number in range(-2, span + 3))
        days.update(day + step for step in near)
        days.update(end + timedelta(days=number) for number in range(-2, 3))
    return sorted(days)
