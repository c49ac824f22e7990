"""The benches of the ledger, run short here and whole with `--full`."""

from __future__ import annotations

import pytest

from ops.bench.kills import LEASE_SECONDS, POINTS
from ops.bench.kills import run as kill
from ops.bench.ledger import run as serve


@pytest.mark.parametrize("kills", [24, pytest.param(1000, marks=pytest.mark.full)])
def test_gateways_that_are_killed_lose_and_double_nothing(kills: int) -> None:
    """At every marked point: what was acknowledged is booked once, orphans are resolved in time."""
    found = kill(kills)

    assert found["kills"] == kills
    assert set(found["points"]) == set(POINTS)
    assert (found["lost"], found["wrong_cost"], found["double"]) == (0, 0, 0)
    assert found["counters_minus_lines_nanousd"] == 0
    assert found["problems"] == []
    assert found["orphans_resolved_after_s"] <= LEASE_SECONDS + 5


@pytest.mark.parametrize("requests", [601, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_a_ledger_ties_out_to_the_nano_dollar(requests: int) -> None:
    """With an independent computation, its parts, its rollups, its counters and its files."""
    found = serve(requests, rounds=3)

    assert found["lines"] == requests
    assert 0 < found["sealed"] < requests
    assert found["minus_independent_nanousd"] == 0
    assert found["minus_counters_nanousd"] == 0
    assert found["minus_parts_nanousd"] == 0
    assert found["rollup_and_file_problems"] == []
