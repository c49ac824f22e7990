"""`fairlead policy` from the outside: what is printed and how it exits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.policy import app
from policies.grammar.schema import json_schema

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

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `fairlead policy COMMAND FILE …` on a text."""

    def command(name: str, text: str, *options: str) -> Result:
        path = tmp_path / "p.yaml"
        path.write_text(text)
        return CliRunner().invoke(app, [name, str(path), *options], catch_exceptions=False)

    return command


def test_a_right_file_exits_with_0(run: Run) -> None:
    """Nothing is found; an unset secret is only noted, for the file is right."""
    told, findings = run("check", GOOD), run("check", GOOD, "--json")

    assert (told.exit_code, findings.exit_code) == (0, 0)
    assert "nothing wrong was found" in told.stdout
    assert "env:SURELY_NOT_SET is not set here" in told.stderr
    assert json.loads(findings.stdout) == {"findings": []}


@pytest.mark.parametrize(
    ("change", "line", "code"),
    [
        (("use: [house]", "use: [hose]"), 9, "p001"),
        (("clearance: restricted", "clearance: top"), 3, "grammar"),
        (("routes:", "rotes:"), 7, "grammar"),
        (("[frontier, house]", "[house]"), 5, "p008"),
        (("fairlead: 1", "fairlead: [1"), 2, "grammar"),
    ],
)
def test_a_wrong_file_exits_with_1(run: Run, change: tuple[str, str], line: int, code: str) -> None:
    """Findings have file, line, column, code and words, in JSON and for people."""
    text = GOOD.replace(*change)
    told, found = run("check", text), run("check", text, "--json")

    assert (told.exit_code, found.exit_code) == (1, 1)
    findings = json.loads(found.stdout)["findings"]
    assert (line, code) in {(one["line"], one["code"]) for one in findings}
    first = findings[0]
    assert f"p.yaml:{first['line']}:{first['column']}: " in told.stdout
    assert first["message"] in told.stdout


def test_a_check_can_be_left_out(run: Run) -> None:
    """`--allow` accepts one kind of finding."""
    text = GOOD.replace("[frontier, house]", "[house]")

    assert run("check", text, "--allow", "p008").exit_code == 0


@pytest.mark.parametrize("command", ["check", "test", "explain"])
def test_a_file_that_is_not_there_is_a_usage_error(command: str, tmp_path: Path) -> None:
    """Exit 2, in words."""
    result = CliRunner().invoke(app, [command, str(tmp_path / "none.yaml")])

    assert result.exit_code == 2
    assert "is not a file" in result.stderr


def test_tests_that_hold_exit_with_0(run: Run) -> None:
    """The real classifier judges the text."""
    told, found = run("test", GOOD), run("test", GOOD, "--json")

    assert (told.exit_code, found.exit_code) == (0, 0)
    assert "1 of 1 tests passed" in told.stdout
    assert json.loads(found.stdout) == {"findings": []}


def test_a_test_that_fails_exits_with_1(run: Run) -> None:
    """The place of the test and what came instead are told."""
    text = GOOD.replace("expect: {deployment: house}", "expect: {deployment: frontier}")

    found = run("test", text, "--json")

    finding = json.loads(found.stdout)["findings"][0]
    assert found.exit_code == 1
    assert (finding["line"], finding["code"]) == (11, "test")
    assert "expected the deployment 'frontier', got 'house'" in finding["message"]
    assert run("test", text).exit_code == 1


def test_a_broken_file_cannot_pass_its_tests(run: Run) -> None:
    """What cannot be compiled is a finding, not a trace."""
    found = run("test", GOOD.replace("use: [house]", "use: [hose]"), "--json")

    assert found.exit_code == 1
    assert json.loads(found.stdout)["findings"][0]["code"] == "p001"


def test_explaining_a_text(run: Run) -> None:
    """The tree says where it goes, what was seen, and why others fell out."""
    told = run("explain", GOOD, "--text", "card 4111 1111 1111 1111", "--fact", "difficulty=0.9")

    assert told.exit_code == 0
    assert "served by house, by route all" in told.stdout
    assert "sensitivity restricted (payment_card)" in told.stdout
    assert "no: sensitivity: <= internal (it is restricted)" in told.stdout


def test_explaining_facts_as_json(run: Run) -> None:
    """Facts are read by the grammar of tests, and JSON has everything."""
    told = run(
        "explain", GOOD, "--fact", "sensitivity=public", "--fact", "difficulty=0.7",
        "--fact", "findings=[email]", "--json",
    )  # fmt: skip

    explanation = json.loads(told.stdout)
    assert explanation["candidates"] == ["frontier", "house"]
    assert explanation["route"] == "hard"
    assert explanation["findings"] == ["email"]


def test_explaining_a_request_body(run: Run, tmp_path: Path) -> None:
    """A chat request is decoded and judged as the gateway does."""
    body = tmp_path / "body.json"
    message = {"role": "user", "content": "mail a@b.com"}
    body.write_text(json.dumps({"model": "auto", "messages": [message], "stream": True}))

    explanation = json.loads(run("explain", GOOD, "--body", str(body), "--json").stdout)

    assert explanation["requested_model"] == "auto"
    assert explanation["sensitivity"] == "confidential"
    assert explanation["candidates"] == ["house"]


def test_explaining_a_body_of_another_api(run: Run, tmp_path: Path) -> None:
    """The body tells its API; one that is no request is called wrong usage."""
    body, wrong = tmp_path / "body.json", tmp_path / "wrong.json"
    body.write_text(json.dumps({"model": "auto", "input": "mail a@b.com"}))
    wrong.write_text("[]")

    explanation = json.loads(run("explain", GOOD, "--body", str(body), "--json").stdout)
    shown = run("explain", GOOD, "--body", str(body))

    assert (explanation["api"], explanation["candidates"]) == ("responses", ["house"])
    assert shown.stdout.count("about $") == 2
    assert run("explain", GOOD, "--body", str(wrong)).exit_code == 2


@pytest.mark.parametrize("fact", ["nonsense", "strem=true", "sensitivity=top", "time=later"])
def test_a_wrong_fact_is_a_usage_error(run: Run, fact: str) -> None:
    """Exit 2, and the fact is told."""
    result = run("explain", GOOD, "--fact", fact)

    assert result.exit_code == 2
    assert "error: " in result.stderr


def test_the_schema_is_printed() -> None:
    """It is the JSON Schema that editors use."""
    result = CliRunner().invoke(app, ["schema"])

    assert (result.exit_code, json.loads(result.stdout)) == (0, json_schema())


def test_advice_names_models_that_fit_and_exits_with_0() -> None:
    """A table for people, figures with sources for machines; where nothing fits, status 1."""
    told = CliRunner().invoke(app, ["advise", "--for", "code", "--memory", "24", "--commercial"])
    found = CliRunner().invoke(app, ["advise", "--memory", "24", "--json"])
    none = CliRunner().invoke(app, ["advise", "--memory", "4", "--context", "100k"])
    wrong = CliRunner().invoke(app, ["advise", "--need", "telepathy"])

    assert (told.exit_code, found.exit_code, none.exit_code, wrong.exit_code) == (0, 0, 1, 2)
    assert "Llama 3.1 8B" in told.stdout
    assert "Orca" not in told.stdout
    models = json.loads(found.stdout)["models"]
    assert models[0]["source"].startswith("https://")
    assert "--all says why" in none.stdout
    assert "telepathy" in wrong.stdout + wrong.stderr
