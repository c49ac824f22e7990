"""Dates as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.cli.moments import future_moment, iso, past_moment

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T14:30", "2026-11-01T14:30:00+00:00"),
        ("2026-11-01T14:30+02:00", "2026-11-01T12:30:00+00:00"),
        (" Today ", "2026-11-23T00:00:00+00:00"),
        ("yesterday", "2026-11-22T00:00:00+00:00"),
        ("this-week", "2026-11-23T00:00:00+00:00"),
        ("this-month", "2026-11-01T00:00:00+00:00"),
        ("last-month", "2026-10-01T00:00:00+00:00"),
        ("7d", "2026-11-16T15:30:00+00:00"),
        ("24h", "2026-11-22T15:30:00+00:00"),
        ("2w", "2026-11-09T15:30:00+00:00"),
    ],
)
def test_forms_of_the_past(text: str, moment: str) -> None:
    """Dates are UTC unless they say otherwise; spans lead back from now."""
    assert past_moment(text, NOW) == datetime.fromisoformat(moment)


def test_a_span_in_the_future_leads_on_from_now() -> None:
    """The same span means the other direction where an end is asked for."""
    assert future_moment("90d", NOW) == datetime(2027, 2, 21, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "-3d", "7 d"])
def test_anything_else_is_explained(text: str) -> None:
    """The message lists the forms that are understood."""
    with pytest.raises(ValueError, match=r"is not a date; use 2026-11-23, .* 24h, 7d, 4w"):
        past_moment(text, NOW)


def test_moments_are_written_in_utc_to_the_second() -> None:
    """Nothing stays nothing."""
    assert iso(1_795_447_800.9) == "2026-11-23T15:30:00Z"
    assert iso(None) is None
