"""Findings as SARIF 2.1.0, which code hosts and CI systems show beside the lines they are about.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from policies.checks.base import Check
from policies.problems import Problem

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: The rule of what the grammar of the file finds, which is no check of its own.
_GRAMMAR = "grammar"


def sarif(found: Sequence[Problem], file: Path, checks: Sequence[Check]) -> dict[str, Any]:
    """A SARIF log with one run.

    Args:
        found: what was found, in the order of the file.
        file: the policy file; relative paths stay relative, as code hosts want them.
        checks: every check that was run; each is a rule with its examples as help.
    """
    rules = [_grammar_rule(), *(_rule(check) for check in checks)]
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    driver: dict[str, Any] = {"name": "fairlead", "rules": rules}
    installed = _version()
    if installed:
        driver["version"] = installed
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, file, places) for one in found],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    text = f"Finds:\n\n{check.bad}\nFine is:\n\n{check.good}"
    shown = f"Finds:\n\n```yaml\n{check.bad}```\n\nFine is:\n\n```yaml\n{check.good}```\n"
    return {
        "id": check.code,
        "shortDescription": {"text": check.title},
        "help": {"text": text, "markdown": shown},
        "defaultConfiguration": {"level": check.severity},
    }


def _grammar_rule() -> dict[str, Any]:
    return {
        "id": _GRAMMAR,
        "shortDescription": {"text": "the file is not a well-formed policy"},
        "defaultConfiguration": {"level": "error"},
    }


def _result(one: Problem, file: Path, places: dict[str, int]) -> dict[str, Any]:
    code = one.code or _GRAMMAR
    told = f"{one.message}\n{one.hint}" if one.hint else one.message
    result: dict[str, Any] = {
        "ruleId": code,
        "level": one.severity,
        "message": {"text": told},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(file)},
                    "region": {"startLine": one.line, "startColumn": one.column},
                }
            }
        ],
        # Alike for the same finding after lines above it have moved.
        "partialFingerprints": {"finding/v1": _fingerprint(code, one)},
    }
    if code in places:
        result["ruleIndex"] = places[code]
    if one.path:
        result["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": one.path}]
    return result


def _fingerprint(code: str, one: Problem) -> str:
    return sha256("\0".join((code, one.path, one.message)).encode()).hexdigest()[:16]


def _uri(file: Path) -> str:
    return file.as_uri() if file.is_absolute() else quote(file.as_posix())


def _version() -> str:
    try:
        return version("fairlead")
    except PackageNotFoundError:
        return ""
