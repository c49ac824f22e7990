"""A decision, health and prices to a plan: ordered candidates with caps and deadlines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import msgspec

from gateway.core.cascade import Cascade
from gateway.core.decision import Candidate, Decision, Plan
from gateway.core.degradation import AT_HOME, REFUSE
from gateway.core.deployment import Deployment
from gateway.core.health import Breaker, admits
from gateway.core.money import MILLION
from gateway.core.prices import Price, worst_cost
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest

#: No model writes more in one answer; a larger cap would only make the hold uncountable.
MOST_OUTPUT_TOKENS = 10_000_000
#: Searches of one answer that are held for when the caller does not bound them.
USUAL_SEARCHES = 10


def make_plan(
    decision: Decision,
    request: ChatRequest,
    profile: Profile,
    breakers: Mapping[str, Breaker],
    *,
    default_output_cap: int,
    request_seconds: float,
    now: float,
    wall: float,
    use_reserve: bool = False,
    provider_down: str = "next_candidate",
) -> Plan:
    """Bound every candidate of a decision.

    Deployments whose breaker is open go to the end instead of out: a call that may fail beats a
    certain refusal, and it is how a breaker learns that the deployment is back.

    Args:
        default_output_cap: tokens, for callers that give no cap; it is sent upstream, so that
            spend can never pass the hold.
        request_seconds: bound of the whole request.
        now: the driver's monotonic clock; wall: epoch seconds, which breakers are kept in.
        use_reserve: whether a budget leaves self-hosted deployments open when it is used up,
            or policy does when something else is away.
        provider_down: who takes over from a deployment that is down; see
            `gateway.core.degradation`.
    """
    ordered = _rested(decision.candidates, breakers, wall, provider_down)

    def bound(deployment: Deployment) -> Candidate:
        return bound_candidate(
            deployment,
            decision,
            request,
            profile,
            default_output_cap,
            at=wall,
            seconds=request_seconds,
        )

    candidates = tuple(bound(deployment) for deployment in ordered)
    candidates = _on_rungs(decision.cascade, _with_cheapest(candidates))
    if use_reserve:
        candidates += tuple(
            msgspec.structs.replace(bound(deployment), reserve=True)
            for deployment in decision.reserve
        )
    return Plan(candidates=candidates, deadline=now + request_seconds, provider_down=provider_down)


def _rested(
    candidates: tuple[Deployment, ...],
    breakers: Mapping[str, Breaker],
    wall: float,
    provider_down: str,
) -> tuple[Deployment, ...]:
    """Candidates with those that rest behind those that policy lets take over from them."""
    closed = Breaker()
    resting = [one for one in candidates if not admits(breakers.get(one.name, closed), wall)]
    if not resting or provider_down == REFUSE:
        return candidates
    first = candidates.index(resting[0])
    ready = [
        one
        for place, one in enumerate(candidates)
        if one not in resting and (provider_down != AT_HOME or one.self_hosted or place < first)
    ]
    return (*ready, *resting)


def bound_candidate(
    deployment: Deployment,
    decision: Decision,
    request: ChatRequest,
    profile: Profile,
    default_output_cap: int,
    *,
    at: float | None = None,
    seconds: float = 0.0,
) -> Candidate:
    """One deployment with the output cap that is sent and the money that is held for it.

    Args:
        at: when the request began (epoch seconds); it is priced within `seconds` after that.
    """
    caps = [request.max_output_tokens or default_output_cap, MOST_OUTPUT_TOKENS]
    caps += [cap for cap in (decision.output_cap, deployment.max_output_tokens) if cap]
    if deployment.context_tokens and request.max_output_tokens is None:
        # Our own default must not push a long prompt over the context window.
        likely = profile.tokens.expected_by(deployment.tokenizer)
        caps.append(max(1, deployment.context_tokens - likely))
    output_cap = min(caps)
    held = _held(deployment, request, profile, output_cap, at=at, seconds=seconds)
    return Candidate(
        deployment=deployment,
        output_cap=output_cap,
        hold_nanousd=held,
        attempts=1 + max(0, deployment.retries),
        most_tokens=most_input(deployment, profile) + output_cap * request.choices,
    )


def _held(
    deployment: Deployment,
    request: ChatRequest,
    profile: Profile,
    output_cap: int,
    *,
    at: float | None,
    seconds: float,
) -> int:
    """The most that one attempt can cost under an output cap, in nano-USD."""
    tokens = worst_cost(
        deployment.price,
        most_input(deployment, profile),
        output_cap * request.choices,
        at=at,
        seconds=seconds,
        tier=asked_tier(request),
    )
    return tokens + searches_cost(request, deployment.price)


def most_input(deployment: Deployment, profile: Profile) -> int:
    """The input tokens that a hold for a deployment goes by."""
    return profile.tokens.most_by(
        deployment.tokenizer, deployment.image_tokens, calibrated=deployment.calibrated_holds
    )


def _on_rungs(cascade: Cascade | None, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The candidates with what a cascade asks of them; their order may differ from the ladder's."""
    if cascade is None:
        return candidates
    rungs = {name: rung for rung, name in enumerate(cascade.ladder)}
    return tuple(
        msgspec.structs.replace(one, checks=cascade.checks, rung=rungs.get(one.deployment.name, 0))
        for one in candidates
    )


def _with_cheapest(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    least = min((one.hold_nanousd for one in candidates), default=0)
    place = next((at for at, one in enumerate(candidates) if one.hold_nanousd == least), 0)
    return tuple(
        msgspec.structs.replace(one, cheapest=True) if at == place else one
        for at, one in enumerate(candidates)
    )


def shrunk(
    candidate: Candidate,
    request: ChatRequest,
    profile: Profile,
    *,
    room_nanousd: int,
    floor: int,
    at: float,
    seconds: float,
) -> Candidate | None:
    """The candidate with the largest output cap that so much money pays for.

    None when that would be less than `floor` tokens; `at` and `seconds` are those of the plan.
    """

    def held(cap: int) -> int:
        return _held(candidate.deployment, request, profile, cap, at=at, seconds=seconds)

    cap = bisect_right(range(candidate.output_cap), room_nanousd, key=held) - 1
    if cap < max(1, floor):
        return None
    return _held_for(candidate, request, profile, cap, held(cap))


def recounted(
    candidate: Candidate, request: ChatRequest, profile: Profile, *, at: float, seconds: float
) -> Candidate | None:
    """The candidate held by what its input was counted at since; None where that is no less."""
    cap = candidate.output_cap
    held = _held(candidate.deployment, request, profile, cap, at=at, seconds=seconds)
    if held >= candidate.hold_nanousd:
        return None
    return _held_for(candidate, request, profile, cap, held)


def _held_for(
    candidate: Candidate, request: ChatRequest, profile: Profile, cap: int, held: int
) -> Candidate:
    return msgspec.structs.replace(
        candidate,
        output_cap=cap,
        hold_nanousd=held,
        most_tokens=most_input(candidate.deployment, profile) + cap * request.choices,
    )


def searches_cost(request: ChatRequest, price: Price) -> int:
    """What the searches that the backend may make by itself cost at most, in nano-USD.

    A search tool that brings no bound of its own is held for `USUAL_SEARCHES`.
    """
    stated = request.tools
    if not price.web_search or b"web_search" not in stated:
        return 0
    try:
        tools = msgspec.json.decode(stated, type=list[_Tool])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0  # the wire's own reader says what is wrong with it
    searches = sum(
        USUAL_SEARCHES if tool.max_uses is None else max(0, tool.max_uses)
        for tool in tools
        if tool.type.startswith("web_search")
    )
    return -(-searches * price.web_search // MILLION)


class _Tool(msgspec.Struct):
    """What of a tool says how often it may be used."""

    type: str = ""
    max_uses: int | None = None


def asked_tier(request: ChatRequest) -> str:
    """The service tier or speed that the caller asks the backend for; empty for none."""
    for field in ("service_tier", "speed"):
        raw = request.fields.get(field)
        if raw is not None:
            try:
                return msgspec.json.decode(raw, type=str)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return ""
    return ""
