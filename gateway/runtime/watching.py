"""Looks at a share of the answers that must obey a form, where policy goes by learnt quality.

A cascade looks at every answer before it is delivered; elsewhere a share is enough to learn from,
and is looked at when the client has it already. Which answers are looked at is drawn from the
requests' ids, whatever comes of them, so that failures are not seen more often than successes.
"""

from __future__ import annotations

from gateway.core.cascade import Checks
from gateway.core.decision import Decision
from gateway.core.request import ChatRequest
from gateway.runtime.bridges import conversation_of
from gateway.runtime.exchange import Exchange
from gateway.wire.adequacy import shortcoming
from policies.drawing import chance

#: The share of these answers that is looked at.
SHARE = 1 / 8
_FORM = Checks(schema=True, tools=True)


def is_watched(exchange: Exchange, decision: Decision, request: ChatRequest) -> bool:
    """Whether the answer to a request is one of those that are looked at."""
    if not exchange.ruling.policy.asks_quality or decision.cascade is not None:
        return False
    has_form = request.needs.schema or request.needs.tools
    return has_form and chance(exchange.request_id, "watched") < SHARE


def fell_short(exchange: Exchange) -> bool | None:
    """Whether the delivered answer breaks the schema or the tools that it was given; None where
    nobody has heard it."""
    if exchange.said is None or exchange.request is None:
        return None
    conversation = conversation_of(exchange.api, exchange.request, exchange.hidden)
    if conversation is None:
        return None
    return bool(shortcoming(conversation, exchange.said, _FORM))
