"""Asks the second stage of privacy what else is sensitive in a request that might leave.

Rules of this file:
- what it finds is added and nothing is taken away, whatever the text may have talked it into;
- no answer in time, one that cannot be read and one with places that are not in the text are
  failures, and policy says what a failure means; the sound findings beside it count;
- a question to a deployment is held, called once, settled and audited under an id of its own, with
  the highest label and to nobody else; Presidio costs nothing by the call;
- who failed again and again is left alone for a while: nobody waits for an answer that will not
  come.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from time import monotonic, time

import msgspec

from gateway.classify.second_stage import presidio as presidio_wire
from gateway.classify.second_stage import questions
from gateway.classify.second_stage.passage import MOST_TEXT, Passage, passage_of
from gateway.classify.tokens import estimate
from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.health import Breaker, admits
from gateway.core.planning import make_plan
from gateway.core.profile import Profile
from gateway.core.records import StageRecord
from gateway.core.request import ChatRequest
from gateway.core.second_stage import SECOND_STAGE, Looked, Presidio, deepened
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.answer import Answer
from gateway.runtime.bridges import APIS, back_wire
from gateway.runtime.client import ClientDisconnected, Message, nobody
from gateway.runtime.driver import Driver
from gateway.runtime.exchange import Exchange, new_request_id
from gateway.runtime.plans import once
from gateway.runtime.services import Services
from policies.compiled import SecondStage
from policies.engine import decide
from policies.second_stage import would_ask

_CHAT = "/v1/chat/completions"
#: The longest answer of a deployment, in tokens.
_MOST_ANSWER = 4_096


async def look_closer(
    services: Services, exchange: Exchange, request: ChatRequest, facts: Facts
) -> Profile:
    """The profile with what the second stage found, where policy has one and it is worth asking.

    Raises:
        ClientDisconnected: the client left meanwhile.
    """
    policy = exchange.ruling.policy
    stage = policy.second_stage
    if stage is None:
        return facts.profile
    asking = would_ask(policy, facts, decide(policy, facts))
    if not asking.asked and not asking.barred:
        return facts.profile
    passage = passage_of(request)
    if not passage.text.strip():
        return facts.profile
    began = monotonic()
    if asking.barred:
        looked = Looked(failure="barred")
    elif len(passage.text) > MOST_TEXT:
        looked = Looked(failure="too_long")
    else:
        looked = await _watched(services, exchange, stage, passage, facts)
    profile = deepened(facts.profile, looked, policy.rules, restricts=stage.restricts)
    added = profile.findings[len(facts.profile.findings) :]
    exchange.second_stage = StageRecord(
        by=stage.by,
        outcome=looked.failure or "ok",
        findings=dict(Counter(one.type for one in added)),
        duration_ms=round((monotonic() - began) * 1000.0, 3),
    )
    services.metrics.second_stage(exchange.second_stage)
    return profile


async def _watched(
    services: Services, exchange: Exchange, stage: SecondStage, passage: Passage, facts: Facts
) -> Looked:
    """Ask, unless whoever is asked rests, and stop when the client leaves."""
    asked = stage.deployment if stage.presidio is None else stage.presidio.url
    breaker = f"{asked} ({SECOND_STAGE})"  # no deployment has such a name
    if not admits(services.health.breakers.get(breaker, Breaker()), time()):
        return Looked(failure=FailureKind.BREAKER_OPEN.value)
    try:
        with exchange.client.watch():
            if stage.presidio is not None:
                found = await _ask_presidio(services, exchange, stage, stage.presidio, passage)
            else:
                found = await _ask_deployment(services, exchange, stage, passage, facts)
    except asyncio.CancelledError:
        if not exchange.client.gone:
            raise  # the gateway is shutting down
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        raise ClientDisconnected from None
    if isinstance(found, AttemptFailure):
        services.health.failed(breaker, found)
        return Looked(failure=found.kind.value)
    services.health.succeeded(breaker)
    return found


async def _ask_presidio(
    services: Services,
    exchange: Exchange,
    stage: SecondStage,
    presidio: Presidio,
    passage: Passage,
) -> Looked | AttemptFailure:
    answer = await services.presidio.analyze(
        presidio.url,
        presidio_wire.question(passage, presidio),
        request_id=exchange.request_id,
        seconds=stage.timeout_seconds,
    )
    if isinstance(answer, AttemptFailure):
        return answer
    return presidio_wire.read(answer, passage, presidio)


async def _ask_deployment(
    services: Services, exchange: Exchange, stage: SecondStage, passage: Passage, facts: Facts
) -> Looked | AttemptFailure:
    deployment = exchange.ruling.policy.deployments[stage.deployment]
    reply = _Reply()
    aside = _aside(exchange, deployment, passage, facts, reply)
    request, decision, profile = aside.request, aside.decision, aside.profile
    if request is None or decision is None or profile is None:
        raise ValueError("a question is sent before there is one")
    if back_wire(aside.api, exchange.ruling.adapters[deployment.name]) is None:
        return Looked(failure="endpoint")
    plan = make_plan(
        decision,
        request,
        profile,
        {},
        default_output_cap=_MOST_ANSWER,
        request_seconds=stage.timeout_seconds,
        now=monotonic(),
        wall=aside.at,
    )
    await Driver(services, aside, request, Answer(aside)).run(once(plan))
    if reply.status == 200:
        # Looking many values up in a long text takes a while, for which nobody else waits.
        return await asyncio.to_thread(questions.read, bytes(reply.body), passage)
    if not aside.attempts:
        return Looked(failure=aside.error)  # nothing was sent: no money, or a limit
    return AttemptFailure(kind=FailureKind(aside.attempts[-1].outcome))


class _Reply:
    """What would have gone to a client, kept for us."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        """The next part of the response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message["body"]


def _aside(
    exchange: Exchange, deployment: Deployment, passage: Passage, facts: Facts, reply: _Reply
) -> Exchange:
    """An exchange of its own for the question, of the same principal and by the same policy."""
    client = nobody(send=reply.take)
    aside = Exchange(new_request_id(), client, APIS[_CHAT], exchange.ruling)
    schema = deployment.can("schema")
    raw = questions.question(passage, deployment.name, secrets.token_hex(8), schema=schema)
    request = aside.api.decode(raw)
    text = "\n".join(segment.text for segment in request.segments)
    profile = Profile(
        sensitivity=Sensitivity.RESTRICTED,
        task=SECOND_STAGE,
        tokens=estimate(request, text),
        needs=request.needs,
    )
    aside.second_stage_of = exchange.request_id
    aside.principal, aside.request, aside.profile = exchange.principal, request, profile
    aside.facts = msgspec.structs.replace(
        facts,
        request_id=aside.request_id,
        requested_model=deployment.name,
        profile=profile,
        api="chat",
        stream=False,
        choices=1,
        max_output_tokens=None,
    )
    aside.decided = aside.decision = Decision(
        candidates=(deployment,),
        route=SECOND_STAGE,
        revision=exchange.ruling.policy.revision,
        sent=Sensitivity.RESTRICTED,
    )
    return aside
