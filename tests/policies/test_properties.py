"""What holds for every policy and every request."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Secret
from gateway.core.findings import (
    FINDING_TYPES,
    TELLING_TYPES,
    Finding,
    SensitivityRules,
    sensitivity_of,
)
from gateway.core.prices import Price, cost_of
from gateway.core.principal import Principal
from gateway.core.profile import Needs, Profile, TokenEstimate
from gateway.core.recorded import facts_of, record_of
from gateway.core.records import AttemptRecord, AuditRecord
from gateway.core.sensitivity import Sensitivity
from gateway.core.usage import Usage
from policies.compiled import CompiledPolicy
from policies.compiler import compile_policy
from policies.engine import apply_constraints, decide, see, why_not
from policies.explain import explain
from policies.judging import decide_judging
from policies.loader import read_policy
from policies.replay import candidate_of, replay

NAMES = ("house", "tiny", "frontier")
LEVELS = [level.label for level in Sensitivity]
TYPES = ("email", "medical", "payment_card", "person")
#: What a policy may mask: a text's subject cannot be hidden.
MASKABLE = tuple(name for name in TYPES if name not in TELLING_TYPES)
COMPARISONS = ("<", "<=", ">", ">=")

conditions = st.recursive(
    st.one_of(
        st.tuples(st.sampled_from(COMPARISONS), st.sampled_from(LEVELS)).map(
            lambda pair: f'{{sensitivity: "{pair[0]} {pair[1]}"}}'
        ),
        st.tuples(st.sampled_from(COMPARISONS), st.integers(0, 10)).map(
            lambda pair: f'{{difficulty: "{pair[0]} {pair[1] / 10}"}}'
        ),
        st.tuples(st.sampled_from(COMPARISONS), st.integers(0, 6)).map(
            lambda pair: f'{{estimated_cost: "{pair[0]} 0.0{pair[1]}"}}'
        ),
        st.tuples(st.sampled_from(("any", "all", "none")), st.sampled_from(TYPES)).map(
            lambda pair: f"{{findings: {{{pair[0]}: {pair[1]}}}}}"
        ),
        st.sampled_from(
            (
                "{}",
                "{team: a}",
                "{stream: true}",
                "{needs: vision}",
                "{task: code}",
                "{model: gpt*}",
            )
        ),
    ),
    lambda inner: st.one_of(
        st.tuples(
            st.sampled_from(("any", "all", "not")), st.lists(inner, min_size=1, max_size=3)
        ).map(lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}")
    ),
    max_leaves=4,
)
chosen = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(
    lambda names: f"[{', '.join(names)}]"
)
selectors = st.one_of(
    chosen,
    st.sampled_from(LEVELS).map(lambda level: f"{{clearance: {level}}}"),
    st.sampled_from(("{self_hosted: true}", "{self_hosted: false}", "{provider: openai}")),
)
effects = st.one_of(
    selectors.map(lambda selector: f"only: {selector}"),
    selectors.map(lambda selector: f"forbid: {selector}"),
    st.just("require: self_hosted"),
    st.integers(1, 9000).map(lambda tokens: f"cap_output_tokens: {tokens}"),
    st.sampled_from(MASKABLE).map(lambda name: f"mask: {name}"),
)
uses = st.one_of(
    chosen,
    st.tuples(st.sampled_from(("ordered", "cheapest")), selectors).map(
        lambda pair: f"{{strategy: {pair[0]}, among: {pair[1]}}}"
    ),
)


copies = st.sampled_from(
    (
        "",
        "",
        *(f", shadow: {name}" for name in NAMES),
        *(f", shadow: {{deployment: {a}, judge: {b}}}" for a in NAMES for b in NAMES),
    )
)


@st.composite
def constraint_lists(draw: st.DrawFn, when: st.SearchStrategy[str] = conditions) -> list[str]:
    pairs = draw(st.lists(st.tuples(when, effects), max_size=5))
    return [f"{{id: c{n}, when: {when}, {effect}}}" for n, (when, effect) in enumerate(pairs)]


@st.composite
def route_lists(draw: st.DrawFn) -> list[str]:
    pairs = draw(st.lists(st.tuples(conditions, uses), min_size=1, max_size=4))
    return [
        f"{{id: r{n}, when: {when}, use: {use}{draw(copies)}}}"
        for n, (when, use) in enumerate(pairs)
    ]


@st.composite
def requests(draw: st.DrawFn) -> Facts:
    types = draw(st.lists(st.sampled_from(TYPES), max_size=3, unique=True))
    findings = tuple(Finding(type=name, start=0, end=1) for name in types)
    failed = draw(st.sampled_from(((), (), (), ("findings",), ("difficulty", "task"), ("tokens",))))
    level = draw(st.sampled_from(tuple(Sensitivity)))
    profile = Profile(
        sensitivity=Sensitivity.RESTRICTED if failed else sensitivity_of(findings, _RULES, level),
        findings=findings,
        difficulty=draw(st.integers(0, 10)) / 10,
        task=draw(st.sampled_from(("chat", "code"))),
        tokens=TokenEstimate(expected=draw(st.integers(0, 9000)), upper_bound=10_000),
        needs=Needs(vision=draw(st.booleans())),
        failed=failed,
        floor=level,
    )
    return Facts(
        requested_model=draw(st.sampled_from(("auto", "gpt-4o", *NAMES, "nothing"))),
        principal=Principal(
            key_id="k",
            team=draw(st.sampled_from(("a", "b"))),
            models=draw(st.sampled_from(((), ("auto", "house")))),
            max_sensitivity=draw(st.sampled_from((Sensitivity.INTERNAL, Sensitivity.RESTRICTED))),
        ),
        profile=profile,
        stream=draw(st.booleans()),
    )


_LISTED = Price(input=25 * 10**8, output=10**10, cached_input=25 * 10**8, cache_write=25 * 10**8)
_RULES = SensitivityRules(default=Sensitivity.PUBLIC)
_thorough = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_usual = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="session")
def built(deployments: str) -> Callable[[list[str], list[str]], CompiledPolicy]:
    """Compile constraints and routes over the shared deployments, which are read only once."""
    shared = read_policy(deployments + "routes: [{id: r, use: [house]}]\n", "shared")

    def build(constraints: list[str], routes: list[str]) -> CompiledPolicy:
        text = (
            "fairlead: 1\ndeployments: {}\n"
            f"constraints: [{', '.join(constraints)}]\nroutes: [{', '.join(routes)}]\n"
        )
        policy = msgspec.structs.replace(
            read_policy(text, "drawn"), deployments=shared.deployments, aliases=shared.aliases
        )
        return compile_policy(
            policy,
            lambda provider, model: _LISTED if provider == "openai" else None,
            lambda reference: Secret(f"value of {reference}"),
        )

    return build


@_thorough
@given(constraints=constraint_lists(), routes=route_lists(), facts=requests())
def test_no_candidate_is_below_clearance(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    routes: list[str],
    facts: Facts,
) -> None:
    """Whatever a policy says, who may be called is cleared for what is left of the request."""
    policy = built(constraints, routes)

    decision = decide(policy, facts)

    whoever = (*decision.candidates, *decision.reserve)
    compared = {decision.copied_to, decision.judged_by} - {""}
    level = _left(policy, facts)
    assert all(one.clearance >= level for one in whoever)
    assert all(policy.deployments[name].clearance >= level for name in compared)
    assert len({one.name for one in whoever}) == len(whoever)
    assert bool(decision.candidates) is not bool(decision.refusal)
    assert bool(decision.refusal) is bool(decision.refusal_code)
    assert decision.revision == policy.revision


@_usual
@given(constraints=constraint_lists(), routes=route_lists(), facts=requests(), answered=requests())
def test_a_judge_is_not_sent_what_it_is_not_cleared_for(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    routes: list[str],
    facts: Facts,
    answered: Facts,
) -> None:
    """Whatever the answers hold, and only whom the request's own decision left open."""
    policy = built(constraints, routes)
    decision = decide(policy, facts)
    findings = (*answered.profile.findings, *facts.profile.findings)
    floor = max(facts.profile.floor, answered.profile.floor)
    level = sensitivity_of(findings, policy.rules, floor)
    profile = msgspec.structs.replace(
        answered.profile, findings=findings, floor=floor, sensitivity=level, failed=()
    )
    seen = msgspec.structs.replace(facts, profile=profile)

    judged = decide_judging(policy, seen, decision)

    if judged is None:
        return
    (judge,) = judged.candidates
    assert judge.name == decision.judged_by
    assert judge.clearance >= judged.sent
    assert judged.mask >= decision.mask | apply_constraints(policy, see(policy, seen)).mask
    left = [one for one in findings if one.type not in judged.mask]
    assert judged.sent >= sensitivity_of(left, policy.rules, floor)


def _left(policy: CompiledPolicy, facts: Facts) -> Sensitivity:
    """The level of a request when every constraint that applies has hidden what it hides."""
    profile = facts.profile
    if profile.failed:
        return profile.sensitivity
    hidden = apply_constraints(policy, see(policy, facts)).mask
    left = [one for one in profile.findings if one.type not in hidden]
    return min(profile.sensitivity, sensitivity_of(left, policy.rules, profile.floor))


@_usual
@given(constraints=constraint_lists(), routes=route_lists(), facts=requests(), data=st.data())
def test_the_order_of_constraints_is_irrelevant(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    routes: list[str],
    facts: Facts,
    data: st.DataObject,
) -> None:
    """Another order gives the same revision, candidates, mask and cap."""
    shuffled = data.draw(st.permutations(constraints))
    first = built(constraints, routes)
    second = built(shuffled, routes)
    one, other = decide(first, facts), decide(second, facts)

    assert first.revision == second.revision
    assert (one.candidates, one.mask, one.output_cap) == (
        other.candidates,
        other.mask,
        other.output_cap,
    )
    assert {reason.id for reason in one.reasons} == {reason.id for reason in other.reasons}


@_usual
@given(constraints=constraint_lists(), routes=route_lists(), facts=requests())
def test_another_constraint_never_opens_a_door(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    routes: list[str],
    facts: Facts,
) -> None:
    """Taking a constraint away never takes a candidate away."""
    whole = decide(built(constraints, routes), facts)
    fewer = decide(built(constraints[:-1], routes), facts)

    assert {one.name for one in whole.candidates} <= {one.name for one in fewer.candidates}


upward = st.one_of(
    st.sampled_from(LEVELS).map(lambda level: f'{{sensitivity: ">= {level}"}}'),
    st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True).map(
        lambda names: f"{{findings: [{', '.join(names)}]}}"
    ),
    st.sampled_from(("{team: a}", '{difficulty: "> 0.4"}', '{estimated_cost: "> 0.03"}')),
)


@_usual
@given(
    constraints=constraint_lists(upward),
    facts=requests(),
    more=st.lists(st.sampled_from(sorted(FINDING_TYPES)), max_size=3),
    level=st.sampled_from(tuple(Sensitivity)),
    failed=st.sampled_from(((), ("findings",))),
)
def test_more_sensitive_facts_never_open_a_door(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    facts: Facts,
    more: list[str],
    level: Sensitivity,
    failed: tuple[str, ...],
) -> None:
    """With rules that grow stricter with the data, more findings and higher levels, and
    detectors that fail, only take deployments away."""
    policy = built(constraints, ["{id: r, use: {strategy: ordered}}"])
    profile = facts.profile
    stricter = msgspec.structs.replace(
        facts,
        profile=msgspec.structs.replace(
            profile,
            sensitivity=max(profile.sensitivity, level),
            findings=profile.findings + tuple(Finding(type=name, start=0, end=1) for name in more),
            failed=profile.failed + failed,
        ),
    )

    assert open_doors(policy, stricter) <= open_doors(policy, facts)


def open_doors(policy: CompiledPolicy, facts: Facts) -> set[str]:
    """The deployments that may serve, masking aside: what is hidden opens doors on purpose."""
    applied = apply_constraints(policy, see(policy, facts))
    sent = facts.profile.sensitivity
    return {
        name
        for name, one in policy.deployments.items()
        if why_not(one, facts.profile, applied, sent) is None
    }


@_usual
@given(constraints=constraint_lists(), routes=route_lists(), facts=requests())
def test_explaining_and_deciding_agree(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    routes: list[str],
    facts: Facts,
) -> None:
    """The statements that apply are the reasons; every deployment has a place or a why."""
    policy = built(constraints, routes)
    decision, told = decide(policy, facts), explain(policy, facts)
    applying = {one.id for one in (*told.constraints, *told.routes) if one.applies}
    placed = sorted((one.place, one.name) for one in told.deployments if one.place is not None)

    assert applying == {reason.id for reason in decision.reasons} - {"requested"}
    assert [name for _, name in placed] == [one.name for one in decision.candidates]
    assert all(one.because for one in told.deployments if one.place is None)
    rejected = {one.deployment: one.reason for one in decision.rejected}
    assert rejected.items() <= {one.name: one.reason for one in told.deployments}.items()
    assert (told.route, told.refusal_code) == (decision.route, decision.refusal_code)
    assert "value of" not in msgspec.json.encode(told).decode()


@_thorough
@given(constraints=constraint_lists(), routes=route_lists(), facts=requests())
def test_a_record_replayed_under_its_own_revision_changes_nothing(
    built: Callable[[list[str], list[str]], CompiledPolicy],
    constraints: list[str],
    routes: list[str],
    facts: Facts,
) -> None:
    """What the audit log keeps, read back, gives the very same decision at the same cost."""
    policy = built(constraints, routes)
    decision = decide(policy, facts)
    written = msgspec.json.encode(paid(record_of(facts, decision), decision))
    record = msgspec.json.decode(written, type=AuditRecord)
    judging = msgspec.structs.replace(policy, rules=_RULES)

    assert decide(policy, facts_of(record, _RULES)) == decision
    replayed = replay(candidate_of(judging), record)
    assert replayed.agrees is True
    assert list(replayed.kinds()) == []
    assert replayed.before.cost_nanousd == replayed.after.cost_nanousd


def paid(record: AuditRecord, decision: Decision) -> AuditRecord:
    """The record after an answer of the first candidate."""
    if not decision.candidates:
        return record
    first, usage = decision.candidates[0], Usage(input_tokens=1000, output_tokens=77)
    attempt = AttemptRecord(
        deployment=first.name, outcome="ok", cost_nanousd=cost_of(usage, first.price), at=0.0
    )
    return msgspec.structs.replace(record, deployment=first.name, attempts=(attempt,), usage=usage)
