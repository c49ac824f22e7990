"""Who may serve, in which order, and why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.decision import Decision, Facts
from gateway.core.principal import KeyBudget, Principal
from gateway.core.profile import Needs
from gateway.core.sensitivity import Sensitivity
from policies.charging import budgets_for
from policies.compiled import CompiledPolicy
from policies.engine import decide

Decided = Callable[..., Decision]
ALL = "routes: [{id: all, use: [frontier, house, tiny]}]\n"


def names(decision: Decision) -> list[str]:
    return [one.name for one in decision.candidates]


def why_not(decision: Decision) -> dict[str, str]:
    return {one.deployment: one.reason for one in decision.rejected}


@pytest.mark.parametrize(
    ("sensitivity", "expected"),
    [
        (Sensitivity.PUBLIC, ["frontier", "house", "tiny"]),
        (Sensitivity.INTERNAL, ["frontier", "house", "tiny"]),
        (Sensitivity.CONFIDENTIAL, ["house", "tiny"]),
        (Sensitivity.RESTRICTED, ["house"]),
    ],
)
def test_clearance_is_built_in(
    decided: Decided, sensitivity: Sensitivity, expected: list[str]
) -> None:
    """A deployment whose clearance is below the request is never a candidate."""
    decision = decided(ALL, sensitivity=sensitivity)

    assert names(decision) == expected
    assert set(why_not(decision).values()) <= {"clearance"}


def test_the_first_route_that_holds_is_taken(decided: Decided) -> None:
    """Later routes are not asked, and the order of its deployments is kept."""
    routes = """\
routes:
  - {id: hard, because: Worth it., when: {difficulty: ">= 0.6"}, use: [frontier, house]}
  - {id: easy, use: [tiny]}
"""
    hard, easy = decided(routes, difficulty=0.6), decided(routes, difficulty=0.59)

    assert (hard.route, names(hard)) == ("hard", ["frontier", "house"])
    assert [(one.id, one.because) for one in hard.reasons] == [("hard", "Worth it.")]
    assert (easy.route, names(easy)) == ("easy", ["tiny"])


def test_an_empty_route_refuses_and_asks_no_later_one(decided: Decided) -> None:
    """What the route uses is not cleared, so the request is refused with the reasons."""
    routes = "routes: [{id: out, use: [frontier]}, {id: home, use: [house]}]\n"

    decision = decided(routes, sensitivity=Sensitivity.RESTRICTED)

    assert names(decision) == []
    assert (decision.refusal_code, decision.route) == ("no_candidate", "out")
    assert "frontier: its clearance is internal, and the request is restricted" in decision.refusal


def test_no_route_is_a_refusal(decided: Decided) -> None:
    """A request that no route covers is refused, not sent anywhere."""
    decision = decided("routes: [{id: a, when: {stream: true}, use: [house]}]\n")

    assert (decision.refusal_code, decision.route) == ("no_route", "none")


CONSTRAINTS = """\
constraints:
  - {id: home, because: Health stays., when: {findings: [medical]}, require: self_hosted}
  - {id: not-tiny, when: {difficulty: "> 0.5"}, forbid: [tiny]}
  - {id: short, when: {team: cheap}, cap_output_tokens: 100}
  - {id: shorter, when: {app: cheapest}, cap_output_tokens: 10}
  - {id: hide, when: {findings: [email]}, mask: [email, phone]}
  - {id: hide-too, when: {findings: [phone]}, mask: phone}
  - {id: stop, when: {tags: {project: secret}}, block: Ask the security team.}
"""


def test_every_constraint_that_holds_narrows(decided: Decided) -> None:
    """Deployments are taken away by each constraint, and its id is the reason."""
    public = Sensitivity.PUBLIC
    decision = decided(CONSTRAINTS + ALL, findings=("medical",), sensitivity=public, difficulty=0.9)

    assert names(decision) == ["house"]
    assert why_not(decision) == {"frontier": "home", "tiny": "not-tiny"}
    assert [reason.id for reason in decision.reasons] == ["home", "not-tiny", "all"]


def test_a_caller_cannot_talk_its_key_out_of_a_rule(decided: Decided) -> None:
    """A tag of the key wins over the same tag in the request's own header."""
    keyed = Principal(key_id="k", tags=(("project", "secret"),))
    decision = decided(
        CONSTRAINTS + ALL, principal=keyed, tags=(("project", "secret"), ("project", "harmless"))
    )

    assert decision.refusal_code == "blocked_by_policy"


def test_the_smallest_cap_counts(decided: Decided) -> None:
    """Two caps together are the smaller one."""
    both = Principal(key_id="k", team="cheap", app="cheapest")

    assert decided(CONSTRAINTS + ALL, principal=both).output_cap == 10
    assert (
        decided(CONSTRAINTS + ALL, principal=Principal(key_id="k", team="cheap")).output_cap == 100
    )
    assert decided(CONSTRAINTS + ALL).output_cap is None


def test_masks_add_up(decided: Decided) -> None:
    """The finding types to hide are those of all constraints that hold."""
    assert decided(CONSTRAINTS + ALL, findings=("email",)).mask == {"email", "phone"}
    assert decided(CONSTRAINTS + ALL, findings=("phone",)).mask == {"phone"}


def test_fakes_stand_only_for_what_no_constraint_wants_plain(decided: Decided) -> None:
    """Of two constraints that hide one type the one without fakes has its way, in any order."""
    fakes = "constraints:\n  - {id: f, mask: {types: [email, phone], style: realistic}}\n"
    plain = "  - {id: p, when: {findings: [phone]}, mask: phone}\n"

    both = decided(fakes + plain + ALL, findings=("email", "phone"))

    assert both.mask == {"email", "phone"}
    assert both.realistic == {"email"}
    assert decided(fakes + plain + ALL, findings=("email",)).realistic == {"email", "phone"}


def test_who_stands_in_serves_under_the_same_obligations(decided: Decided) -> None:
    """Fakes, caps and what the route adds hold for those at home who step in, too."""
    policy = (
        "constraints:\n"
        "  - {id: f, mask: {types: email, style: realistic}, cap_output_tokens: 50}\n"
        "  - {id: no, forbid: [frontier]}\n"
        "degradation: {no_candidate: self_hosted_only}\n"
        "routes: [{id: all, use: [frontier], add_tags: {a: b}, add_headers: {x-a: b}}]\n"
    )

    decision = decided(policy, findings=("email",))

    assert names(decision) == ["house", "tiny"]
    assert (decision.mask, decision.realistic) == ({"email"}, {"email"})
    assert (decision.output_cap, decision.tags) == (50, (("a", "b"),))
    assert decision.headers == (("x-a", "b"),)


@pytest.mark.parametrize(
    ("rest", "findings", "copied"),
    [
        ("", (), "frontier"),
        ("", ("payment_card",), ""),
        ("constraints: [{id: c, forbid: [frontier]}]\n", (), ""),
        ("constraints: [{id: c, mask: payment_card}]\n", ("payment_card",), "frontier"),
        ("never: [{id: n, deployment: frontier, when: {stream: false}}]\n", (), ""),
    ],
)
def test_a_copy_goes_only_where_the_request_might_go(
    decided: Decided, rest: str, findings: tuple[str, ...], copied: str
) -> None:
    """Clearance, constraints and invariants bind it; who serves is not touched by it."""
    route = "routes: [{id: all, use: [house], shadow: {deployment: frontier, share: 5%}}]\n"

    decision = decided(rest + route, findings=findings)

    assert (names(decision), decision.copied_to) == (["house"], copied)
    assert decision.shadow is None or decision.shadow.share == 0.05


@pytest.mark.parametrize(
    ("rest", "findings", "judge"),
    [
        ("", (), "frontier"),
        ("", ("payment_card",), ""),
        ("constraints: [{id: c, forbid: [frontier]}]\n", (), ""),
        ("constraints: [{id: c, forbid: [tiny]}]\n", (), ""),
        ("constraints: [{id: c, mask: payment_card}]\n", ("payment_card",), "frontier"),
        ("never: [{id: n, deployment: frontier, when: {stream: false}}]\n", (), ""),
    ],
)
def test_a_judge_sees_only_what_it_might_have_been_asked(
    decided: Decided, rest: str, findings: tuple[str, ...], judge: str
) -> None:
    """Who may not receive the request judges nothing, and where there is no copy nobody does."""
    route = "routes: [{id: all, use: [house], shadow: {deployment: tiny, judge: frontier}}]\n"

    decision = decided(rest + route, findings=findings)

    assert (names(decision), decision.judged_by) == (["house"], judge)


def test_who_asks_for_a_deployment_by_name_takes_no_route_and_its_obligations(
    decided: Decided,
) -> None:
    """No copy, no tags and no headers belong to a request that named its deployment."""
    route = "routes: [{id: all, use: [house], shadow: frontier, add_tags: {a: b}}]\n"

    decision = decided(route, model="house")

    assert (decision.copied_to, decision.tags, decision.headers) == ("", (), ())


def test_what_was_masked_no_longer_counts(decided: Decided) -> None:
    """A finding whose bytes were replaced makes no constraint hold."""
    assert decided(CONSTRAINTS + ALL, masked=("email",)).mask == frozenset()


def test_a_block_refuses_with_its_message(decided: Decided) -> None:
    """A blocked request is told the policy's words, and nothing is a candidate."""
    decision = decided(CONSTRAINTS + ALL, tags=(("project", "secret"),))

    assert names(decision) == []
    assert (decision.refusal, decision.refusal_code) == (
        "Ask the security team.",
        "blocked_by_policy",
    )


@pytest.mark.parametrize(
    ("failed", "when"),
    [
        ("findings", "{findings: [medical]}"),
        ("payment_card", "{findings: {none: [medical]}}"),
        ("payment_card", "{findings: {all: [medical]}}"),
        ("difficulty", '{difficulty: "> 0.99"}'),
        ("task", "{task: code}"),
        ("task", "{not: {task: chat}}"),
        ("tokens", '{input_tokens: "> 1m"}'),
        ("tokens", '{estimated_cost: "> 1000 USD"}'),
    ],
)
def test_what_cannot_be_told_restricts(decided: Decided, failed: str, when: str) -> None:
    """A constraint that a failed classifier leaves open applies; a route like it does not."""
    constraint = f"constraints: [{{id: c, when: {when}, forbid: [frontier]}}]\n"
    route = f"routes: [{{id: r, when: {when}, use: [frontier]}}, {{id: last, use: [house]}}]\n"

    assert "frontier" not in names(decided(constraint + ALL, failed=(failed,)))
    assert decided(route, failed=(failed,)).route == "last"


def test_what_was_found_counts_even_when_a_detector_failed(decided: Decided) -> None:
    """A finding that is there holds, whatever else may have been missed."""
    route = "routes: [{id: r, when: {findings: [email]}, use: [house]}, {id: l, use: [house]}]\n"

    assert decided(route, findings=("email",), failed=("phone",)).route == "r"


@pytest.mark.parametrize(
    ("needs", "missing"), [(Needs(vision=True), "vision"), (Needs(tools=True, audio=True), "audio")]
)
def test_a_deployment_without_a_needed_capability_falls_out(
    decided: Decided, needs: Needs, missing: str
) -> None:
    """The onboard kind of model cannot see; one that says nothing is assumed to be able."""
    decision = decided(ALL, needs=needs)

    assert names(decision) == ["frontier", "house"]
    assert decision.rejected[0].reason == "capabilities"
    assert decision.rejected[0].because == f"it cannot do: {missing}"


def test_an_input_beyond_the_context_falls_out(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """A context that is known bounds the expected input; an unknown one does not."""
    policy = compiled(deployments.replace("model: m,", "model: m, context_tokens: 2048,") + ALL)

    assert names(decide(policy, facts(tokens=2048))) == ["frontier", "house", "tiny"]
    decision = decide(policy, facts(tokens=2049))
    assert why_not(decision) == {"tiny": "context"}


def test_a_deployment_may_be_asked_for_by_name(decided: Decided) -> None:
    """Then it alone serves, still under clearance and constraints."""
    block = "constraints: [{id: no, when: {team: x}, forbid: [house]}]\n"
    asked = decided(block + ALL, model="house")
    forbidden = decided(block + ALL, model="house", principal=Principal(key_id="k", team="x"))
    uncleared = decided(ALL, model="frontier", sensitivity=Sensitivity.RESTRICTED)

    assert (names(asked), asked.route) == (["house"], "requested")
    assert names(forbidden) == []
    assert why_not(forbidden) == {"house": "no"}
    assert names(uncleared) == []
    assert why_not(uncleared) == {"frontier": "clearance"}


def test_an_unknown_model_is_refused(decided: Decided) -> None:
    """Neither an alias nor a deployment: the caller is told so."""
    decision = decided(ALL, model="gpt-9")

    assert (names(decision), decision.refusal_code) == ([], "model_not_found")
    assert "'gpt-9'" in decision.refusal


def test_a_key_may_ask_for_its_own_models_only(decided: Decided) -> None:
    """A model outside the key's scope looks like one that does not exist."""
    principal = Principal(key_id="k", models=("auto",))

    assert names(decided(ALL, principal=principal)) != []
    assert decided(ALL, principal=principal, model="house").refusal_code == "model_not_found"


def test_a_key_may_not_send_more_than_its_sensitivity(decided: Decided) -> None:
    """A request above the key's own limit is refused whatever could serve it."""
    principal = Principal(key_id="k", max_sensitivity=Sensitivity.INTERNAL)
    decision = decided(ALL, principal=principal, sensitivity=Sensitivity.CONFIDENTIAL)

    assert (names(decision), decision.refusal_code) == ([], "sensitivity_above_key")
    assert names(decided(ALL, principal=principal, sensitivity=Sensitivity.INTERNAL)) != []


def test_cheapest_orders_by_what_this_request_would_cost(decided: Decided) -> None:
    """The strategy looks at the price of the whole request, not at the order of the file."""
    route = "routes: [{id: r, use: {strategy: cheapest}}]\n"

    assert names(decided(route)) == ["tiny", "house", "frontier"]


def test_cheapest_looks_at_input_and_output_of_this_request(
    compiled: Callable[[str], CompiledPolicy], deployments: str, facts: Callable[..., Facts]
) -> None:
    """A long input and a short answer can make another deployment the cheapest."""
    text = deployments.replace(
        "{input_usd_per_mtok: 0.1, output_usd_per_mtok: 0.1}",
        "{input_usd_per_mtok: 0.1, output_usd_per_mtok: 9}",
    )
    policy = compiled(
        text + "routes: [{id: r, use: {strategy: cheapest, among: {self_hosted: true}}}]\n"
    )

    long_input = decide(policy, facts(tokens=100_000, max_output_tokens=10))
    long_output = decide(policy, facts(tokens=10, max_output_tokens=4000))

    assert names(long_input) == ["tiny", "house"]
    assert names(long_output) == ["house", "tiny"]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("{self_hosted: true}", ["house", "tiny"]),
        ("{self_hosted: false}", ["frontier"]),
        ("{provider: openai}", ["frontier"]),
        ("{adapter: [openai, ctransformers]}", ["tiny", "frontier"]),
        ("{model: [gpt-*, llama]}", ["house", "frontier"]),
        ("{clearance: confidential}", ["house", "tiny"]),
        ("{names: [tiny, house], clearance: restricted}", ["house"]),
        ("{capabilities: vision}", ["house", "frontier"]),
        ("tiny", ["tiny"]),
    ],
)
def test_selectors_choose_by_what_a_deployment_is(
    decided: Decided, selector: str, expected: list[str]
) -> None:
    """Everything that a selector asks must hold, in the order of the file."""
    assert names(decided(f"routes: [{{id: r, use: {{among: {selector}}}}}]\n")) == expected


def test_refusals_never_show_a_secret(decided: Decided) -> None:
    """A whole decision written out holds no resolved secret."""
    for level in Sensitivity:
        assert "value of" not in repr(decided(ALL, sensitivity=level))


BUDGETS = """\
budgets:
  - {scope: org/default, usd: 10000}
  - {scope: "team/*", usd: 500, per: month, on_exhausted: self_hosted_only}
  - {scope: team/support, usd: 50.5, per: month}
  - {scope: team/support, usd: 5, per: day}
  - {scope: "user/*", usd: 1, per: day}
  - {scope: app/bot, usd: 2}
"""


def test_budgets_apply_by_scope(
    compiled: Callable[[str], CompiledPolicy], deployments: str
) -> None:
    """A named scope stands instead of the budget for each of its kind, for its period."""
    policy = compiled(deployments + ALL + BUDGETS)
    support = Principal(
        key_id="k9", team="support", user="u", budget=KeyBudget(cap_nanousd=7, per="week")
    )
    other = Principal(key_id="k8", team="other")

    def of(principal: Principal) -> list[tuple[str, str, int, str]]:
        return [
            (one.scope, one.per, one.cap_nanousd, one.on_exhausted)
            for one in budgets_for(policy, principal)
        ]

    assert of(support) == [
        ("org/default", "month", 10_000 * 10**9, "refuse"),
        ("team/support", "month", 50_500_000_000, "refuse"),
        ("team/support", "day", 5 * 10**9, "refuse"),
        ("user/u", "day", 10**9, "refuse"),
        ("key/k9", "week", 7, "refuse"),
    ]
    assert of(other) == [
        ("org/default", "month", 10_000 * 10**9, "refuse"),
        ("team/other", "month", 500 * 10**9, "self_hosted_only"),
    ]
