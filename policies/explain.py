"""Explains a decision: every statement with how it turned out, every deployment with its why.

An explanation holds names, words and figures only, never a deployment's credentials, so it can
be shown and written down as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Deployment
from gateway.core.money import NANO, nano_to_usd_text
from gateway.core.planning import most_input
from gateway.core.sensitivity import Sensitivity
from policies.aiming import threshold_for
from policies.compiled import (
    CompiledPolicy,
    Constraint,
    Invariant,
    Matcher,
    Route,
    Seen,
    Truth,
)
from policies.engine import decide, refused_for_key, route_for
from policies.estimates import estimate, output_quantiles
from policies.narrowing import Applied, apply_constraints, level_sent, why_not
from policies.ordering import scores
from policies.second_stage import would_ask
from policies.seeing import see

#: Takes candidates out of a decision, with a reason for each.
Narrow = Callable[[Decision], Decision]
#: The refusal code where no candidate can be asked through the API that is called.
NOT_ASKABLE = "endpoint_not_supported"
_ANSWERS: dict[Truth, str] = {True: "yes", False: "no", None: "cannot tell"}


class ConditionExplained(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and how it turned out: yes, no or cannot tell.

    `seen` is the fact's value in this request, empty for groups, whose `parts` say more.
    """

    words: str
    answer: str
    seen: str = ""
    parts: tuple[ConditionExplained, ...] = ()


class StatementExplained(msgspec.Struct, frozen=True, kw_only=True):
    """A constraint, an invariant or a route; `applies` says whether it had a part in it all.

    `strategy` is how a route orders its deployments, empty for other statements; `checks` are what
    a cascade asks of an answer. `target` is what a route aims at, and `threshold` the difficulty
    from which on its last deployment comes first. A cascade passes over rungs whose predicted
    quality is below `least_quality`, and `explore` is the share that another candidate serves.
    `adds` are a route's own obligations in words: headers, tags, a copy for comparison.
    """

    id: str
    kind: str
    because: str
    applies: bool
    why: str
    condition: ConditionExplained
    strategy: str = ""
    checks: tuple[str, ...] = ()
    target: str = ""
    threshold: float | None = None
    least_quality: float = 0.0
    explore: float = 0.0
    adds: tuple[str, ...] = ()


class DeploymentExplained(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment: its place among the candidates (1 is first), or why it is none.

    `tokenizer` is the family that counts its tokens: `input_tokens` likely, `input_tokens_at_most`
    for holds; `output_tokens` are likely, too, and `output_quantiles` those that half, 90 % and
    99 % of the answers stay within, where enough were seen. `estimated_cost_usd` is the likely
    cost of the request and `most_cost_usd` that of its longest answer, as decimal strings;
    `gpu_seconds` how long an own machine at full load works on it. `seconds` is the likely time to
    the whole answer where the speed was measured, `quality` the predicted quality, 0..1, and
    `score` what the strategy balanced made of these.
    """

    name: str
    model: str
    clearance: str
    self_hosted: bool
    place: int | None
    reason: str
    because: str
    tokenizer: str
    input_tokens: int
    input_tokens_at_most: int
    output_tokens: int
    output_quantiles: tuple[int, int, int] | None
    gpu_seconds: float | None
    estimated_cost_usd: str
    most_cost_usd: str
    seconds: float | None
    quality: float
    score: float | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One decision with everything that led to it; `api` is the API that is called.

    `shadow` is the deployment that gets a copy of a share of such requests, and `judge` the one
    that compares both answers; empty for none.
    `second_stage` says whether a second stage of privacy would be asked, and why or why not; empty
    where the policy has none. An explanation itself never asks it: what it would find comes on top.
    """

    revision: str
    api: str
    requested_model: str
    sensitivity: str
    findings: tuple[str, ...]
    difficulty: float
    task: str
    input_tokens: int
    needs: tuple[str, ...]
    candidates: tuple[str, ...]
    route: str
    refusal: str
    refusal_code: str
    reasons: tuple[str, ...]
    mask: tuple[str, ...]
    sent: str
    output_cap: int | None
    shadow: str
    judge: str
    second_stage: str
    headers: dict[str, str]
    tags: dict[str, str]
    constraints: tuple[StatementExplained, ...]
    never: tuple[StatementExplained, ...]
    routes: tuple[StatementExplained, ...]
    deployments: tuple[DeploymentExplained, ...]


def explain(
    policy: CompiledPolicy, facts: Facts, narrow: Narrow = lambda decision: decision
) -> Explanation:
    """Decide a request and say why.

    Args:
        policy: what decides.
        facts: the request.
        narrow: takes away what cannot be asked through the API that is called, where that is
            known.
    """
    decided = decide(policy, facts)
    decision = _asked_through(decided, narrow)
    profile = facts.profile
    seen = see(policy, facts)
    applied = apply_constraints(policy, seen)
    key_refuses = refused_for_key(policy, facts) is not None
    route = None if key_refuses or applied.blocking else route_for(policy, facts, seen)
    return Explanation(
        revision=policy.revision,
        api=facts.api,
        requested_model=facts.requested_model,
        sensitivity=profile.sensitivity.label,
        findings=tuple(sorted(profile.finding_types())),
        difficulty=profile.difficulty,
        task=profile.task,
        input_tokens=profile.tokens.expected,
        needs=tuple(sorted(profile.needs.names())),
        candidates=tuple(one.name for one in decision.candidates),
        route=decision.route,
        refusal=decision.refusal,
        refusal_code=decision.refusal_code,
        reasons=tuple(reason.id for reason in decision.reasons),
        mask=tuple(sorted(decision.mask)),
        sent=level_sent(policy, profile, applied.mask).label,
        output_cap=decision.output_cap,
        shadow=decision.copied_to,
        judge=decision.judged_by,
        second_stage=_second_stage(policy, facts, decided),
        headers=dict(decision.headers),
        tags=dict(decision.tags),
        constraints=(
            *_narrowing("constraint", policy.constraints, seen, key_refuses),
            *_narrowing("degradation", policy.safeguards, seen, key_refuses),
        ),
        never=_narrowing("never", policy.invariants, seen, key_refuses),
        routes=_routes(policy, facts, seen, route),
        deployments=tuple(
            _deployment(policy, facts, one, decision, applied, route)
            for one in policy.deployments.values()
        ),
    )


def _second_stage(policy: CompiledPolicy, facts: Facts, decision: Decision) -> str:
    """Whether a second stage would be asked, in words."""
    stage = policy.second_stage
    if stage is None:
        return ""
    asking = would_ask(policy, facts, decision)
    if asking.barred:
        fails = "restricted" if stage.restricts else "as it was judged"
        return f"{asking.why}, so nobody can be asked and the request counts as {fails}"
    verdict = "would be asked" if asking.asked else "would not be asked"
    return f"{stage.by} {verdict}: {asking.why}"


def _asked_through(decision: Decision, narrow: Narrow) -> Decision:
    """What is left of a decision where it is asked; a refusal, where nothing is."""
    left = narrow(decision)
    if left.candidates or not decision.candidates:
        return left
    lost = [one for one in left.rejected if one not in decision.rejected]
    told = "; ".join(f"{one.deployment}: {one.because}" for one in lost)
    refusal = f"No deployment that may serve this request can be asked for it. {told}."
    return msgspec.structs.replace(left, refusal=refusal, refusal_code=NOT_ASKABLE)


def _narrowing(
    kind: str, statements: Sequence[Constraint | Invariant], seen: Seen, key_refuses: bool
) -> tuple[StatementExplained, ...]:
    explained = []
    for one in statements:
        answer = one.when.holds(seen)
        why = "its condition holds" if answer else "its condition does not hold"
        if answer is None:
            why = "its condition cannot be told, so it applies"
        if key_refuses:
            why = "the request was refused before constraints were asked"
        explained.append(
            StatementExplained(
                id=one.id,
                kind=kind,
                because=one.because,
                applies=answer is not False and not key_refuses,
                why=why,
                condition=explain_condition(one.when, seen),
            )
        )
    return tuple(explained)


def _routes(
    policy: CompiledPolicy, facts: Facts, seen: Seen, taken: Route | None
) -> tuple[StatementExplained, ...]:
    direct = facts.requested_model in policy.deployments
    explained = []
    passed = False
    for one in policy.routes:
        answer = one.when.holds(seen)
        if taken is one:
            why, passed = "it is the first whose condition holds", True
        elif direct:
            why = "the caller asked for a deployment by name"
        elif taken is None and answer:
            why = "the request was refused before routes were asked"
        elif passed:
            why = "an earlier route was taken"
        elif answer is None:
            why = "its condition cannot be told, so it is passed over"
        else:
            why = "its condition does not hold"
        explained.append(
            StatementExplained(
                id=one.id,
                kind="route",
                because=one.because,
                applies=taken is one,
                why=why,
                condition=explain_condition(one.when, seen),
                strategy=one.strategy,
                checks=one.checks.words() if one.checks is not None else (),
                target=one.target.words() if one.target is not None else "",
                least_quality=one.least_quality,
                explore=one.explore,
                adds=one.obligations(),
                threshold=round(threshold_for(facts, one, one.target), 4) if one.target else None,
            )
        )
    return tuple(explained)


def _deployment(
    policy: CompiledPolicy,
    facts: Facts,
    deployment: Deployment,
    decision: Decision,
    applied: Applied,
    route: Route | None,
) -> DeploymentExplained:
    names = [one.name for one in decision.candidates]
    place = names.index(deployment.name) + 1 if deployment.name in names else None
    sent = level_sent(policy, facts.profile, applied.mask)
    rejected = why_not(deployment, facts.profile, applied, sent)
    reason, because = "", ""
    unasked = next((one for one in decision.rejected if one.deployment == deployment.name), None)
    rejected = rejected or unasked
    if place is None and rejected is not None:
        reason, because = rejected.reason, rejected.because
    elif place is None and route is None:
        reason, because = decision.refusal_code, decision.refusal
    elif place is None and route is not None:
        reason, because = route.id, f"the route '{route.id}' does not use it"
    likely = estimate(policy, facts, deployment, decision.output_cap)
    machine = deployment.price.machine
    return DeploymentExplained(
        name=deployment.name,
        model=deployment.model,
        clearance=deployment.clearance.label,
        self_hosted=deployment.self_hosted,
        place=place,
        reason=reason,
        because=because,
        tokenizer=deployment.tokenizer,
        input_tokens=likely.usage.input_tokens,
        input_tokens_at_most=most_input(deployment, facts.profile),
        output_tokens=likely.usage.output_tokens,
        output_quantiles=output_quantiles(policy, facts, deployment, decision.output_cap),
        gpu_seconds=None if machine is None else round(machine.busy_seconds(likely.usage), 3),
        estimated_cost_usd=nano_to_usd_text(likely.cost),
        most_cost_usd=nano_to_usd_text(likely.most),
        seconds=None if likely.seconds is None else round(likely.seconds, 3),
        quality=round(likely.quality, 3),
        score=_score(policy, facts, deployment, decision, route),
    )


def _score(
    policy: CompiledPolicy,
    facts: Facts,
    deployment: Deployment,
    decision: Decision,
    route: Route | None,
) -> float | None:
    """What `balanced` gave a candidate; None for other strategies and who is no candidate."""
    if route is None or route.strategy != "balanced":
        return None
    given = scores(policy, facts, route, decision.candidates, decision.output_cap)
    points = given.get(deployment.name)
    return None if points is None else round(points, 4)


def explain_condition(matcher: Matcher, seen: Seen) -> ConditionExplained:
    """A condition with its answer, its fact's value and the same for everything inside."""
    return ConditionExplained(
        words=matcher.words,
        answer=_ANSWERS[matcher.holds(seen)],
        seen=_shown(matcher.fact, seen) if matcher.fact else "",
        parts=tuple(explain_condition(part, seen) for part in matcher.parts),
    )


def _shown(fact: str, seen: Seen) -> str:
    match fact:
        case "sensitivity":
            return Sensitivity(seen.sensitivity).label
        case "findings":
            types = ", ".join(sorted(seen.types)) or "none"
            return types if seen.types_complete else f"{types}, and a detector failed"
        case "needs":
            return ", ".join(sorted(seen.needs)) or "none"
        case "tags":
            return ", ".join(f"{name}={held}" for name, held in sorted(seen.tags.items())) or "none"
        case "time":
            return f"epoch second {seen.now:.0f}"
        case "estimated_cost":
            cost = seen.estimated_cost
            return "unknown" if cost is None else f"{cost / NANO:.6f} USD"
        case "stream":
            return "true" if seen.stream else "false"
        case _:
            held = getattr(seen, fact)
            return "unknown" if held is None else str(held)
