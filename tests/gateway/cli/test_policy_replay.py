"""`fairlead policy replay` as a user meets it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from gateway.cli.policy import app
from gateway.stores import names
from tests.gateway.runtime.test_replaying import NOON, STRICTER, TEXT, record

Run = Callable[..., Any]


@pytest.fixture
def run(run_command: Run) -> Run:
    """Run `fairlead policy replay FILE …`."""
    return lambda *args: run_command(app, "replay", *args)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A stricter policy than the one that the decisions were made by."""
    path = tmp_path / "stricter.yaml"
    path.write_text(STRICTER)
    return path


@pytest.fixture
def decisions(home_client: redis.Redis) -> redis.Redis:
    """Thirty decisions in the audit log."""
    home_client.sadd(names.ORGS, "default")
    for number in range(30):
        line = msgspec.json.encode(record(number))
        at = int((NOON + number) * 1000)
        home_client.xadd(names.audit("default"), {"record": line}, id=f"{at}-0")
    return home_client


def test_a_table_tells_people_what_changes(run: Run, file: Path, decisions: redis.Redis) -> None:
    """In all, by way, and by team and model."""
    done = run(str(file))

    assert done.exit_code == 0
    assert "30 decisions, decided again under stricter.yaml" in done.stdout
    for words in ("newly stay home", "frontier", "team1"):
        assert words in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_machines_get_json_and_csv(run: Run, file: Path, decisions: redis.Redis) -> None:
    """The same figures."""
    told = json.loads(run(str(file), "--json").stdout)
    rows = list(csv.DictReader(run(str(file), "--format", "csv").stdout.splitlines()))

    assert told["total"]["newly_home"] == 12
    assert sum(int(row["newly_home"]) for row in rows) == 12
    assert {row["team"] for row in rows} == {"team0", "team1", "team2"}


def test_a_page_is_written_to_a_file(
    run: Run, file: Path, decisions: redis.Redis, tmp_path: Path
) -> None:
    """For people who would rather look than read."""
    page = tmp_path / "replay.html"
    done = run(str(file), "--format", "html", "--output", str(page))

    assert (done.exit_code, done.stdout) == (0, "")
    assert page.read_text().startswith("<!doctype html>")
    assert page.read_text().count("<svg") >= 2


def test_only_a_time_and_a_team(run: Run, file: Path, decisions: redis.Redis) -> None:
    """Moments as everywhere else."""
    asked = ("--since", "2026-11-23T15:30:10", "--until", "2026-11-23T15:30:20")
    some = json.loads(run(str(file), *asked, "--json").stdout)
    team = json.loads(run(str(file), "--team", "team1", "--json").stdout)
    none = run(str(file), "--until", "2020-01-01")

    assert some["records"] == 10
    assert [row["team"] for row in team["rows"]] == ["team1"]
    assert "no decision was recorded" in none.output


def test_exported_records_are_replayed_without_redis(
    run: Run, file: Path, tmp_path: Path, home: Path
) -> None:
    """Such as last year's, on another machine."""
    exported = tmp_path / "audit.jsonl"
    exported.write_bytes(b"\n".join(msgspec.json.encode(record(n)) for n in range(10)))
    told = json.loads(run(str(file), "--records", str(exported), "--json").stdout)

    assert told["records"] == 10
    assert not (home / "redis").exists()


def test_changes_that_must_not_be_fail_the_command(
    run: Run, file: Path, decisions: redis.Redis
) -> None:
    """For pipelines: only the kinds that were named."""
    fine = run(str(file), "--fail-on", "newly_outside", "--fail-on", "newly_refused")
    failed = run(str(file), "--fail-on", "newly_home")

    assert fine.exit_code == 0
    assert failed.exit_code == 1
    assert "12 requests: newly stay home" in failed.output


@pytest.mark.parametrize(
    ("text", "args", "status", "told"),
    [
        (TEXT + "oops: [", (), 1, "broken YAML"),
        (TEXT, ("--since", "sometime"), 2, "not a date"),
        (TEXT, ("--records", "nowhere.jsonl"), 2, "cannot be read"),
        (None, (), 2, "is not a file"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    run: Run, file: Path, text: str | None, args: tuple[str, ...], status: int, told: str
) -> None:
    """And the right exit status."""
    file.unlink() if text is None else file.write_text(text)
    done = run(str(file), *args)

    assert done.exit_code == status
    assert told in done.output


def test_a_damaged_record_is_told(run: Run, file: Path, tmp_path: Path) -> None:
    """A line that is no record stops the replay, rather than being left out in silence."""
    exported = tmp_path / "audit.jsonl"
    exported.write_bytes(b"{}\n")
    done = run(str(file), "--records", str(exported))

    assert done.exit_code == 2
    assert "no audit record" in done.output
