"""`fairlead policy prove` from the outside: what is printed and how it exits."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.policy import app

GOOD = """\
fairlead: 1
deployments:
  house: {adapter: ollama, model: m, clearance: restricted,
          price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
  frontier: {adapter: openai, model: gpt-4o, api_key: "env:SURELY_NOT_SET", clearance: internal}
aliases: {auto: {}}
routes:
  - {id: hard, when: {difficulty: ">= 0.6", sensitivity: "<= internal"}, use: [frontier, house]}
  - {id: all, use: [house]}
tests:
  - {name: cards stay, given: {text: "card 4111 1111 1111 1111"}, expect: {deployment: house}}
"""
LEAKING = GOOD.replace("clearance: internal", "clearance: restricted").replace(
    ', sensitivity: "<= internal"', ""
)

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `fairlead policy COMMAND FILE …` on a text."""

    def command(name: str, text: str, *options: str) -> Result:
        path = tmp_path / "p.yaml"
        path.write_text(text)
        return CliRunner().invoke(app, [name, str(path), *options], catch_exceptions=False)

    return command


def test_a_policy_that_holds_exits_with_0(run: Run) -> None:
    """What was proved is said; machines get an empty list of findings."""
    told, found = run("prove", GOOD), run("prove", GOOD, "--json")

    assert (told.exit_code, found.exit_code) == (0, 0)
    assert "proved nothing above internal reaches 'frontier'" in told.stdout
    assert "claims hold for all requests" in told.stdout
    assert json.loads(found.stdout)["findings"] == []
    assert "proved nothing" not in run("prove", GOOD, "--quiet").stdout


def test_a_leak_exits_with_1_and_a_counterexample(run: Run) -> None:
    """The counterexample has the keys of a test's `given`, and a command that explains it."""
    told, found = run("prove", LEAKING), run("prove", LEAKING, "--json")
    leak = json.loads(found.stdout)["findings"][0]

    assert (told.exit_code, found.exit_code) == (1, 1)
    assert leak["code"] == "leak-outside"
    assert (leak["line"], leak["path"]) == (5, "deployments.frontier.clearance")
    assert leak["counterexample"] == {
        "model": "auto",
        "difficulty": 0.6,
        "findings": ["credential"],
    }
    assert "p.yaml:5:3: error: restricted data leaves the company for 'frontier'" in told.stdout


def test_the_printed_command_shows_the_leak(run: Run) -> None:
    """`policy explain` with the counterexample's facts names the deployment outside."""
    told = run("prove", LEAKING)
    line = next(one for one in told.stdout.splitlines() if "policy explain" in one)
    words = shlex.split(line)[2:]

    explained = CliRunner().invoke(app, words, catch_exceptions=False)

    assert explained.exit_code == 0
    assert "served by frontier, by route hard" in explained.stdout
    assert "restricted" in explained.stdout


def test_a_wrong_file_is_no_matter_of_proof(run: Run) -> None:
    """It is told as `policy check` tells it."""
    found = run("prove", GOOD.replace("use: [house]", "use: [hose]"), "--json")

    assert found.exit_code == 1
    assert [one["code"] for one in json.loads(found.stdout)["findings"]] == ["p001"]


def test_a_missing_file_exits_with_2() -> None:
    """As with every command."""
    assert CliRunner().invoke(app, ["prove", "/does/not/exist.yaml"]).exit_code == 2


def test_without_the_prover_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    """Exit status 2, no traceback; every other command works without it."""
    path = tmp_path / "p.yaml"
    path.write_text(GOOD)
    hidden = "import sys; sys.modules['z3'] = None; from gateway.cli.main import main; main()"

    def fairlead(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", hidden, *words], capture_output=True, text=True, check=False
        )

    refused = fairlead("policy", "prove", str(path))
    checked = fairlead("policy", "check", str(path))

    assert refused.returncode == 2
    assert "-m pip install 'z3-solver" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert checked.returncode == 0


def test_a_difference_is_told_with_the_command_that_shows_it(run: Run, tmp_path: Path) -> None:
    """In words for people, as a list for machines; no difference is said to be none."""
    old = tmp_path / "old.yaml"
    old.write_text(GOOD)
    told = CliRunner().invoke(app, ["diff", str(old), str(_written(tmp_path, LEAKING))])
    found = CliRunner().invoke(app, ["diff", str(old), str(_written(tmp_path, LEAKING)), "--json"])
    none = CliRunner().invoke(app, ["diff", str(old), str(old)])

    assert (told.exit_code, found.exit_code, none.exit_code) == (0, 0, 0)
    assert "confidential requests may newly leave the company for 'frontier'" in told.stdout
    assert "fairlead policy explain" in told.stdout
    changes = json.loads(found.stdout)["changes"]
    assert {"leaves", "reaches", "written"} <= {change["kind"] for change in changes}
    assert "nothing changes, for any request" in none.stdout


def test_a_difference_from_a_wrong_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    good, wrong = _written(tmp_path, GOOD), tmp_path / "wrong.yaml"
    wrong.write_text("fairlead: 1\n")
    told = CliRunner().invoke(app, ["diff", str(good), str(wrong)])

    assert told.exit_code == 1
    assert "wrong.yaml:1" in told.stdout + told.stderr


def _written(folder: Path, text: str) -> Path:
    path = folder / "new.yaml"
    path.write_text(text)
    return path
