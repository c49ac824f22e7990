"""`fairlead report close` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import redis

from gateway.cli.report import app
from gateway.stores import names
from tests.gateway.reports.conftest import line

Run = Callable[..., Any]
#: 2026-08-15 UTC.
AUGUST = 1_786_752_000.0


@pytest.fixture
def ledger(home_client: redis.Redis) -> redis.Redis:
    """One line in August 2026."""
    home_client.sadd(names.ORGS, "acme")
    made = line(at=AUGUST, cost_nanousd=1_500_000_000)
    home_client.xadd(names.ledger("acme"), {"line": msgspec.json.encode(made)})
    return home_client


def test_a_month_is_closed_and_checked_by_the_same_command(
    run_command: Run, ledger: redis.Redis
) -> None:
    """The first run writes, the second one finds the same; both say total and key."""
    first, second = (run_command(app, "close", "2026-08") for _ in range(2))
    told = json.loads(run_command(app, "close", "2026-08", "--json").stdout)["periods"][0]

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("acme 2026-08 closed: 1.500000000 USD in 1 lines")
    assert "is closed, and made again it is the same" in second.stdout
    assert (told["total_nanousd"], told["is_new"]) == (1_500_000_000, False)
    assert told["public_key"] in first.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("2026-13",), 2, "'2026-13' is not a month; use 2026-11"),
        (("2026-08", "--zone", "Moon"), 2, "'Moon' is not a time zone"),
        (("2026-08", "--bill", "house"), 2, "--bill takes name=value"),
        (("2026-08", "--bill", "house=much"), 2, "--bill takes dollars"),
        (("2026-09",), 1, "1 lines lie before 2026-09 in no closed period"),
        (("2099-01",), 1, "2099-01 is not over yet"),
    ],
)
def test_what_cannot_be_closed_is_explained(
    run_command: Run, ledger: redis.Redis, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """The command says what would be right."""
    result = run_command(app, "close", *arguments)

    assert (result.exit_code, words in result.stderr) == (status, True)


def test_restatements_are_a_report(run_command: Run, ledger: redis.Redis) -> None:
    """A line that came late is told with the month that it will be booked in."""
    run_command(app, "close", "2026-08")
    late = line(at=AUGUST, request_id="r2", cost_nanousd=7)
    ledger.xadd(names.ledger("acme"), {"line": msgspec.json.encode(late)})
    report = json.loads(run_command(app, "restatement", "--json").stdout)

    assert report["total_nanousd"] == 7
    assert report["rows"][0]["booked_in"] == "not closed yet"
