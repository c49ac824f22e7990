"""Dates as people type them: ISO, or relative to now; in UTC unless another zone is named."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from gateway.core.periods import months_later, zone_of

_SPAN = re.compile(r"(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FORMS = (
    "2026-11-23, 2026-11-23T14:30, now, today, yesterday, this-week, this-month, last-month, "
    "or a span such as 90s, 30m, 24h, 7d, 4w"
)


def past_moment(text: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """The moment that the text names; a span means so long ago. Days are those of the zone.

    Raises:
        ValueError: the text is none of `FORMS`.
    """
    return _moment(text, now, -1, zone)


def future_moment(text: str, now: datetime) -> datetime:
    """The moment that the text names; a span means so long from now.

    Raises:
        ValueError: the text is none of `FORMS`.
    """
    return _moment(text, now, +1, UTC)


def month_span(month: str, zone: str) -> tuple[float, float]:
    """When a month such as 2026-11 begins and ends in a zone, in epoch seconds.

    Raises:
        ValueError: it is no month.
    """
    try:
        begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone_of(zone))
    except ValueError as error:
        if "time zone" in str(error):
            raise
        raise ValueError(f"'{month}' is not a month; use 2026-11") from None
    return begins.timestamp(), months_later(begins).timestamp()


def iso(seconds: float | None) -> str | None:
    """Epoch seconds as ISO text in UTC, to the second."""
    if seconds is None:
        return None
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment(text: str, now: datetime, sign: int, zone: tzinfo) -> datetime:
    wanted = text.strip().lower()
    named = _named(now.astimezone(zone)).get(wanted)
    if named is not None:
        return named
    try:
        span = _SPAN.fullmatch(wanted)
        if span is not None:
            return now + sign * timedelta(**{_UNITS[span[2]]: int(span[1])})
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"'{text}' is not a date; use {FORMS}") from None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(UTC)


def _named(now: datetime) -> dict[str, datetime]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    return {
        "now": now,
        "today": today,
        "yesterday": today - timedelta(days=1),
        "this-week": today - timedelta(days=today.weekday()),
        "this-month": month,
        "last-month": (month - timedelta(days=1)).replace(day=1),
    }
