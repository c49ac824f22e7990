"""The JSON Schema for editors says what the reader says."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from policies.checks.registry import CHECKS
from policies.grammar.schema import json_schema
from policies.loader import read_policy
from policies.problems import PolicyError

POLICIES = Path(__file__).parents[2] / "policies"
LIBRARY = sorted((POLICIES / "library").glob("*.yaml"))


def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def plain(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_committed_schema_is_current() -> None:
    """`fairlead policy schema > policies/schema.json` gives the committed file."""
    assert json.loads((POLICIES / "schema.json").read_text()) == json_schema()


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_library_files_fit_the_schema(path: Path) -> None:
    """What we ship is what editors accept."""
    assert list(validator().iter_errors(plain(path.read_text()))) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_examples_of_checks_fit_the_schema(check: Any) -> None:
    """Faults of meaning are none of grammar."""
    assert list(validator().iter_errors(plain(check.bad))) == []


ONE = """\
fairlead: 1
deployments: {one: {adapter: ctransformers, model: m, clearance: restricted%s}}
routes: [{id: a, use: one%s}]
%s
"""
VARIANTS: list[tuple[str, str, str, bool]] = [
    ("", "", "", True),
    (", clearance2: x", "", "", False),
    (", retries: -1", "", "", False),
    (", retries: 2, context_tokens: 10, capabilities: [vision]", "", "", True),
    (", capabilities: []", "", "", False),
    (", api_key: 'env:KEY'", "", "", True),
    (", api_key: 'sk-123'", "", "", False),
    (", base_url: 'http://x/v1'", "", "", True),
    (", base_url: 'x'", "", "", False),
    (", price: {utilisation: 0}", "", "", False),
    (", price: {utilisation: 1}", "", "", True),
    (", options: {threads: 2, fast: true, path: /x}", "", "", True),
    (", options: {threads: []}", "", "", False),
    ("", ", when: {sensitivity: '<= internal', stream: true}", "", True),
    ("", ", when: {stream: maybe}", "", False),
    ("", ", when: {strem: true}", "", False),
    ("", ", when: {any: [{team: a}, {not: {team: b}}]}", "", True),
    ("", ", when: {any: []}", "", False),
    ("", ", when: {findings: {any: [email], none: iban}}", "", True),
    ("", ", when: {findings: {any: [emial]}}", "", False),
    ("", ", when: {time: {hours: '8..18', weekdays: [mon]}}", "", True),
    ("", ", when: {time: {hour: '8..18'}}", "", False),
    ("", ", when: {stream: true}}, {id: b, use: {cascade: [one]}", "", True),
    ("", "}, {id: b, use: {cascade: [one], checks: [schema, {logprob: -0.8}]}", "", True),
    ("", "}, {id: b, use: {strategy: cascade, among: one, checks: [{agreement: 3}]}", "", True),
    ("", "}, {id: b, use: {cascade: [one], checks: []}", "", False),
    ("", "}, {id: b, use: {cascade: [one], checks: [shema]}", "", False),
    ("", "}, {id: b, use: {cascade: [one], checks: [{logprob: 1}]}", "", False),
    ("", "}, {id: b, use: {cascade: [one], checks: [{agreement: 1}]}", "", False),
    ("", "}, {id: b, use: {cascade: [one], checks: [{schema: true}]}", "", False),
    ("", "}, {id: b, use: {cascade: [one], least_quality: 40%}", "", True),
    ("", "}, {id: b, use: {cascade: [one], least_quality: 140%}", "", False),
    ("", "}, {id: b, use: {among: one, explore: 2%}", "", True),
    ("", "}, {id: b, use: {among: one, explore: 21%}", "", False),
    ("", "}, {id: b, use: {among: one, explore: 0.5}", "", False),
    ("", "}, {id: b, use: {among: one, target: {frontier_share: 20%}}", "", True),
    ("", "}, {id: b, use: {among: one, target: {frontier_share: 0.2}}", "", True),
    ("", "}, {id: b, use: {among: one, target: {frontier_share: 20}}", "", False),
    ("", "}, {id: b, use: {among: one, target: {quality: 120%}}", "", False),
    ("", "}, {id: b, use: {among: one, target: {spend: {usd: 500, per: month}}}", "", True),
    ("", "}, {id: b, use: {among: one, target: {spend: 12.50 USD/day}}", "", True),
    ("", "}, {id: b, use: {among: one, target: {spend: 500 USD}}", "", False),
    ("", "}, {id: b, use: {among: one, target: {spend: 0 USD/day}}", "", False),
    ("", "}, {id: b, use: {among: one, target: {spend: {usd: 500}}}", "", False),
    ("", "}, {id: b, use: {among: one, target: {}}", "", False),
    ("", "}, {id: b, use: {among: one, target: {quality: 1, frontier_share: 1}}", "", False),
    ("", "}, {id: b, use: one, shadow: one", "", True),
    ("", "}, {id: b, use: one, shadow: {deployment: one, share: 5%}", "", True),
    ("", "}, {id: b, use: one, shadow: {deployment: one, judge: one}", "", True),
    ("", "}, {id: b, use: one, shadow: {deployment: one, judge: [one]}", "", False),
    ("", "}, {id: b, use: one, shadow: {share: 5%}", "", False),
    ("", "}, {id: b, use: one, shadow: {deployment: one, share: 105%}", "", False),
    ("", "}, {id: b, use: one, add_tags: {a: b}, add_headers: {x-a: b}", "", True),
    ("", "}, {id: b, use: one, add_tags: [a]", "", False),
    ("", "}, {id: b, use: one, add_headers: {x-a: [b]}", "", False),
    ("", "", "aliases: {auto: , b: {description: x}}", True),
    ("", "", "aliases: {auto: {use: x}}", False),
    ("", "", "sensitivity: {default: public, findings: {email: internal}}", True),
    ("", "", "sensitivity: {findings: {emial: internal}}", False),
    ("", "", "sensitivity: {findings: {email: {level: internal, because: Footers.}}}", True),
    ("", "", "sensitivity: {default: {level: public}}", False),
    ("", "", "sensitivity: {detectors: [{id: d, type: project, terms: [Apollo, 7]}]}", True),
    ("", "", "sensitivity: {detectors: [{id: d, type: project, terms: 'file:t.txt'}]}", True),
    ("", "", "sensitivity: {detectors: [{id: d, type: project, terms: t.txt}]}", False),
    ("", "", "sensitivity: {detectors: [{id: d, type: project, terms: []}]}", False),
    ("", "", "sensitivity: {detectors: [{id: d, type: project, pattern: 'E-[0-9]+'}]}", True),
    ("", "", "sensitivity: {detectors: [{id: d, type: projects, pattern: x}]}", False),
    ("", "", "sensitivity: {detectors: [{type: project, pattern: x}]}", False),
    ("", "", "constraints: [{id: c, block: true}, {id: d, block: No.}]", True),
    ("", "", "constraints: [{id: c, block: false}]", False),
    ("", "", "constraints: [{id: c, only: {self_hosted: true}, mask: email}]", True),
    ("", "", "constraints: [{id: c, only: {}}]", False),
    ("", "", "budgets: [{scope: team/x, usd: 1.5, per: day}]", True),
    ("", "", "budgets: [{scope: team/x, usd: 1.5, per: daily}]", False),
    ("", "", "tests: [{name: t, given: {text: x}, expect: {refused: true}}]", True),
    ("", "", "tests: [{name: t, given: {text: x}}]", False),
    ("", "", "tests: [{name: t, given: {failed: findings}, expect: {refused: true}}]", True),
    ("", "", "tests: [{name: t, given: {failed: weather}, expect: {refused: true}}]", False),
]


@pytest.mark.parametrize(("deployment", "route", "rest", "fine"), VARIANTS)
def test_schema_and_reader_agree(deployment: str, route: str, rest: str, fine: bool) -> None:
    """What the reader takes the schema takes, and what it refuses the schema refuses."""
    text = ONE % (deployment, route, rest)
    fits = not list(validator().iter_errors(plain(text)))
    try:
        read_policy(text, "p.yaml")
        reads = True
    except PolicyError:
        reads = False

    assert (fits, reads) == (fine, fine)


def test_the_schema_is_plain_json() -> None:
    """No exact decimals or sets hide in it."""
    written = json.dumps(json_schema())

    assert json.loads(written, parse_float=Decimal)["title"] == "Fairlead policy"
