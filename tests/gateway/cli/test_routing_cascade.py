"""`fairlead routing cascade` as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import redis

from gateway.cli.routing import app
from gateway.stores import names
from tests.gateway.reports.test_cost import line


def test_cascades_are_reported_by_deployment(
    run_command: Callable[..., Any], home_client: redis.Redis
) -> None:
    """Without any checked answer it says so; with some, what was sent on and for which check."""
    empty = run_command(app, "cascade")
    for number, because in enumerate(("check: passed", "check: schema")):
        written = line(org="acme", request_id=f"r{number}", because=because)
        home_client.xadd(names.ledger("acme"), {"line": msgspec.json.encode(written)})
    home_client.sadd(names.ORGS, "acme")
    told = run_command(app, "cascade", "--json")
    table = run_command(app, "cascade")

    assert "No cascade" in empty.stdout
    (row,) = json.loads(told.stdout)["rows"]
    assert (row["deployment"], row["checked"], row["share"]) == ("house", 2, 0.5)
    assert row["escalated"] == {"schema": 1}
    assert "schema 50.0%" in " ".join(table.stdout.split())
    assert run_command(app, "cascade", "--from", "never").exit_code == 2
