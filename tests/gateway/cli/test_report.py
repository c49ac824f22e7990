"""`fairlead report cost` as a user meets it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from gateway.cli.report import COMMANDS, app
from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.reports.catalogue import REPORTS
from gateway.stores import names

Run = Callable[..., Any]
#: 2026-11-23 15:30 UTC.
NOON = 1_795_447_800.0


@pytest.fixture
def ledger(home_client: redis.Redis) -> redis.Redis:
    """Three lines in two orgs."""
    for number, (org, team, model, cost) in enumerate(
        (
            (
                "acme",
                "support",
                "gpt-4o-with-a-very-long-name-2026-11-01-preview",
                1_234_567_890_123,
            ),
            ("acme", "support", "llama", 500),
            ("beta", "legal", "llama", 1),
        )
    ):
        line = LedgerLine(
            kind="settle",
            hold_id=f"h{number}",
            request_id=f"r{number}",
            attempt=1,
            at=NOON + number,
            org=org,
            team=team,
            app="",
            user="",
            key_id="k",
            alias="auto",
            deployment="d",
            provider="p",
            model=model,
            route="all",
            sensitivity="internal",
            outcome="ok",
            usage=Usage(input_tokens=1_000_000, output_tokens=5, estimated=number == 0),
            held_nanousd=cost,
            cost_nanousd=cost,
        )
        home_client.sadd(names.ORGS, org)
        home_client.xadd(names.ledger(org), {"line": msgspec.json.encode(line)})
    return home_client


def test_json_has_rows_by_name_and_an_exact_total(run_command: Run, ledger: redis.Redis) -> None:
    """Rows carry their dimensions by name, counts and cost; the total is an integer."""
    report = json.loads(run_command(app, "cost", "--by", "team,model", "--format", "json").stdout)

    assert report["total_nanousd"] == 1_234_567_890_624
    assert [(row["team"], row["model"], row["cost_nanousd"]) for row in report["rows"]][1:] == [
        ("support", "llama", 500),
        ("legal", "llama", 1),
    ]
    assert report["rows"][2] == {
        "team": "legal",
        "model": "llama",
        "requests": 1,
        "attempts": 1,
        "input_tokens": 1_000_000,
        "cached_input_tokens": 0,
        "output_tokens": 5,
        "estimated": 0,
        "in_doubt": 0,
        "corrections": 0,
        "cost_nanousd": 1,
        "cost_usd": "0.000000001",
    }


def test_csv_has_plain_decimals(run_command: Run, ledger: redis.Redis) -> None:
    """Costs are whole nano-dollars and exact decimal dollars, without separators."""
    text = run_command(app, "cost", "--by", "team", "--format", "csv", "--org", "acme").stdout
    (row,) = csv.DictReader(io.StringIO(text))

    assert row["team"] == "support"
    assert row["cost_nanousd"] == "1234567890623"
    assert row["cost_usd"] == "1234.567890623"


def test_a_table_fits_eighty_columns_and_ends_with_its_total(
    run_command: Run, ledger: redis.Redis
) -> None:
    """Long names fold; numbers never do; estimates are mentioned below."""
    lines = run_command(app, "cost").stdout.splitlines()

    assert max(map(len, lines)) <= 80
    assert any(text.rstrip().endswith("1234.567890123") for text in lines)
    assert lines[-2].split() == ["total", "3", "3,000,000", "15", "1234.567890624"]
    assert lines[-1] == "Attempts whose tokens we had to estimate: 1"


def test_dates_choose_lines_and_the_end_is_excluded(run_command: Run, ledger: redis.Redis) -> None:
    """Only lines from --from to before --to are summed."""
    span = ("--from", "2026-11-23T15:30:01", "--to", "2026-11-23T15:30:02")
    report = json.loads(run_command(app, "cost", "--json", *span).stdout)

    assert report["total_nanousd"] == 500


def test_a_month_of_a_zone_with_another_currency_goes_to_a_file(
    run_command: Run, ledger: redis.Redis, home: Path
) -> None:
    """Rates lie in the home unless a file is named; the file has the form's name."""
    (home / "rates.csv").write_text("date,currency,rate\n2026-11-01,EUR,0.5\n")
    out = home / "november.csv"
    options = ("--month", "2026-11", "--zone", "Europe/Berlin", "--currency", "EUR")
    done = run_command(
        app, "cost", "--by", "org", *options, "--format", "csv", "--output", str(out)
    )
    rows = list(csv.DictReader(io.StringIO(out.read_text())))

    assert (done.exit_code, done.stdout) == (0, "")
    assert [(row["org"], row["cost_nanousd"], row["cost_eur"]) for row in rows] == [
        ("acme", "1234567890623", "617.283945312"),
        ("beta", "1", "0.000000000"),
    ]


def test_a_dimension_goes_across(run_command: Run, ledger: redis.Redis) -> None:
    """Each value is a column of its own, with its sum below."""
    text = run_command(app, "cost", "--by", "team", "--across", "org").stdout.splitlines()

    assert text[0].split() == ["team", "acme", "USD", "beta", "USD", "cost", "USD"]
    assert text[-1].split() == ["total", "1234.567890623", "0.000000001", "1234.567890624"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_report_has_a_command_with_its_options(run_command: Run, name: str) -> None:
    """The help names what it takes, and nothing else is taken."""
    result = run_command(app, name, "--help")

    assert result.exit_code == 0
    assert COMMANDS[name].help.split()[0] in result.stdout
    assert set(COMMANDS) == set(REPORTS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--month", "2026-11", "--from", "7d"), "say --month, or --from and --to"),
        (("--month", "November"), "'November' is not a month"),
        (("--zone", "Moon"), "'Moon' is not a time zone"),
        (("--currency", "EUR"), "rates.csv cannot be read"),
        (("--by", "colour"), "'colour' is not a dimension of costs; use: org, team"),
        (("--from", "soon"), "'soon' is not a date"),
        (("--from", "2026-11-02", "--to", "2026-11-02"), "is not after --from"),
    ],
)
def test_wrong_usage_is_explained(run_command: Run, arguments: tuple[str, ...], words: str) -> None:
    """The command ends with 2 and says what would be right."""
    result = run_command(app, "cost", *arguments)

    assert result.exit_code == 2
    assert words in result.stderr


def test_an_empty_ledger_is_a_total_of_nothing(run_command: Run, home_client: redis.Redis) -> None:
    """A fresh installation reports zero, not an error."""
    assert json.loads(run_command(app, "cost", "--json").stdout)["total_nanousd"] == 0
