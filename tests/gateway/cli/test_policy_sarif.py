"""Findings as SARIF: what a code host needs to show them beside the lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.policy import app
from policies.checks.registry import CHECKS

#: What SARIF 2.1.0 requires of the objects that are written, and of the properties they have:
#: sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.28, 3.29, 3.30 and 3.49 of the standard.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "additionalProperties": False,
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {
                                "name": {"type": "string"},
                                "version": {"type": "string"},
                                "rules": {
                                    "type": "array",
                                    "uniqueItems": True,
                                    "items": {"$ref": "#/$defs/rule"},
                                },
                            },
                        }
                    },
                },
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "rule": {
            "type": "object",
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "shortDescription": TEXT,
                "help": TEXT,
                "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": LEVEL,
                "message": TEXT,
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {
                                    "artifactLocation": {"properties": {"uri": {"type": "string"}}},
                                    "region": {
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1},
                                            "startColumn": {"type": "integer", "minimum": 1},
                                        }
                                    },
                                },
                            }
                        },
                    },
                },
                "partialFingerprints": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                },
            },
        },
    },
}
DEAD = next(check.bad for check in CHECKS if check.code == "p007")


def run(file: Path, text: str, *flags: str) -> Result:
    file.write_text(text)
    return CliRunner().invoke(app, ["check", str(file), *flags], catch_exceptions=False)


def log_of(result: Result) -> Any:
    log = json.loads(result.stdout)
    jsonschema.validate(log, SHAPE)
    return log["runs"][0]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_every_check_is_a_rule_with_its_place(check: Any, tmp_path: Path) -> None:
    """The log has the standard's shape, and the finding leads to its rule, line and column."""
    result = run(tmp_path / "policy.yaml", check.bad, "--sarif")
    shown = log_of(result)
    found = next(one for one in shown["results"] if one["ruleId"] == check.code)
    rule = shown["tool"]["driver"]["rules"][found["ruleIndex"]]
    region = found["locations"][0]["physicalLocation"]["region"]

    assert result.exit_code == 1
    assert (rule["id"], rule["shortDescription"]["text"]) == (check.code, check.title)
    assert found["level"] == check.severity
    assert check.bad.splitlines()[region["startLine"] - 1].strip()
    assert check.good in rule["help"]["text"]


def test_a_file_without_findings_is_an_empty_log(tmp_path: Path) -> None:
    """CI closes what was open, so the log is written all the same."""
    good = next(check.good for check in CHECKS if check.code == "p007")
    result = run(tmp_path / "policy.yaml", good, "--format", "sarif")

    assert (result.exit_code, log_of(result)["results"]) == (0, [])


def test_a_file_that_is_no_policy_has_its_rule_too(tmp_path: Path) -> None:
    """What the grammar finds has a place and a rule."""
    result = run(tmp_path / "policy.yaml", "fairlead: 1\nrotes: []\n", "--sarif")
    found = log_of(result)["results"]

    assert result.exit_code == 1
    assert {one["ruleId"] for one in found} == {"grammar"}
    assert any("did you mean 'routes'?" in one["message"]["text"] for one in found)


def test_a_finding_keeps_its_fingerprint_when_lines_move(tmp_path: Path) -> None:
    """A code host then knows it again; another finding has another."""
    file = tmp_path / "policy.yaml"
    (first,) = log_of(run(file, DEAD, "--sarif"))["results"]
    (moved,) = log_of(run(file, "# a new line\n" + DEAD, "--sarif"))["results"]

    assert first["partialFingerprints"] == moved["partialFingerprints"]
    assert first["locations"] != moved["locations"]


def test_a_relative_file_stays_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code hosts look for it from the root of the repository."""
    monkeypatch.chdir(tmp_path)
    (found,) = log_of(run(Path("a policy.yaml"), DEAD, "--sarif"))["results"]

    place = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "a%20policy.yaml"}


def test_formats_are_named_once_and_known(tmp_path: Path) -> None:
    """Wrong usage ends with 2, and --format json is --json."""
    file = tmp_path / "policy.yaml"

    assert run(file, DEAD, "--format", "xml").exit_code == 2
    assert run(file, DEAD, "--json", "--sarif").exit_code == 2
    asked = json.loads(run(file, DEAD, "--format", "json").stdout)
    assert [one["code"] for one in asked["findings"]] == ["p007"]
