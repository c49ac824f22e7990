"""Copies of answered requests, sent to another deployment so that the two can be compared.

Rules of this file:
- nobody waits for a copy, and nothing of what comes back reaches the client;
- a copy goes only to whom the decision allowed it, with the same label and so past the same guard;
- it is held, called once, settled and audited like any request, under an id of its own; its record
  says whose copy it is;
- where policy names a judge, it is asked when both answers are there; see
  `gateway.runtime.judging`.
"""

from __future__ import annotations

from contextlib import ExitStack

import msgspec

from gateway.core.decision import Decision, Plan
from gateway.core.deployment import Deployment
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest
from gateway.runtime.answer import Answer
from gateway.runtime.client import nobody
from gateway.runtime.driver import Driver
from gateway.runtime.exchange import Exchange, new_request_id
from gateway.runtime.judging import judge_pair
from gateway.runtime.plans import plan_once
from gateway.runtime.services import Services
from policies.drawing import chance


def begin_shadow(
    services: Services,
    exchange: Exchange,
    decision: Decision,
    request: ChatRequest,
    profile: Profile,
) -> None:
    """Begin to send a copy of a request that was answered, where policy wants one."""
    name = decision.copied_to
    if decision.shadow is None or exchange.outcome != "served" or name == exchange.deployment:
        return
    if not _is_copied(exchange, decision):
        return
    alone = _alone(decision, decision.shadow.deployment)
    copied = _copy_of(exchange, alone)
    copied.listens = bool(decision.judged_by)
    lease = ExitStack()
    # Taken here, while the request still has it: the copy begins when the request has ended.
    lease.enter_context(services.rulings.taken(exchange.ruling))
    plan = plan_once(services, copied, alone, request, profile)
    sending = _send(services, exchange, copied, decision, plan, lease)
    if not services.shadows.begin(sending):
        lease.close()
        services.metrics.shadow(name, "skipped")


def is_judged(exchange: Exchange, decision: Decision) -> bool:
    """Whether the answer is to be compared with that of a copy."""
    return bool(decision.judged_by) and _is_copied(exchange, decision)


def _is_copied(exchange: Exchange, decision: Decision) -> bool:
    """Whether the request is one of the share that policy wants a copy of."""
    if decision.shadow is None:
        return False
    return chance(exchange.request_id, decision.route, "shadow") < decision.shadow.share


async def _send(
    services: Services,
    served: Exchange,
    copied: Exchange,
    decision: Decision,
    plan: Plan,
    lease: ExitStack,
) -> None:
    if copied.request is None:
        raise ValueError("a copy is sent before there was a request")
    with lease:
        await Driver(services, copied, copied.request, Answer(copied)).run(plan)
        _told(services, copied, plan)
        await judge_pair(services, served, copied, decision)


def _told(services: Services, copied: Exchange, plan: Plan) -> None:
    (candidate,) = plan.candidates
    services.metrics.shadow(candidate.deployment.name, copied.outcome)
    services.log.info(
        "shadow",
        request_id=copied.request_id,
        shadow_of=copied.shadow_of,
        deployment=candidate.deployment.name,
        outcome=copied.outcome,
        error=copied.error,
        cost_nanousd=copied.cost_nanousd,
    )


def _alone(decision: Decision, wanted: Deployment) -> Decision:
    """The decision for the copy: whoever gets it, and nobody else."""
    return msgspec.structs.replace(
        decision,
        candidates=(wanted,),
        reserve=(),
        keep="",
        cascade=None,
        aim=None,
        shadow=None,
    )


def _copy_of(exchange: Exchange, decision: Decision) -> Exchange:
    """An exchange with a client that nobody is behind; what was judged and hidden stays so."""
    client = nobody(exchange.client.headers.items())
    request_id = new_request_id()
    copied = Exchange(request_id, client, exchange.api, exchange.ruling)
    copied.shadow_of = exchange.request_id
    copied.principal, copied.request = exchange.principal, exchange.request
    copied.profile, copied.sent = exchange.profile, exchange.sent
    copied.hidden = exchange.hidden
    if exchange.facts is not None:
        copied.facts = msgspec.structs.replace(exchange.facts, request_id=request_id)
    copied.decided = copied.decision = decision
    return copied
