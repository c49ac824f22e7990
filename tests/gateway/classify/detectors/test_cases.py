"""Every detector against its own table of cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gateway.classify.classifier import Classifier
from gateway.classify.detectors import all_detectors
from gateway.core.findings import FINDING_TYPES, SensitivityRules

HERE = Path(__file__).parent
TABLES = {path.stem: YAML(typ="safe").load(path) for path in sorted(HERE.glob("*.yaml"))}
FOUND = [
    pytest.param(case, id=f"{name}: {case['text'][:40]}")
    for name, table in TABLES.items()
    for case in table["found"]
]
CLEAN = [
    pytest.param(text, id=f"{name}: {text[:40]}")
    for name, table in TABLES.items()
    for text in table["clean"]
]


def test_every_detector_has_a_table():
    """A detector comes with cases that it must find and cases that it must leave alone."""
    assert {detector.name for detector in all_detectors()} == set(TABLES)
    assert all(table["found"] and table["clean"] for table in TABLES.values())


@pytest.mark.parametrize("case", FOUND)
def test_finds(case: dict[str, str], classifier: Classifier, rules: SensitivityRules):
    """What is sensitive is found with its type and at its exact place."""
    findings = classifier.judge_text(case["text"], rules).findings
    found = [(one.type, case["text"][one.start : one.end]) for one in findings]

    assert (case["type"], case["value"]) in found
    assert {kind for kind, _ in found} <= FINDING_TYPES


@pytest.mark.parametrize("text", CLEAN)
def test_leaves_alone(text: str, classifier: Classifier, rules: SensitivityRules):
    """What only looks sensitive does not raise the level of a request."""
    profile = classifier.judge_text(text, rules)

    assert profile.sensitivity == rules.default, profile.findings
