"""What policy is told about a request: everything that its conditions and strategies can ask."""

from __future__ import annotations

from gateway.core.decision import Facts
from gateway.core.learning import shift_of
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.request import API_NAMES, ChatRequest
from gateway.runtime.ruling import Ruling
from gateway.runtime.services import Services
from policies.ordering import name_of


async def gather_facts(
    services: Services,
    ruling: Ruling,
    principal: Principal,
    request: ChatRequest,
    profile: Profile,
    *,
    wire: str,
    now: float,
    request_id: str,
    session: str = "",
    tags: tuple[tuple[str, str], ...] = (),
) -> Facts:
    """The facts of one request; `wire` is the API's that was called, `now` in epoch seconds."""
    policy = ruling.policy
    taught = services.learning.taught(principal.org, profile.task) if policy.asks_quality else None
    sticking = [name_of(kind, principal, session) for kind in policy.sticks_to]
    return Facts(
        requested_model=request.model,
        principal=principal,
        profile=profile,
        stream=request.stream,
        choices=request.choices,
        max_output_tokens=request.max_output_tokens,
        now=now,
        budget_used=await services.budget_used(ruling, principal),
        tags=tags,
        api=API_NAMES[wire],
        request_id=request_id,
        session=session,
        lengths=services.lengths.lengths(profile.task) if policy.asks_length else None,
        speeds=services.speeds.speeds() if policy.asks_speed else None,
        kept=await services.sticking.kept(principal.org, sticking) if sticking else None,
        shifts=None if taught is None else {name: shift_of(one) for name, one in taught.items()},
        answers=None if taught is None else {name: one.answers for name, one in taught.items()},
        thresholds=services.targets.thresholds(policy) if policy.targets else None,
    )
