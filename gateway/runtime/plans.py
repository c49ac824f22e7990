"""The plan of a request by the policy, the breakers and the budgets of its moment."""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision, Plan
from gateway.core.planning import make_plan
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest
from gateway.runtime.exchange import Exchange
from gateway.runtime.services import Services


def plan_for(
    services: Services,
    exchange: Exchange,
    decision: Decision,
    request: ChatRequest,
    profile: Profile,
) -> Plan:
    """Candidates in order, each with an output cap, the money it needs and a deadline."""
    policy = exchange.ruling.policy
    return make_plan(
        decision,
        request,
        profile,
        services.health.breakers,
        default_output_cap=policy.defaults.max_output_tokens,
        request_seconds=policy.defaults.request_timeout_seconds,
        now=exchange.started,
        wall=exchange.at,
        use_reserve=exchange.ruling.keeps_self_hosted_open(exchange.caller),
        provider_down=policy.degradation.provider_down,
    )


def plan_once(
    services: Services,
    exchange: Exchange,
    decision: Decision,
    request: ChatRequest,
    profile: Profile,
) -> Plan:
    """The same for what is not worth another call: a copy, or the judge of one."""
    return once(plan_for(services, exchange, decision, request, profile))


def once(plan: Plan) -> Plan:
    """The plan with one call of each candidate."""
    candidates = tuple(msgspec.structs.replace(one, attempts=1) for one in plan.candidates)
    return msgspec.structs.replace(plan, candidates=candidates)
