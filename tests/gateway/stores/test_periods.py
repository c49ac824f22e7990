"""Lua counts the calendar as Python does."""

from __future__ import annotations

from importlib import resources

import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.budgets import BudgetCounter
from gateway.core.periods import PERIODS, period_of
from gateway.stores.ledger import spelled

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
    head = (resources.files("gateway.stores") / "lua" / "periods.lua").read_text()
    given_by_lua = client.eval(head + _ASK, len(PERIODS), *PERIODS, now)

    assert [period.decode() for period in given_by_lua] == [period_of(per, now) for per in PERIODS]


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    zone=st.sampled_from(ZONES),
    now=st.one_of(
        st.integers(min_value=1_600_000_000, max_value=2_100_000_000),
        # The nights on which Berlin and New York change their clocks.
        st.sampled_from([1_793_062_800, 1_774_746_000, 1_793_512_800]).flatmap(
            lambda change: st.integers(min_value=change - 7200, max_value=change + 7200)
        ),
    ),
    behind=st.integers(min_value=0, max_value=3599),
)
def test_period_ids_agree_in_every_zone(
    client: redis.Redis, zone: str, now: int, behind: int
) -> None:
    """Also around a change of the clocks, and by a server's clock that is behind ours."""
    head = (resources.files("gateway.stores") / "lua" / "periods.lua").read_text()
    counters = [
        BudgetCounter(scope="org/a", per=per, cap_nanousd=1, zone=zone)
        for per in (*PERIODS, "24h", "90m", "30d")
    ]
    keys = [spelled(counter, now) for counter in counters]
    given_by_lua = client.eval(head + _ASK, len(keys), *keys, now - behind)

    assert [period.decode() for period in given_by_lua] == [
        period_of(counter.per, now - behind, zone) for counter in counters
    ]
