"""What is proved of a policy and what is found broken, by examples.

Each case changes one thing in a file that holds, and names the claims that break.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.deployment import SHIPPED_ADAPTERS
from policies.checker.proof import Proof, prove
from policies.checker.subject import subject_of
from policies.compiled import CompiledPolicy
from policies.explain import explain
from policies.loader import read_policy
from policies.testing import facts_of

POLICY = """\
fairlead: 1
deployments:
  house: {adapter: openai_compatible, base_url: "http://127.0.0.1:8000/v1", model: llama, zone: eu,
          clearance: restricted, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
  frontier: {adapter: openai, model: gpt-4o, api_key: "env:KEY", clearance: internal, zone: us}
aliases: {auto: {}}
sensitivity: {default: internal, findings: {person: confidential}}
constraints:
  - {id: legal-stays-home, when: {team: [legal, board]}, require: self_hosted}
  - {id: no-night-shift, when: {time: {hours: "22..6"}}, forbid: frontier}
never:
  - {id: legal, when: {team: [legal, board]}, deployment: {self_hosted: false}}
  - {id: people, when: {findings: person}, deployment: {zone: us}}
routes:
  - {id: hard, when: {difficulty: ">= 0.6", sensitivity: "<= internal"}, use: [frontier, house]}
  - {id: rest, use: [house, frontier]}
tests:
  - {name: health stays, given: {findings: medical, difficulty: 1}, expect: {deployment: house}}
"""

Prove = Callable[[str], Proof]


@pytest.fixture(scope="session")
def proof_of(compiled: Callable[[str], CompiledPolicy]) -> Prove:
    """Prove the text of a policy."""

    def run(text: str) -> Proof:
        file = read_policy(text, "test.yaml")
        return prove(subject_of(file, compiled(text), SHIPPED_ADAPTERS))

    return run


def changed(*changes: tuple[str, str]) -> str:
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_right_policy_is_proved(proof_of: Prove) -> None:
    """Every claim holds, and says in words what was proved."""
    proof = proof_of(POLICY)

    assert proof.holds
    assert proof.proved == (
        "nothing above internal reaches 'frontier'",
        "the invariant 'legal' is never needed",
        "the invariant 'people' is never needed",
        "the route 'hard' has a candidate wherever one may serve",
        "the route 'rest' has a candidate wherever one may serve",
        "every request that may be served has a route",
        "while Redis is away, it is refused",
        "when a request could not be judged, it counts as restricted",
        "when nobody knows what a deployment costs, it is refused",
        "when nothing of a route may serve, it is refused",
        "when a budget is used up that says nothing itself, it is refused",
        "when a deployment is down, the next candidate of the route is asked",
    )


def test_who_is_asked_what_is_sensitive_counts_among_those_who_are_reached(
    proof_of: Prove,
) -> None:
    """An invariant keeps texts off a machine: the second stage alone would bring them there."""
    stage = "sensitivity: {second_stage: {deployment: house, when: {stream: true}}, "
    text = POLICY.replace("sensitivity: {", stage)
    kept = "never:\n  - {id: off, when: {team: sales, model: auto}, deployment: {names: [house]}}\n"
    outside = "routes:\n  - {id: first, when: {team: sales}, use: [frontier]}\n"
    text = text.replace("never:\n", kept).replace("routes:\n", outside)
    broken = {one.path: one for one in proof_of(text).breaches}
    without = {one.path for one in proof_of(text.replace("stream: true", "team: hr")).breaches}

    found = broken["never.off"].counterexample
    assert found is not None
    assert (found["team"], found["stream"]) == ("sales", True)
    assert "never.off" not in without


@pytest.mark.parametrize("moment", ["redis_down", "provider_down", "budget_exhausted"])
def test_an_answer_that_cannot_happen_leaves_a_gap(proof_of: Prove, moment: str) -> None:
    """Whoever is at home takes over, says the file, and nobody at home may."""
    answer = f"degradation: {{{moment}: self_hosted_only}}\n"
    kept_out = "constraints:\n  - {id: no-home, when: {team: sales}, forbid: {self_hosted: true}}\n"
    assert proof_of(POLICY + answer).holds
    proof = proof_of(POLICY.replace("constraints:\n", kept_out, 1) + answer)

    (breach,) = (one for one in proof.breaches if one.code == "degradation")
    assert breach.path == f"degradation.{moment}"
    assert breach.counterexample is not None
    assert breach.counterexample["team"] == "sales"
    assert "nobody at home may" in breach.message


JUDGED = """\
  mirror: {adapter: openai_compatible, base_url: "http://127.0.0.1:8001/v1", model: other, zone: eu,
           clearance: restricted, price: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
aliases: {auto: {}}
"""


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        ("forbid: [frontier]", True),
        ("forbid: [mirror]", True),
        ("cap_output_tokens: 9", False),
    ],
)
def test_a_judge_is_among_those_that_are_reached(
    proof_of: Prove, constraint: str, holds: bool
) -> None:
    """Only as the judge of a copy can it be, and where there is no copy there is no judge."""
    routes = POLICY[POLICY.index("routes:") : POLICY.index("tests:")]
    shadow = "shadow: {deployment: mirror, judge: frontier}"
    by_name = "{id: by-name, when: {model: [frontier, mirror]}, block: No.}"
    proof = proof_of(
        changed(
            ("aliases: {auto: {}}\n", JUDGED),
            (routes, f"routes: [{{id: rest, use: [house], {shadow}}}]\n"),
            ("board]}, require: self_hosted", f"board]}}, {constraint}"),
            ("constraints:\n", f"constraints:\n  - {by_name}\n"),
        )
    )

    assert ("never.legal" in [one.path for one in proof.breaches]) is not holds


LEGAL = "team: [legal, board]}, require"
NOON = "2026-01-07T12:00:00+00:00"
CARD = {"findings": ["credential"]}
NIGHT = {"time": "2026-01-01T00:00:00+00:00"}
PERSON = {"findings": ["person"]}
OUTSIDE = "deployments.frontier.clearance"


@pytest.mark.parametrize(
    ("change", "path", "given"),
    [
        (("clearance: internal", "clearance: restricted"), OUTSIDE, {"findings": ["credential"]}),
        (("clearance: internal", "clearance: confidential"), OUTSIDE, {"findings": ["email"]}),
        (
            ("clearance: internal", "clearance: restricted, self_hosted: true"),
            OUTSIDE,
            {"findings": ["credential"]},
        ),
        (
            ("{person: confidential}", "{person: confidential, payment_card: public}"),
            "sensitivity.findings.payment_card",
            {"findings": ["payment_card"]},
        ),
        (
            ("{person: confidential}", "{person: confidential, medical: internal}"),
            "sensitivity.findings.medical",
            {"findings": ["medical"]},
        ),
        (("person: conf", "person: internal, email: conf"), "never.people", PERSON),
        ((LEGAL, "team: legal}, require"), "never.legal", {"team": "board"}),
        ((LEGAL, "not: {team: legal}}, require"), "never.legal", {"team": "legal"}),
        (("require: self_hosted", "cap_output_tokens: 5"), "never.legal", {"team": "legal"}),
        (("require: self_hosted", "forbid: {zone: eu}"), "never.legal", {"team": "legal"}),
        ((LEGAL, f"sensitivity: confidential, {LEGAL}"), "never.legal", {"team": "legal"}),
        (("rest, use: [house, frontier]", "rest, use: [frontier]"), "routes.rest", CARD),
        (("rest, use", "rest, when: {stream: true}, use"), "routes", {}),
        (("[frontier, house]", "[frontier]"), "routes.hard", {"difficulty": 0.6, **NIGHT}),
    ],
)  # fmt: skip
def test_one_fault_breaks_its_claim(
    proof_of: Prove, change: tuple[str, str], path: str, given: dict[str, Any]
) -> None:
    """The counterexample is as simple as it can be: the model, and what it takes."""
    found = {one.path: one for one in proof_of(changed(change)).breaches}

    assert path in found
    assert found[path].counterexample == {"model": "auto", "time": NOON, **given}
    assert found[path].message
    assert found[path].hint


@pytest.mark.parametrize(
    "changes",
    [
        (("clearance: internal", "clearance: public"),),
        (("{person: confidential}", "{person: restricted, email: restricted}"),),
        (("default: internal", "default: confidential"),),
        (("never:", "  - {id: more, when: {user: x}, forbid: frontier}\nnever:"),),
        (("clearance: internal", "clearance: {level: confidential, because: Our contract.}"),
         ("{person: confidential}", "{}"), ("{zone: us}", "{zone: mars}")),
        (("confidential}", "confidential, email: {level: public, because: X.}}"),),
        (("rest, use", "  rest  , use"), ("aliases: {auto: {}}", "aliases: {gpt: {}, auto: {}}")),
        (("routes:", "routes:\n  - {id: big, when: {input_tokens: '> 9k'}, use: house}"),),
        (("never:", "  - {id: c, when: {team: x}, block: No.}\nnever:"),),
    ],
)  # fmt: skip
def test_what_is_no_fault_breaks_nothing(
    proof_of: Prove, changes: tuple[tuple[str, str], ...]
) -> None:
    """Stricter levels, more constraints, other orders, and departures that the file explains."""
    assert proof_of(changed(*changes)).breaches == ()


def test_a_lowered_default_is_a_leak_where_it_opens_a_door(proof_of: Prove) -> None:
    """By a clearance, and by a constraint that asks for the sensitivity."""
    lowered = ("default: internal", "default: public")
    by_clearance = proof_of(changed(lowered, ("clearance: internal", "clearance: public")))
    guard = "  - {id: g, when: {sensitivity: '>= internal'}, require: self_hosted}\nnever:"
    by_constraint = proof_of(changed(lowered, ("never:", guard)))
    harmless = proof_of(changed(lowered))

    assert [one.path for one in by_clearance.breaches] == ["sensitivity.default"]
    assert [one.path for one in by_constraint.breaches] == ["sensitivity.default"]
    assert harmless.holds


def test_a_request_for_a_deployment_by_name_counts(proof_of: Prove) -> None:
    """No route uses it, and yet it can be asked for."""
    text = changed(
        ("clearance: internal", "clearance: restricted"),
        ("[frontier, house]", "[house]"),
        ("[house, frontier]", "[house]"),
    )
    found = {one.path: one for one in proof_of(text).breaches}

    told = {"model": "frontier", "findings": ["credential"], "time": NOON}
    assert found[OUTSIDE].counterexample == told


def test_a_family_may_read_fewer_tokens_than_the_whole_has(proof_of: Prove) -> None:
    """A window is held against what the deployment's own tokenizer makes of the input."""
    text = changed(
        ("model: llama,", "model: llama-3-8b, context_tokens: 8192,"),
        ("never:", "never:\n  - {id: long, when: {input_tokens: '> 9k'}, deployment: house}"),
    )
    found = {one.path: one for one in proof_of(text).breaches}

    told = found["never.long"].counterexample
    assert told["input_tokens"] > 9_000
    assert told["counted"] == {"llama3": 0}


def test_a_reserve_counts_only_where_a_budget_uses_it(proof_of: Prove) -> None:
    """A self-hosted deployment outside the route stands by for a used-up budget."""
    never = "  - {id: n, when: {user: x}, deployment: house}\nroutes:"
    changes = (
        ("routes:", never),
        ("[frontier, house]", "[frontier]"),
        ("[house, frontier]", "[frontier]"),
    )
    budget = "budgets: [{scope: 'team/*', usd: 1, on_exhausted: self_hosted_only}]\n"
    without = {one.path for one in proof_of(changed(*changes)).breaches}
    reserved = {one.path for one in proof_of(changed(*changes) + budget).breaches}
    refusing = proof_of(changed(*changes) + budget.replace("self_hosted_only", "refuse"))

    assert reserved == without  # asked for by name, 'house' is reached anyhow
    text = changed(*changes).replace("{user: x}", "{user: x, model: auto}")
    assert "never.n" not in {one.path for one in proof_of(text).breaches}
    assert "never.n" in {one.path for one in proof_of(text + budget).breaches}
    assert {one.path for one in refusing.breaches} == without


def test_a_test_that_fails_because_more_is_let_out_is_a_leak(proof_of: Prove) -> None:
    """And one that fails the other way is for `policy test`."""
    opened = proof_of(changed(("medical, difficulty: 1}", "date, difficulty: 1}")))
    closed = proof_of(changed(("expect: {deployment: house}", "expect: {deployment: frontier}")))

    assert [(one.code, one.path) for one in opened.breaches] == [
        ("leak-test", "tests.health stays")
    ]
    assert opened.breaches[0].counterexample == {"findings": ["date"], "difficulty": 1.0}
    assert closed.holds


def test_what_explain_shows_is_what_the_proof_found(
    proof_of: Prove, compiled: Callable[[str], CompiledPolicy]
) -> None:
    """A broken invariant is the reason that explaining its counterexample gives."""
    text = changed(("team: [legal, board]}, require", "team: legal}, require"))
    breach = proof_of(text).breaches[0]
    policy = compiled(text)
    given = next(iter(_givens(text, breach.counterexample)))
    told = explain(policy, facts_of(policy, given, None))

    assert [one.reason for one in told.deployments if one.name == "frontier"] == ["legal"]


def _givens(text: str, told: dict[str, Any] | None) -> Any:
    """The statement that a test with this `given` has."""
    case = f"  - {{name: shown, given: {told}, expect: {{refused: false}}}}\n"
    yield read_policy(text + case.replace("'", '"'), "shown.yaml").tests[-1].given


def test_notes_tell_what_is_refused_on_purpose_and_what_does_nothing(proof_of: Prove) -> None:
    """They are no faults."""
    text = changed(
        ("clearance: restricted", "clearance: confidential"),
        ("never:", "  - {id: idle, when: {all: [{team: a}, {team: b}]}, block: true}\nnever:"),
        ("rest, use", "dead, when: {difficulty: '> 0.7', sensitivity: public}, use: house}\n"
         "  - {id: rest, use"),
    )  # fmt: skip
    proof = proof_of(text)
    notes = {(one.code, one.path) for one in proof.notes}

    assert proof.holds
    assert {("refused", ""), ("dead", "constraints.idle"), ("dead", "routes.dead")} <= notes
    accepted = proof_of(
        changed(("clearance: internal", "clearance: {level: confidential, because: Signed.}"))
    )
    assert any("Signed." in one.message for one in accepted.notes)
