"""`fairlead policy dryrun` where no gateway runs: begun, looked at, ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from gateway.cli.policy import app
from gateway.core.replaying import Replayed, Side, Tally
from gateway.stores import dryruns, versions
from gateway.stores.versions import ask_now
from tests.gateway.runtime.test_replaying import TEXT

Run = Callable[..., Any]


@pytest.fixture
def run(run_command: Run, home_client: redis.Redis) -> Run:
    """Run `fairlead policy dryrun …`, against a Redis that stays up between commands."""
    return lambda *args: run_command(app, "dryrun", *args)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A candidate."""
    path = tmp_path / "candidate.yaml"
    path.write_text(TEXT)
    return path


def test_a_dry_run_is_begun_looked_at_and_ended(
    run: Run, file: Path, home_client: redis.Redis, tmp_path: Path
) -> None:
    """With what the gateways counted meanwhile."""
    none = run("status")
    begun = json.loads(run("start", str(file), "--note", "try it", "--json").stdout)
    going = ask_now(home_client, versions.head()).candidate
    tally = Tally()
    one = Replayed(
        request_id="r7", team="a", model="auto", before=Side(destination="house"),
        after=Side(destination="frontier", outside=True),
    )  # fmt: skip
    tally.count(one, 1_795_447_800.0)
    for question in dryruns.note(begun["id"], "w", tally):
        ask_now(home_client, question)
    shown, told = run("status"), json.loads(run("status", "--json").stdout)
    page = run("status", "--format", "html", "--output", str(tmp_path / "page.html"))
    ended = run("stop")
    after = json.loads(run("status", "--json").stdout)

    assert (none.exit_code, "dryrun start" in none.output) == (2, True)
    assert going == begun["id"]
    assert "(try it)" in shown.stdout
    assert "newly go outside" in shown.stdout
    assert told["total"]["newly_outside"] == 1
    assert told["examples"]["newly_outside"] == ["r7"]
    assert page.exit_code == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert ended.exit_code == 0
    assert ask_now(home_client, versions.head()).candidate == ""
    assert after["dry_run"]["ended"] is not None
    assert after["total"]["newly_outside"] == 1


def test_a_candidate_that_cannot_be_used_is_not_begun(run: Run, file: Path) -> None:
    """Its problems are told."""
    file.write_text(TEXT + "oops: [")
    done = run("start", str(file))

    assert done.exit_code == 1
    assert "broken YAML" in done.output
