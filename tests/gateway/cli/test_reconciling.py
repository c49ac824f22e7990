"""`fairlead report reconcile` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from gateway.cli.report import app
from gateway.stores import names
from tests.gateway.reports.conftest import NOON
from tests.gateway.reports.invoices.test_reading import openai_cost, openai_page
from tests.gateway.reports.test_reconciliation import call

Run = Callable[..., Any]


@pytest.fixture
def ledger(home_client: redis.Redis) -> redis.Redis:
    """One call to an outside model."""
    home_client.sadd(names.ORGS, "acme")
    made = call(1_000_000, 0, at=NOON)
    home_client.xadd(names.ledger("acme"), {"line": msgspec.json.encode(made)})
    return home_client


def test_an_export_is_explained(run_command: Run, ledger: redis.Redis, tmp_path: Path) -> None:
    """Every difference has a cause, and they add up."""
    export = tmp_path / "costs.json"
    export.write_bytes(
        openai_page(openai_cost(2, "gpt-4o-2024-08-06, input"), openai_cost(1, "o9, input"))
    )
    report = json.loads(run_command(app, "reconcile", str(export), "--json").stdout)
    table = run_command(app, "reconcile", str(export)).stdout

    assert [(row["model"], row["cause"][:10]) for row in report["rows"]] == [
        ("gpt-4o", "agrees"),
        ("o9", "not in the"),
    ]
    assert report["total"]["difference_nanousd"] == 1_000_000_000
    assert "Invoice 3.000000000 USD, ledger 2.000000000 USD" in table


@pytest.mark.parametrize(
    ("content", "words"),
    [("{}", "no page of an API's answer"), (None, "cannot be read")],
)
def test_what_cannot_be_read_is_explained(
    run_command: Run, ledger: redis.Redis, tmp_path: Path, content: str | None, words: str
) -> None:
    """The command ends with 2 and says what is wrong."""
    export = tmp_path / "export.json"
    if content is not None:
        export.write_text(content)
    result = run_command(app, "reconcile", str(export))

    assert (result.exit_code, words in result.stderr) == (2, True)
