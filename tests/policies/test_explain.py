"""Explanations that a person can follow."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.core.decision import Facts
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy
from policies.explain import Explanation, explain

RULES = """\
constraints:
  - {id: home, because: Health stays., when: {findings: [medical]}, require: self_hosted}
  - {id: night, when: {all: [{team: x}, {stream: true}]}, forbid: [tiny]}
routes:
  - {id: hard, because: Worth it., when: {difficulty: ">= 0.6"}, use: [frontier, house]}
  - {id: easy, use: [house]}
  - {id: after, when: {stream: false}, use: [tiny]}
"""


def told(
    compiled: Callable[[str], CompiledPolicy],
    deployments: str,
    facts: Callable[..., Facts],
    **given: object,
) -> Explanation:
    return explain(compiled(deployments + RULES), facts(**given))


def test_every_statement_says_how_it_turned_out(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """Constraints and routes tell whether they apply, why, and what was seen."""
    shown = told(compiled, deployments, facts, findings=("medical",), difficulty=0.2)

    assert [(one.id, one.applies, one.why) for one in shown.constraints] == [
        ("home", True, "its condition holds"),
        ("night", False, "its condition does not hold"),
    ]
    assert [(one.id, one.applies, one.why) for one in shown.routes] == [
        ("hard", False, "its condition does not hold"),
        ("easy", True, "it is the first whose condition holds"),
        ("after", False, "an earlier route was taken"),
    ]
    condition = shown.routes[0].condition
    assert (condition.words, condition.answer, condition.seen) == (
        "difficulty: >= 0.6",
        "no",
        "0.2",
    )
    parts = shown.constraints[1].condition.parts
    assert [(one.words, one.answer, one.seen) for one in parts] == [
        ("team: x", "no", "default"),
        ("stream: true", "no", "false"),
    ]


def test_every_deployment_says_where_it_stands(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """A candidate has a place and a cost; any other says why it is none."""
    shown = told(compiled, deployments, facts, difficulty=0.9, sensitivity=Sensitivity.CONFIDENTIAL)

    assert [(one.name, one.place, one.reason) for one in shown.deployments] == [
        ("house", 1, ""),
        ("tiny", None, "hard"),
        ("frontier", None, "clearance"),
    ]
    assert shown.deployments[1].because == "the route 'hard' does not use it"
    house = shown.deployments[0]
    assert (house.estimated_cost_usd, house.most_cost_usd) == ("0.000530000", "0.008292000")
    assert (house.input_tokens, house.input_tokens_at_most, house.output_tokens) == (100, 200, 215)
    assert (house.tokenizer, house.gpu_seconds) == ("unknown", None)


def test_what_cannot_be_told_is_said(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """A failed detector shows as such, on the constraint that it makes apply."""
    shown = told(compiled, deployments, facts, failed=("findings",), difficulty=0.1)

    assert shown.constraints[0].applies
    assert shown.constraints[0].why == "its condition cannot be told, so it applies"
    assert shown.constraints[0].condition.seen == "none, and a detector failed"


def test_a_refusal_for_the_key_asks_no_statement(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """An unknown model is refused first, and every deployment says so."""
    shown = told(compiled, deployments, facts, model="nothing")

    assert not any(one.applies for one in (*shown.constraints, *shown.routes))
    assert {one.reason for one in shown.deployments} == {"model_not_found"}


def test_an_explanation_is_plain_json(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """It can be written as JSON as it is, and holds no secret."""
    written = msgspec.json.encode(told(compiled, deployments, facts)).decode()

    assert '"route":"easy"' in written
    assert "value of" not in written


def test_a_cascade_says_what_its_answers_must_pass(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """The route tells its strategy and its checks."""
    use = "{cascade: [house, frontier], checks: [tools, {agreement: 3}], least_quality: 40%}"
    (shown,) = explain(compiled(f"{deployments}routes: [{{id: r, use: {use}}}]"), facts()).routes

    assert (shown.strategy, shown.checks) == ("cascade", ("tools", "agreement 3"))
    assert (shown.least_quality, shown.explore) == (0.4, 0.0)


def test_a_route_tells_what_it_adds(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """In words with the route, and as values with the decision."""
    adds = (
        "shadow: {deployment: tiny, share: 5%, judge: frontier}, "
        "add_tags: {a: b}, add_headers: {x-a: c}"
    )
    told = explain(compiled(f"{deployments}routes: [{{id: r, use: house, {adds}}}]"), facts())

    assert told.routes[0].adds == (
        "header x-a: c",
        "tag a=b",
        "a copy of 5% to tiny, judged by frontier",
    )
    assert (told.shadow, told.judge) == ("tiny", "frontier")
    assert (told.tags, told.headers) == ({"a": "b"}, {"x-a": "c"})


def test_a_target_is_told_with_its_threshold(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """What the route aims at, and the difficulty from which on the last deployment comes first."""
    route = "routes: [{id: r, use: {among: [house, frontier], target: {quality: 95%}}}]"
    (shown,) = explain(compiled(deployments + route), facts(thresholds={"r": 0.4321})).routes

    assert (shown.target, shown.threshold) == ("quality 95%", 0.4321)
