"""`fairlead policy status`, `versions`, `apply` and `rollback` where no gateway runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Any

import pytest
import redis

from gateway.cli.policy import app
from gateway.core.versions import RefusedChange, WorkerReport
from gateway.stores import versions
from gateway.stores.versions import ask_now

TEXT = """\
fairlead: 1
deployments:
  house: {adapter: openai_compatible, base_url: "http://127.0.0.1:8000/v1", model: m,
          api_key: "env:SURELY_NOT_SET", clearance: restricted,
          price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
aliases: {auto: {}}
routes: [{id: ROUTE, use: [house]}]
"""
Run = Callable[..., Any]


@pytest.fixture
def run(run_command: Run, home_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `fairlead policy …`, against a Redis that stays up between commands; without proofs."""
    monkeypatch.setenv("FAIRLEAD_PROOF_SECONDS", "0")
    return lambda *args: run_command(app, *args)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good policy file whose secret is not set in this shell."""
    path = tmp_path / "p.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def history(run: Run, file: Path) -> list[str]:
    """Three versions with the routes one, two and three; their revisions."""
    revisions = []
    for route in ("one", "two", "three"):
        file.write_text(TEXT.replace("ROUTE", route))
        done = run("apply", str(file), "--json", "--note", f"for {route}")
        assert done.exit_code == 0, done.output
        revisions.append(json.loads(done.stdout)["revision"])
    return revisions


def test_before_the_first_policy_there_is_nothing_to_show(run: Run) -> None:
    """Told in a sentence, not in a trace."""
    assert "No gateway has kept a policy yet." in run("versions").stdout
    assert "No gateway has kept a policy yet." in run("status").stdout
    assert json.loads(run("versions", "--json").stdout) == {"versions": []}


def test_applying_a_file_makes_the_next_version(
    run: Run, file: Path, history: list[str], home_client: redis.Redis
) -> None:
    """With the difference; a secret that only the gateways have does not matter."""
    again = run("apply", str(file))
    file.write_text(TEXT.replace("ROUTE", "four"))
    done = run("apply", str(file))

    assert "in force already" in again.stdout
    assert "-routes: [{id: three, use: [house]}]" in done.stdout
    assert "version 4" in done.stdout
    assert "none is running" in done.stdout
    assert "four" in (ask_now(home_client, versions.text(4)) or "")


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        (lambda text: text + "routes: [", 1, "broken YAML"),
        (lambda text: text.replace("[house]", "[nobody]"), 1, "nobody"),
        (lambda text: text + "tests: [{name: t, given: {}, expect: {refused: true}}]", 1, "'t'"),
        (None, 2, "is not a file"),
    ],
)
def test_what_cannot_be_used_is_not_applied(
    run: Run,
    file: Path,
    history: list[str],
    home_client: redis.Redis,
    change: Callable[[str], str] | None,
    status: int,
    told: str,
) -> None:
    """The problems are told as `check` and `test` tell them."""
    file.unlink() if change is None else file.write_text(change(TEXT.replace("ROUTE", "r")))
    done = run("apply", str(file))

    assert done.exit_code == status
    assert told in done.output
    assert ask_now(home_client, versions.head()).number == 3


def test_versions_are_listed_with_who_when_and_why(run: Run, history: list[str]) -> None:
    """The one in force is marked; one alone is shown with its difference."""
    listed = run("versions").stdout
    told = json.loads(run("versions", "--json").stdout)["versions"]
    one = run("versions", "2").stdout
    by_revision = json.loads(run("versions", history[0], "--json").stdout)

    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["*3", "2", "1"]
    assert told[1]["note"] == "for two"
    assert [version["number"] for version in told] == [3, 2, 1]
    assert "+routes: [{id: two, use: [house]}]" in one
    assert by_revision["text"] == TEXT.replace("ROUTE", "one")
    assert run("versions", "77").exit_code == 2


def test_rolling_back_is_a_new_version(run: Run, history: list[str]) -> None:
    """By revision, its beginning, or number."""
    done = run("rollback", history[0][:8], "--note", "it was better")
    told = json.loads(run("versions", "--json").stdout)["versions"][0]
    missing = run("rollback", "99")

    assert done.exit_code == 0, done.output
    assert (told["number"], told["source"], told["revision"]) == (4, "rollback", history[0])
    assert told["note"] == "back to version 1: it was better"
    assert (missing.exit_code, "fairlead policy versions" in missing.output) == (2, True)


def test_the_status_shows_workers_and_what_was_refused(
    run: Run, history: list[str], home_client: redis.Redis
) -> None:
    """A worker that cannot use the newest version says why."""
    report = WorkerReport(worker="h:1:a", number=2, revision="r", at=time(), problem="no secret")
    ask_now(home_client, versions.report(report))
    refused = RefusedChange(source="file", by="p.yaml on h", at=1.0, problems=("p.yaml:1:1: no",))
    ask_now(home_client, versions.raise_alarm(refused))
    told = run("status").stdout
    as_json = json.loads(run("status", "--json").stdout)

    assert "version 3" in told
    assert "h:1:a: version 2 (r) no secret" in told
    assert "p.yaml:1:1: no" in told
    assert as_json["in_force"]["number"] == 3
    assert as_json["workers"][0]["problem"] == "no secret"


def test_a_change_that_a_worker_cannot_use_is_told(
    run: Run, file: Path, history: list[str], home_client: redis.Redis
) -> None:
    """Exit status 1, and who stays behind with which reason."""
    report = WorkerReport(worker="h:1:a", number=3, revision="r", at=time(), problem="no secret")
    ask_now(home_client, versions.report(report))
    file.write_text(TEXT.replace("ROUTE", "four"))
    done = run("apply", str(file))

    assert done.exit_code == 1
    assert "0 of 1 gateway workers" in done.stdout
    assert "h:1:a stays at version 3: no secret" in done.stdout


def test_what_leaks_is_not_applied(
    run: Run, file: Path, history: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told as `prove` tells it; a version says whether it was proved."""
    pytest.importorskip("z3")
    monkeypatch.setenv("FAIRLEAD_PROOF_SECONDS", "60")
    lowered = TEXT.replace("ROUTE", "four") + "sensitivity: {findings: {credential: public}}\n"
    lowered = lowered.replace("127.0.0.1:8000", "example.org").replace("restricted", "internal")
    file.write_text(lowered)
    leaking = run("apply", str(file))
    file.write_text(TEXT.replace("ROUTE", "four"))
    done = run("apply", str(file), "--json")

    assert leaking.exit_code == 1
    assert "a leak: " in leaking.stdout
    assert json.loads(done.stdout)["proof"] == "proved to open no leak"
