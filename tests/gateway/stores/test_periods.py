"""Lua counts the calendar as Python does."""

from __future__ import annotations

from importlib import resources

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.ledger import PERIODS, period_of

_ASK = """
local periods = {}
for number, per in ipairs(KEYS) do periods[number] = period_of(per, tonumber(ARGV[1])) end
return periods
"""
_LEAP_DAYS = (951_782_400, 1_709_164_800, 4_107_456_000)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    now=st.one_of(
        st.integers(min_value=0, max_value=7_258_118_400),
        st.sampled_from(_LEAP_DAYS).flatmap(
            lambda day: st.integers(min_value=day - 90_000, max_value=day + 90_000)
        ),
    )
)
def test_period_ids_agree(client: redis.Redis, now: int) -> None:
    """From 1970 to 2199, around leap days and century years, both give the same ids."""
    head = (resources.files("gateway.stores") / "lua" / "counters.lua").read_text()
    given_by_lua = client.eval(head + _ASK, len(PERIODS), *PERIODS, now)

    assert [period.decode() for period in given_by_lua] == [period_of(per, now) for per in PERIODS]
