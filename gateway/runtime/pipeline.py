"""The life of a request: this page is the product.

Each step below is a line of `serve_request`; what it does in detail lives in the module it calls.
Every way out (served, refused, failed, client gone, shutdown) ends in settled money, an audit
record for whatever was decided, one log line and metrics. All steps go by `exchange.ruling`, the
policy that the request met when it began, whatever policy comes into force meanwhile.
"""

from __future__ import annotations

from gateway.core.decision import Decision, Facts
from gateway.core.errors import FairleadError, PolicyRefusal, Unauthenticated, UnknownModel
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest
from gateway.core.second_stage import SECOND_STAGE
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.answer import Answer, decision_headers, send_error
from gateway.runtime.callers import (
    bearer_key,
    declared_sensitivity,
    declared_session,
    declared_tags,
)
from gateway.runtime.client import ClientDisconnected
from gateway.runtime.driver import Driver
from gateway.runtime.exchange import Exchange
from gateway.runtime.facts import gather_facts
from gateway.runtime.memory import conversation_of
from gateway.runtime.plans import plan_for
from gateway.runtime.reach import no_way, reachable
from gateway.runtime.second_stage import look_closer
from gateway.runtime.services import Services
from gateway.runtime.shadowing import begin_shadow, is_judged
from gateway.runtime.veil import hide
from gateway.runtime.watching import is_watched
from policies.engine import decide


async def serve_request(services: Services, exchange: Exchange) -> None:
    """Serve one request to a model from its first byte to its audit record."""
    try:
        raw = await exchange.client.body(services.settings.max_body_bytes)
        principal = await _authenticate(services, exchange)
        if await services.idempotency.replayed(exchange, raw):
            return
        request = await _recall(services, exchange, _decode(exchange, raw))
        await _classify(services, exchange, request)
        facts = await _look_closer(services, exchange, principal, request)
        decision = _decide(services, exchange, facts)
        decision, profile = await _mask(services, exchange, decision, request)
        await _remember(services, exchange)
        decision = _reach(exchange, decision, request)
        plan = plan_for(services, exchange, decision, request, profile)
        exchange.watched = is_watched(exchange, decision, request)
        exchange.listens = exchange.watched or is_judged(exchange, decision)
        await Driver(services, exchange, request, Answer(exchange)).run(plan)
        begin_shadow(services, exchange, decision, request, profile)
    except ClientDisconnected:
        exchange.outcome, exchange.status = "cancelled", 499
    except FairleadError as error:
        await _refuse(services, exchange, error)
    finally:
        services.finish(exchange)
        await services.idempotency.conclude(exchange)


async def _authenticate(services: Services, exchange: Exchange) -> Principal:
    """Virtual key to principal; no key is never an empty identity."""
    exchange.mark("ingest")
    key = bearer_key(exchange.client)
    if not key:
        raise Unauthenticated(
            "You did not provide a virtual key. Send it as 'Authorization: Bearer fl_…' "
            "(or 'x-api-key'); make one with: fairlead keys create --team NAME"
        )
    exchange.principal = await services.resolve_key(exchange.ruling, key)
    exchange.mark("authenticate")
    return exchange.principal


def _decode(exchange: Exchange, raw: bytes) -> ChatRequest:
    """Bytes to a view; the bytes stay what is forwarded."""
    exchange.request = exchange.api.decode(raw)
    exchange.mark("decode")
    return exchange.request


async def _recall(services: Services, exchange: Exchange, request: ChatRequest) -> ChatRequest:
    """Put back what was said before in a conversation that is continued by id."""
    org = exchange.caller.org
    exchange.request, exchange.recalled = await services.conversations.recall(org, request)
    return exchange.request


async def _classify(services: Services, exchange: Exchange, request: ChatRequest) -> Profile:
    """What is sensitive in it and how hard it is; what fails counts as restricted."""
    floor = declared_sensitivity(exchange.client)
    if exchange.recalled is not None:
        floor = max(floor, exchange.recalled.floor)
    floor = max(floor, await _remembered(services, exchange, request))
    profile = await services.judge(exchange.ruling, request, floor)
    exchange.profile = await services.count_tokens(exchange.ruling, request, profile)
    exchange.mark("classify")
    return exchange.profile


async def _remembered(services: Services, exchange: Exchange, request: ChatRequest) -> Sensitivity:
    """What earlier turns of the conversation were found to be."""
    session = declared_session(exchange.client)
    exchange.conversation = conversation_of(services.secret, exchange.caller, request, session)
    lenient = exchange.ruling.lenient
    return await services.memory.level(exchange.caller.org, exchange.conversation, lenient=lenient)


async def _remember(services: Services, exchange: Exchange) -> None:
    """A later turn cannot fall below what is sent now; the usual level is not worth a note."""
    level = exchange.label()
    if level > exchange.ruling.policy.rules.default:
        await services.memory.remember(
            exchange.caller.org, exchange.conversation, level, lenient=exchange.ruling.lenient
        )


async def _look_closer(
    services: Services, exchange: Exchange, principal: Principal, request: ChatRequest
) -> Facts:
    """The facts, with what a second stage found where policy has one and it was worth asking."""
    facts = await _facts(services, exchange, principal, request, exchange.judged)
    if exchange.ruling.policy.second_stage is None:
        return facts
    exchange.profile = await look_closer(services, exchange, request, facts)
    exchange.mark(SECOND_STAGE)
    if exchange.second_stage is None:
        return facts
    # Asking took time, and may have taken money.
    return await _facts(services, exchange, principal, request, exchange.judged)


def _decide(services: Services, exchange: Exchange, facts: Facts) -> Decision:
    """Policy's word on where the request may go and where it had best go."""
    exchange.facts = facts
    exchange.decided = exchange.decision = decision = decide(exchange.ruling.policy, facts)
    services.targets.decided(exchange.ruling.policy, decision.aim)
    exchange.mark("decide")
    if not decision.candidates:
        raise _refusal(decision)
    return decision


async def _facts(
    services: Services,
    exchange: Exchange,
    principal: Principal,
    request: ChatRequest,
    profile: Profile,
) -> Facts:
    """All that policy can ask about the request."""
    return await gather_facts(
        services,
        exchange.ruling,
        principal,
        request,
        profile,
        wire=exchange.api.wire,
        now=exchange.at,
        request_id=exchange.request_id,
        session=declared_session(exchange.client),
        tags=(*declared_tags(exchange.client), *principal.tags),
    )


async def _mask(
    services: Services, exchange: Exchange, decision: Decision, request: ChatRequest
) -> tuple[Decision, Profile]:
    """Replace what policy wants hidden; what cannot be hidden is not sent."""
    if not await hide(services, exchange, decision, request):
        # More is left than was to be hidden: what cannot be relied on is restricted, and a mask
        # lowers that for nobody.
        facts = await _facts(services, exchange, exchange.caller, request, exchange.judged)
        decision = _decide(services, exchange, facts)
        await hide(services, exchange, decision, request)
    exchange.mark("mask")
    return decision, exchange.judged


def _reach(exchange: Exchange, decision: Decision, request: ChatRequest) -> Decision:
    """Leave out what cannot be asked through this API; the audit record keeps the reason."""
    adapters = exchange.ruling.adapters
    exchange.decision = reached = reachable(decision, exchange.api, adapters, request)
    if not reached.candidates:
        raise no_way(reached)
    return reached


def _refusal(decision: Decision) -> FairleadError:
    if decision.refusal_code == UnknownModel.code:
        return UnknownModel(decision.refusal, param="model")
    return PolicyRefusal(decision.refusal, code=decision.refusal_code or None)


async def _refuse(services: Services, exchange: Exchange, error: FairleadError) -> None:
    """Tell the client; where something had been decided, the audit log keeps it."""
    exchange.outcome, exchange.status, exchange.error = "refused", error.http_status, error.code
    if exchange.decision is not None:
        record = exchange.audit_record("refused", status=error.http_status, error=error.code)
        await services.write(services.outbox.record, record)
    await send_error(exchange, error, decision_headers(exchange))
