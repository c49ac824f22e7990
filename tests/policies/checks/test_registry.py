"""Every check finds its bad example and leaves its good one alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.core.deployment import SHIPPED_ADAPTERS
from policies.checks.base import Check
from policies.checks.registry import CHECKS, run_checks
from policies.loader import read_policy
from policies.problems import Problem
from policies.resolve import Known

KNOWN = Known(adapters=SHIPPED_ADAPTERS, prices=lambda provider, model: None)


def found_in(text: str) -> tuple[Problem, ...]:
    return run_checks(read_policy(text, "example.yaml"), KNOWN)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_a_check_finds_its_bad_example(check: Check) -> None:
    """The bad example has what the check looks for, with its severity and a way out."""
    found = [problem for problem in found_in(check.bad) if problem.code == check.code]

    assert len(found) == 1
    assert found[0].severity == check.severity
    assert found[0].hint
    assert found[0].path


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_nothing_is_wrong_with_a_good_example(check: Check) -> None:
    """The good example passes every check, not only its own."""
    assert found_in(check.good) == ()


def test_restricted_data_may_leave_where_the_file_says_why() -> None:
    """A reason beside the clearance is what the check asks for."""
    check = next(check for check in CHECKS if check.code == "p011")
    reasoned = "clearance: {level: restricted, because: A contract.}"

    assert found_in(check.bad.replace("clearance: restricted", reasoned)) == ()


def test_every_check_file_is_registered_under_its_own_code() -> None:
    """A file `p0NN_….py` in the folder is in the list, and codes are not used twice."""
    folder = Path(__file__).parents[3] / "policies" / "checks"
    files = sorted(re.match(r"p\d{3}", path.name)[0] for path in folder.glob("p[0-9]*.py"))  # type: ignore[index]

    assert [check.code for check in CHECKS] == files
    assert len(set(files)) == len(files)


ONE = """\
fairlead: 1
deployments:
  house: {adapter: ctransformers, model: m, clearance: restricted,
          price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
"""


@pytest.mark.parametrize(
    ("rest", "code", "words"),
    [
        (
            "routes: [{id: a, use: [house]}, {id: a, when: {stream: true}, use: [house]}]",
            "p002",
            "the id 'a' is used twice",
        ),
        ("routes: [{id: requested, use: [house]}]", "p002", "one that the engine itself gives"),
        (
            "constraints: [{id: c, forbid: [home]}]\nroutes: [{id: a, use: [house]}]",
            "p001",
            "there is no deployment 'home' (did you mean 'house'?)",
        ),
        (
            "routes: [{id: a, use: [house]}]\n"
            "tests: [{name: t, given: {}, expect: {never: [nobody]}}]",
            "p001",
            "there is no deployment 'nobody'",
        ),
        (
            "routes: [{id: a, use: [house]}]\ntests: [{name: t, given: {}, expect: {}}]",
            "p013",
            "expects nothing, so it cannot fail",
        ),
        (
            "routes: [{id: a, use: [house]}]\nbudgets: [{scope: org, usd: 1}]",
            "p005",
            "'org' is not a scope (write org/NAME for one, or org/* for each)",
        ),
        (
            "routes: [{id: a, use: [house]}]\nbudgets: [{scope: teem/x, usd: 1}]",
            "p005",
            "'teem/x' is not a scope (did you mean 'team'?)",
        ),
        (
            "routes: [{id: a, use: [house]}]\nbudgets: [{scope: team/x*, usd: 1}]",
            "p005",
            "a '*' stands alone",
        ),
        (
            "routes: [{id: a, use: [house]}]\n"
            "budgets: [{scope: team/x, usd: 1}, {scope: team/x, usd: 2}]",
            "p005",
            "has two budgets for one month",
        ),
        (
            "routes: [{id: a, when: {stream: true}, use: [house]}, "
            "{id: b, when: {stream: true}, use: [house]}, {id: c, use: [house]}]",
            "p007",
            "'a' before it holds whenever it does",
        ),
        (
            "constraints: [{id: c, mask: {types: [person, age], style: realistic}}]\n"
            "routes: [{id: a, use: [house]}]",
            "p015",
            "there are no fakes for person, age",
        ),
        (
            "routes: [{id: a, when: {}, use: [house]}, {id: b, use: [house]}]",
            "p007",
            "'a' before it always holds",
        ),
        (
            "routes: [{id: a, when: {model: 'gpt*', stream: true}, use: [house]}, "
            "{id: b, when: {any: [{model: fast}, {model: slow}]}, use: [house]}]",
            "p010",
            "the alias 'auto' leads nowhere",
        ),
        (
            "routes: [{id: a, use: [house]}]\n"
            "sensitivity: {detectors: [{id: d, type: project, pattern: '(a+)\\1'}]}",
            "p024",
            "back-references need backtracking",
        ),
        (
            "routes: [{id: a, use: [house]}]\n"
            "sensitivity: {detectors: [{id: d, type: project, pattern: 'a*'}]}",
            "p024",
            "it matches nothing between any two letters",
        ),
        (
            "routes: [{id: a, use: [house]}]\n"
            "sensitivity: {detectors: [{id: d, type: project, pattern: '(a'}]}",
            "p024",
            "the pattern of 'd' cannot be used: missing )",
        ),
        (
            "routes: [{id: a, use: [house]}]\nsensitivity: {detectors: [{id: d, type: project}]}",
            "p024",
            "the detector 'd' needs either 'terms' or a 'pattern'",
        ),
        (
            "routes: [{id: a, use: [house]}]\n"
            "sensitivity: {detectors: [{id: d, type: project, terms: [Apollo, x]}]}",
            "p024",
            "the term 'x' of 'd' stands in every other text",
        ),
        (
            "routes: [{id: a, when: {team: [x, y], stream: true}, use: [house]}, "
            "{id: b, when: {stream: true, team: [y, z]}, use: {strategy: cheapest}}]",
            "p023",
            "the routes 'a' and 'b' overlap in team, and there 'a' is taken",
        ),
        (
            "routes: [{id: a, when: {difficulty: '>= 0.5'}, use: [house]}, "
            "{id: b, when: {difficulty: '>= 0.8', stream: true}, use: [house]}]",
            "p007",
            "'a' before it holds whenever it does",
        ),
    ],
)
def test_other_faults_are_found_too(rest: str, code: str, words: str) -> None:
    """A check looks at every place where its fault can stand."""
    found = found_in(ONE + rest + "\n")

    assert any(problem.code == code and words in problem.text("f") for problem in found), found
