"""The benches of money, run short: their promises hold in any run."""

from __future__ import annotations

import asyncio

from ops.bench.ledger_server import loopback_server
from ops.bench.money import caps, latency, limits, outage


def test_no_cap_is_passed_and_nearly_all_of_it_can_be_used() -> None:
    """Three processes at once, five nested budgets."""
    with loopback_server() as url:
        found = caps(url, rounds=2, concurrent=30)

    assert found["over_nanousd"] == 0
    assert found["still_held"] == 0
    assert found["least_used_share"] >= 0.99


def test_no_window_holds_more_than_its_limit() -> None:
    """A hundred callers that ask for much more; few are refused that had room."""
    with loopback_server() as url:
        found = asyncio.run(limits(url, seconds=2, windows=1.5))

    for kind in ("requests", "tokens"):
        assert found[kind]["over"] == 0
        assert found[kind]["let_in"] > 0
        assert found[kind]["wrongly_refused_share"] <= 0.05


def test_a_hold_and_a_settlement_are_timed() -> None:
    """Their figures are for people: no test asserts a wall clock."""
    with loopback_server() as url:
        found = asyncio.run(latency(url, requests=40))

    assert set(found) == {"1 at a time", "20 at a time"}
    assert found["1 at a time"]["hold"]["p99_ms"] > 0


def test_nothing_is_granted_without_redis_and_everything_again_when_it_is_back() -> None:
    """A frozen server: one hold waits, and none hangs."""
    with loopback_server() as url:
        found = asyncio.run(outage(url, requests=40))

    assert not found["granted_without_redis"]
    assert found["others"]["p50_ms"] < found["first_ms"]
