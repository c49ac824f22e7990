"""Exchange rates are read strictly and hold from their day on."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from gateway.reports.asking import Ask, Background
from gateway.reports.cost import cost_report
from gateway.reports.rates import RateError, read_rates
from tests.gateway.reports.conftest import NOON, line


def test_rates_begin_at_midnight_of_the_zone() -> None:
    """A day in Auckland begins before it does in Greenwich."""
    text = "date,currency,rate\n2026-11-02,EUR,0.91\n2026-11-01,EUR,0.9\n2026-11-01,GBP,0.8\n"

    utc, there = read_rates(text, "eur"), read_rates(text, "EUR", "Pacific/Auckland")
    assert [rate for _, rate in utc.steps] == [900_000_000, 910_000_000]
    assert utc.steps[0][0] - there.steps[0][0] == 13 * 3600


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,rate\n", "must begin with the line date,currency,rate"),
        ("date,currency,rate\nsoon,EUR,1\n", "line 2: not a date and a rate"),
        ("date,currency,rate\n2026-11-01,EUR,-1\n", "line 2: a rate is positive"),
        ("date,currency,rate\n2026-11-01,EUR,1\n2026-11-01,EUR,2\n", "line 3: 2026-11-01 has two"),
        ("date,currency,rate\n2026-11-01,GBP,1\n", "has no rate for EUR"),
    ],
)
def test_a_wrong_file_is_refused(text: str, words: str) -> None:
    """A wrong rate is never guessed around."""
    with pytest.raises(RateError, match=words):
        read_rates(text, "EUR")


def test_lines_before_the_first_rate_are_refused(
    ledger: Callable[..., duckdb.DuckDBPyConnection],
) -> None:
    """Money of a day without a rate cannot be told in the currency."""
    rates = read_rates("date,currency,rate\n2026-11-24,EUR,0.9\n", "EUR")

    with pytest.raises(RateError, match="no rate for EUR on 2026-11-23"):
        cost_report(ledger([line()]), Ask(now=NOON), Background(rates=rates))
