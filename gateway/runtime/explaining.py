"""What would happen to a request, told without calling a model or spending anything."""

from __future__ import annotations

import asyncio
from time import time

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.principal import Principal
from gateway.runtime.callers import declared_sensitivity, declared_session, declared_tags
from gateway.runtime.client import Client
from gateway.runtime.facts import gather_facts
from gateway.runtime.reach import reachable
from gateway.runtime.reading import api_named, api_of
from gateway.runtime.ruling import Ruling
from gateway.runtime.services import Services
from policies.explain import Explanation, explain
from policies.model.cases import GivenStatement
from policies.testing import facts_of


async def explain_body(
    services: Services,
    ruling: Ruling,
    raw: bytes,
    *,
    api: str,
    principal: Principal,
    client: Client,
) -> Explanation:
    """How the request of a body would be decided, with the budgets and speeds of now.

    Args:
        services: the worker's parts.
        ruling: the policy that decides.
        raw: the body of a request to any API.
        api: which API, as policies call it; empty where the body tells.
        principal: who asks.
        client: whose headers declare a sensitivity, a session and tags.

    Raises:
        InvalidRequest: the body or a header cannot be read.
        StoreUnavailable: Redis does not answer, and the policy is strict.
    """
    front = api_named(api) if api else api_of(raw)
    request = front.decode(raw)
    profile = await services.judge(ruling, request, declared_sensitivity(client))
    profile = await services.count_tokens(ruling, request, profile, ruling.stakes.families)
    facts = await gather_facts(
        services,
        ruling,
        principal,
        request,
        profile,
        wire=front.wire,
        now=time(),
        request_id="",
        session=declared_session(client),
        tags=declared_tags(client),
    )
    facts = msgspec.structs.replace(facts, lengths=services.lengths.lengths(profile.task))
    return explain(
        ruling.policy,
        facts,
        lambda decision: reachable(decision, front, ruling.adapters, request),
    )


async def explain_given(services: Services, ruling: Ruling, given: GivenStatement) -> Explanation:
    """How a request of which some facts are given would be decided.

    Raises:
        InvalidRequest: a fact is none, or the policy has no alias and no model is given.
    """
    try:
        facts = await asyncio.to_thread(facts_of, ruling.policy, given, services.text_judge())
    except ValueError as error:
        raise InvalidRequest(str(error), param="given") from None
    return explain(ruling.policy, facts)
