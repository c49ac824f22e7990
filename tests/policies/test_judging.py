"""The judge of a copy is decided again once the answers are known, and can only be kept out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.decision import Decision, Facts
from gateway.core.principal import Principal
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy
from policies.engine import decide
from policies.judging import decide_judging

ROUTE = "routes: [{id: all, use: [house], shadow: {deployment: tiny, judge: frontier}}]\n"
HOME = "constraints: [{id: home, when: {findings: [medical]}, require: self_hosted}]\n"
SHORT = "constraints: [{id: short, when: {input_tokens: '< 500'}, forbid: [frontier]}]\n"
HIDE = "constraints: [{id: hide, when: {findings: [email]}, mask: email}]\n"


@pytest.fixture
def judging(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> Callable[..., Decision | None]:
    """Decide a request, and then its judge by other facts."""

    def make(
        statements: str, before: dict[str, object], after: dict[str, object]
    ) -> Decision | None:
        policy = compiled(deployments + statements + ROUTE)
        decision = decide(policy, facts(**before))
        return decide_judging(policy, facts(**{**before, **after}), decision)

    return make


@pytest.mark.parametrize(
    ("rest", "before", "after"),
    [
        ("", {}, {"findings": ("payment_card",)}),
        ("", {}, {"sensitivity": Sensitivity.CONFIDENTIAL}),
        ("", {"findings": ("payment_card",)}, {"findings": ()}),
        (HOME, {}, {"findings": ("medical",), "sensitivity": Sensitivity.PUBLIC}),
        (SHORT, {"tokens": 100}, {"tokens": 1000}),
        (
            "constraints: [{id: no, when: {input_tokens: '> 500'}, block: No.}]\n",
            {},
            {"tokens": 900},
        ),
    ],
)
def test_what_the_request_or_the_answers_forbid_is_not_judged(
    judging: Callable[..., Decision | None],
    rest: str,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    """A finding in an answer keeps it from the judge, and what kept the request out still does."""
    assert judging(rest, before, after) is None


def test_a_key_that_may_not_send_so_much_does_not_have_it_judged(
    judging: Callable[..., Decision | None],
) -> None:
    """The answers raise the level above the key's own."""
    key = Principal(key_id="k", max_sensitivity=Sensitivity.PUBLIC)
    before = {"principal": key, "sensitivity": Sensitivity.PUBLIC}

    assert judging("", before, {}) is not None
    assert judging("", before, {"sensitivity": Sensitivity.INTERNAL}) is None


@pytest.mark.parametrize(("judge", "judged"), [("frontier", False), ("house", True)])
def test_where_a_second_stage_looks_answers_leave_to_no_judge(
    compiled: Callable[[str], CompiledPolicy],
    deployments: str,
    facts: Callable[..., Facts],
    judge: str,
    judged: bool,
) -> None:
    """It has looked at the request only; a judge at home may see everything."""
    stage = 'sensitivity: {second_stage: {presidio: {url: "http://127.0.0.1:5002"}}}\n'
    route = ROUTE.replace("judge: frontier", f"judge: {judge}").replace("use: [house]", "use: tiny")
    policy = compiled(deployments + stage + route)
    seen = facts()
    decision = decide(policy, seen)

    assert decision.judged_by == judge
    assert (decide_judging(policy, seen, decision) is not None) is judged


def test_what_either_wants_hidden_is_hidden(judging: Callable[..., Decision | None]) -> None:
    """An address that only an answer has is masked as one of the request would be."""
    decision = judging(HIDE, {}, {"findings": ("email",)})

    assert decision is not None
    assert [one.name for one in decision.candidates] == ["frontier"]
    assert (decision.mask, decision.sent, decision.shadow) == (
        {"email"},
        Sensitivity.INTERNAL,
        None,
    )
