"""The tests that a policy brings along."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.findings import Finding, SensitivityRules, sensitivity_of
from gateway.core.profile import Profile
from policies.compiled import CompiledPolicy
from policies.testing import Outcome, run_tests

RULES = """\
constraints:
  - {id: hide, when: {findings: [email]}, mask: email, cap_output_tokens: 50}
  - {id: night, when: {time: {hours: "22..6", zone: Europe/Berlin}}, forbid: [frontier]}
routes:
  - {id: hard, when: {difficulty: ">= 0.6"}, use: [frontier, house]}
  - {id: easy, use: [house], shadow: {deployment: tiny, judge: frontier},
     add_tags: {a: b}, add_headers: {x-a: b}}
"""


def judge_text(text: str, rules: SensitivityRules) -> Profile:
    """A judge that sees e-mail addresses and finds everything hard."""
    found = (Finding(type="email", start=0, end=1),) if "@" in text else ()
    return Profile(sensitivity=sensitivity_of(found, rules), findings=found, difficulty=0.9)


@pytest.fixture
def run(compiled: Callable[[str], CompiledPolicy], deployments: str) -> Callable[..., Outcome]:
    """Run one test under the rules above."""

    def one(given: str, expect: str, *, judged: bool = True) -> Outcome:
        case = f"tests: [{{name: t, given: {given}, expect: {expect}}}]\n"
        policy = compiled(deployments + RULES + case)
        return run_tests(policy, judge_text if judged else None)[0]

    return one


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("{text: hello}", "{deployment: frontier, route: hard, sensitivity: internal}"),
        ("{text: a@b.com}", "{deployment: frontier, mask: email, output_cap: 50, reasons: [hide]}"),
        ("{text: a@b.com}", "{any_of: [tiny, frontier], never: [tiny]}"),
        ("{text: hello, difficulty: 0.1}", "{route: easy}"),
        ("{text: a@b.com, sensitivity: public}", "{deployment: frontier}"),
        ("{findings: [payment_card]}", "{sensitivity: restricted, refused: false}"),
        ("{findings: [payment_card], model: frontier}", "{refused: true, route: requested}"),
        ("{failed: [findings]}", "{deployment: house, mask: [email], reasons: [hide]}"),
        ("{failed: difficulty, sensitivity: public}", "{route: easy}"),
        ("{model: nothing}", "{refused: true}"),
        ('{difficulty: 1, time: "2026-03-02T23:00+01:00"}', "{deployment: house}"),
        ('{difficulty: 1, time: "2026-03-02T12:00"}', "{deployment: frontier}"),
        ("{sensitivity: public}", "{mask: []}"),
        ("{sensitivity: public, difficulty: 0.1}", "{shadow: tiny, tags: {a: b}}"),
        ("{sensitivity: public, difficulty: 0.1}", "{judge: frontier}"),
        ("{difficulty: 0.1}", "{headers: {x-a: b}}"),
        ("{difficulty: 0.9}", "{headers: {}, tags: {}}"),
    ],
)
def test_what_is_as_expected_passes(run: Callable[..., Outcome], given: str, expect: str) -> None:
    """Texts are judged, facts are set on top, and every expectation is compared."""
    assert run(given, expect).failures == ()


@pytest.mark.parametrize(
    ("given", "expect", "failure"),
    [
        ("{text: hello}", "{deployment: house}", "expected the deployment 'house', got 'frontier'"),
        ("{text: hello}", "{any_of: [tiny, house]}", "expected one of tiny, house, got 'frontier'"),
        (
            "{text: hello}",
            "{never: house}",
            "'house' must never be a candidate, and it is number 2",
        ),
        ("{text: hello}", "{refused: true}", "expected a refusal, got 'frontier'"),
        ("{model: x}", "{refused: false}", "expected an answer, got a refusal (The model 'x' does"),
        ("{text: hello}", "{route: easy}", "expected the route 'easy', got 'hard'"),
        ("{text: hello}", "{reasons: hide}", "expected the reason 'hide', got: hard"),
        (
            "{text: a@b.com}",
            "{sensitivity: public}",
            "expected sensitivity public, got confidential",
        ),
        ("{text: hello}", "{mask: email}", "expected to mask email, got nothing"),
        ("{text: hello}", "{output_cap: 50}", "expected an output cap of 50, got None"),
        ("{difficulty: 1}", "{shadow: tiny}", "expected a copy for 'tiny', got none"),
        (
            "{difficulty: 0, sensitivity: public}",
            "{never: tiny}",
            "'tiny' must never be called, and it gets a copy",
        ),
        ("{difficulty: 1}", "{judge: frontier}", "expected 'frontier' to judge a copy, got nobody"),
        (
            "{difficulty: 0, sensitivity: public}",
            "{never: frontier}",
            "'frontier' must never be called, and it judges a copy",
        ),
        ("{difficulty: 1}", "{tags: {a: b}}", "expected the tags a=b, got none"),
        ("{difficulty: 0}", "{headers: {x-a: c}}", "expected the headers x-a=c, got x-a=b"),
        ("{time: tomorrow}", "{refused: true}", "'tomorrow' is not an ISO time"),
    ],
)
def test_what_is_not_as_expected_says_so(
    run: Callable[..., Outcome], given: str, expect: str, failure: str
) -> None:
    """A failure says in a sentence what was expected and what came."""
    outcome = run(given, expect)

    assert not outcome.passed
    assert outcome.failures[0].startswith(failure)


def test_a_text_without_a_classifier_fails(run: Callable[..., Outcome]) -> None:
    """A test that could not be run is not a test that passed."""
    outcome = run("{text: hello}", "{refused: false}", judged=False)

    assert outcome.failures == ("the text cannot be judged: no classifier is at hand",)
