"""Copies of answered requests, sent to another deployment so that the two can be compared.

Rules of this file:
- nobody waits for a copy, and nothing of what comes back reaches the client;
- a copy goes only to whom the decision allowed it, with the same label and so past the same guard;
- it is held, called once, settled and audited like any request, under an id of its own; its record
  says whose copy it is.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import ExitStack

import msgspec

from gateway.core.decision import Decision, Plan, Shadow
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest
from gateway.runtime.answer import Answer
from gateway.runtime.client import Client, Message
from gateway.runtime.driver import Driver
from gateway.runtime.exchange import Exchange
from gateway.runtime.plans import plan_for
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
    if chance(exchange.request_id, decision.route, "shadow") >= decision.shadow.share:
        return
    alone = _alone(decision, decision.shadow)
    copied = _copy_of(exchange, alone)
    lease = ExitStack()
    # Taken here, while the request still has it: the copy begins when the request has ended.
    lease.enter_context(services.rulings.taken(exchange.ruling))
    sending = _send(services, copied, plan_for(services, copied, alone, request, profile), lease)
    if not services.shadows.begin(sending):
        lease.close()
        services.metrics.shadow(name, "skipped")


async def _send(services: Services, copied: Exchange, plan: Plan, lease: ExitStack) -> None:
    if copied.request is None:
        raise ValueError("a copy is sent before there was a request")
    with lease:
        await Driver(services, copied, copied.request, Answer(copied)).run(_once(plan))
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


def _alone(decision: Decision, wanted: Shadow) -> Decision:
    """The decision for the copy: whoever gets it, and nobody else."""
    return msgspec.structs.replace(
        decision,
        candidates=(wanted.deployment,),
        reserve=(),
        keep="",
        cascade=None,
        aim=None,
        shadow=None,
    )


def _copy_of(exchange: Exchange, decision: Decision) -> Exchange:
    """An exchange with a client that nobody is behind; what was judged and hidden stays so."""
    client = Client({"headers": exchange.client.headers.items()}, _nothing_comes, _drop)
    request_id = "req_" + secrets.token_hex(12)
    copied = Exchange(request_id, client, exchange.api, exchange.ruling)
    copied.shadow_of = exchange.request_id
    copied.principal, copied.request = exchange.principal, exchange.request
    copied.profile, copied.sent = exchange.profile, exchange.sent
    copied.hidden = exchange.hidden
    if exchange.facts is not None:
        copied.facts = msgspec.structs.replace(exchange.facts, request_id=request_id)
    copied.decided = copied.decision = decision
    return copied


def _once(plan: Plan) -> Plan:
    """A copy that fails is not worth another call."""
    candidates = tuple(msgspec.structs.replace(one, attempts=1) for one in plan.candidates)
    return msgspec.structs.replace(plan, candidates=candidates)


async def _nothing_comes() -> Message:
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}


async def _drop(message: Message) -> None:
    """What is sent to nobody."""
