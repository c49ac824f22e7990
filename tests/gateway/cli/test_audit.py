"""`fairlead audit` as a user meets it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from gateway.cli.audit import app
from gateway.core.records import AttemptRecord, AuditRecord
from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.pepper import load_pepper
from gateway.stores.seal import Sealer

Run = Callable[..., Any]
#: 2026-11-23 15:30 UTC.
NOON = 1_795_447_800.0


@pytest.fixture
def decisions(home_client: redis.Redis) -> redis.Redis:
    """Thirty decisions of two orgs, a second apart."""
    for number in range(30):
        org = "acme" if number % 2 else "beta"
        record = AuditRecord(
            request_id=f"r{number}",
            at=NOON + number,
            org=org,
            team="support",
            app="",
            user="",
            key_id="k",
            requested_model="auto",
            sensitivity="restricted",
            difficulty=0.75,
            task="chat",
            input_tokens=10,
            needs=(),
            findings={"payment_card": 1},
            stream=True,
            tags={},
            deployment="house",
            route="cards-stay-home",
            reasons=("cards-stay-home",),
            rejected={"frontier": "clearance"},
            policy="revision",
            attempts=(AttemptRecord(deployment="house", outcome="ok"),),
            outcome="served",
            status=200,
            error="",
            cost_nanousd=1_500,
            duration_ms=20.5,
        )
        home_client.sadd(names.ORGS, org)
        home_client.xadd(names.audit(org), {"record": msgspec.json.encode(record)})
    return home_client


def test_export_gives_a_decision_a_line_with_exactly_its_fields(
    run_command: Run, decisions: redis.Redis
) -> None:
    """Every line is one JSON object with the fields of a decision."""
    shown = run_command(app, "export", "--format", "jsonl", "--org", "acme").stdout
    rows = [json.loads(text) for text in shown.splitlines()]

    assert [row["request_id"] for row in rows] == [f"r{n}" for n in range(1, 30, 2)]
    assert set(rows[0]) == set(AuditRecord.__struct_fields__)
    assert rows[0]["attempts"][0]["deployment"] == "house"


def test_export_takes_a_span(run_command: Run, decisions: redis.Redis) -> None:
    """Only decisions from --from to before --to are exported."""
    span = ("--from", "2026-11-23T15:30:03", "--to", "2026-11-23T15:30:05")
    shown = run_command(app, "export", *span).stdout

    assert sorted(json.loads(text)["request_id"] for text in shown.splitlines()) == ["r3", "r4"]


def test_the_last_twenty_decisions_are_shown_in_order(
    run_command: Run, decisions: redis.Redis
) -> None:
    """Over all orgs, newest last, as a table or as JSON."""
    rows = json.loads(run_command(app, "--json").stdout)
    table = run_command(app, "--last", "2").stdout

    assert [row["request_id"] for row in rows] == [f"r{n}" for n in range(10, 30)]
    assert "11-23" in table
    assert "0.000001500" in table
    assert max(map(len, table.splitlines())) <= 80


def test_verify_tells_an_intact_log_from_a_damaged_one(
    run_command: Run, home: Path, decisions: redis.Redis
) -> None:
    """The exit status is 0 for an intact log and 1 for a damaged one, and the stretch is named."""
    fresh = run_command(app, "verify", "--org", "acme")

    async def seal() -> None:
        connection = RedisConnection(f"unix://{home}/redis/redis.sock")
        await Sealer(connection, load_pepper(home)).seal("acme")
        await connection.close()

    asyncio.run(seal())
    intact = run_command(app, "verify", "--org", "acme")
    entry_id, _ = decisions.xrange(names.audit("acme"))[3]
    decisions.xdel(names.audit("acme"), entry_id)
    damaged = run_command(app, "verify", "--json")

    assert (fresh.exit_code, intact.exit_code, damaged.exit_code) == (0, 0, 1)
    assert "acme: not sealed; 0 entries under 0 checkpoints, 15 not sealed yet" in fresh.stdout
    assert "acme: intact; 15 entries under 1 checkpoints, 0 not sealed yet" in intact.stdout
    (problem,) = json.loads(damaged.stdout)[0]["problems"]
    assert "15 entries were sealed up to here, 14 are there" in problem


def test_nothing_decided_is_said(run_command: Run, home_client: redis.Redis) -> None:
    """A fresh installation has no decisions, which is not an error."""
    assert run_command(app).stdout == "Nothing was decided yet.\n"


def test_a_bad_date_is_explained(run_command: Run) -> None:
    """The command ends with 2."""
    result = run_command(app, "export", "--from", "soon")

    assert result.exit_code == 2
    assert "'soon' is not a date" in result.stderr
