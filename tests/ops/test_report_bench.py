"""The bench of reports, run short here and whole with `--full`."""

from __future__ import annotations

import pytest

from ops.bench.reports import REPORTS, run


@pytest.mark.parametrize("lines", [2000, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_every_report_over_many_lines_knows_their_total(lines: int) -> None:
    """Files and Redis are read as one, and nothing is lost or counted twice."""
    found = run(lines)

    assert found["wrong_totals"] == []
    assert len(found["reports"]) == len(REPORTS)
    assert found["worst_peak_mib"] < 1024
