"""The periods that budgets are counted in: of the calendar in a time zone, rolling, or for good.

A period has an id; ids of one kind sort by time. Which period it is, is decided by the store's
clock: scripts are told the zone's offset from UTC, and when the next one begins to hold.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

#: The periods of the calendar, and `total`, which never ends. Weeks begin on Mondays.
PERIODS = ("hour", "day", "week", "month", "quarter", "total")
#: A rolling window is counted in so many slots; money stays in it for one slot more at most.
SLOTS = 60
#: When no other offset of a zone begins to hold within the years that anybody looks ahead.
NEVER = 2**40

_ROLLING = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_UNIT_SECONDS = {"m": 60, "h": 3600, "d": 86400}
_LONGEST_ROLLING = 400 * 86400
#: Days that are searched for the next change of a zone's offset.
_LOOKED_AHEAD = 400
_Day = TypeVar("_Day", bound=date)


def rolling_seconds(per: str) -> int:
    """The length of a rolling window such as `24h`, `90m` or `30d` in seconds; 0 for the others."""
    matched = _ROLLING.fullmatch(per)
    if matched is None:
        return 0
    seconds = int(matched[1]) * _UNIT_SECONDS[matched[2]]
    return seconds if seconds <= _LONGEST_ROLLING else 0


def is_period(per: str) -> bool:
    """Whether budgets can be counted in this period."""
    return per in PERIODS or rolling_seconds(per) > 0


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo:
    """A named time zone.

    Raises:
        ValueError: no zone has this name.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"'{name}' is not a time zone; use a name such as Europe/Berlin") from None


def offsets(zone: str, now: float) -> tuple[int, int, int]:
    """The zone's offset from UTC, when the next one begins to hold (epoch), and that one.

    In seconds; good for every clock that is at most an hour behind `now`, so that what holds
    can be decided where the scripts run.
    """
    return _offsets_from(zone, int(now // 3600) - 1)


@lru_cache(maxsize=1024)
def _offsets_from(zone: str, hour: int) -> tuple[int, int, int]:
    place, begin = zone_of(zone), hour * 3600
    held = _offset(place, begin)
    days = range(1, _LOOKED_AHEAD)
    changed = next((day for day in days if _offset(place, begin + day * 86400) != held), None)
    if changed is None:
        return held, NEVER, held
    before = begin + (changed - 1) * 86400
    second = bisect_left(range(86400), True, key=lambda s: _offset(place, before + s) != held)
    return held, before + second, _offset(place, before + second)


def _offset(place: tzinfo, at: float) -> int:
    shift = datetime.fromtimestamp(at, place).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0


def period_start(per: str, now: float, zone: str = "UTC") -> datetime:
    """The beginning of the calendar period that holds `now` (epoch seconds), in its zone."""
    moment = datetime.fromtimestamp(now, zone_of(zone)).replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        return moment
    midnight = moment.replace(hour=0, fold=0)
    match per:
        case "day":
            return midnight
        case "week":
            return midnight - timedelta(days=midnight.weekday())
        case "month":
            return midnight.replace(day=1)
        case "quarter":
            return midnight.replace(day=1, month=midnight.month - (midnight.month - 1) % 3)
        case _:
            return datetime.fromtimestamp(0, UTC)


def period_of(per: str, now: float, zone: str = "UTC") -> str:
    """The id of the period, or of the slot of a rolling window, that holds `now`."""
    if per == "total":
        return "total"
    rolling = rolling_seconds(per)
    if rolling:
        return f"{int(now // (rolling / SLOTS)):012d}"
    start = period_start(per, now, zone)
    match per:
        case "hour":
            return f"{start:%Y-%m-%dT%H}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            return f"{start:%Y}-Q{(start.month + 2) // 3}"
        case _:
            return f"{start:%Y-%m-%d}"


def in_window(per: str, period: str, current: str) -> bool:
    """Whether what was counted in a period counts now, when `current` is the period."""
    if not rolling_seconds(per):
        return period == current
    return int(current) - SLOTS <= int(period) <= int(current)


def period_end(per: str, now: float, zone: str = "UTC") -> float | None:
    """When what was counted by `now` stops to count (epoch seconds); None when it never does."""
    if per == "total":
        return None
    rolling = rolling_seconds(per)
    if rolling:
        return now + rolling + rolling / SLOTS
    start = period_start(per, now, zone)
    match per:
        case "hour":
            return start.timestamp() + 3600
        case "day":
            following = start + timedelta(days=1)
        case "week":
            following = start + timedelta(days=7)
        case _:
            following = months_later(start.replace(day=1), 1 if per == "month" else 3)
    return following.timestamp()


def months_later(first: _Day, months: int = 1) -> _Day:
    """The first of a month, or its midnight, so many months (1 to 12) after another one."""
    # So many times 31 days is never less, and never as much as a month more.
    return (first + timedelta(days=31 * months)).replace(day=1)
