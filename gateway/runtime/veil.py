"""Hides what policy wants hidden, and judges what is left before any of it is sent.

Rules of this file:
- what cannot be hidden is not sent;
- the label of what is sent comes from a second judgement of the masked text, not from the belief
  that masking worked; where it finds more than the decision counted on, the request is decided
  again as one that could not be judged, and so stays home or is refused;
- the hidden values live as long as the request, in memory, and go back to its caller alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.decision import Decision
from gateway.core.errors import PolicyRefusal
from gateway.core.findings import Finding, sensitivity_of
from gateway.core.masking import Masked, conversation_key, mask
from gateway.core.profile import Profile
from gateway.core.request import ChatRequest, Segment
from gateway.core.sensitivity import UNKNOWN, Sensitivity
from gateway.runtime.callers import declared_session
from gateway.runtime.exchange import Exchange
from gateway.runtime.services import Services

#: The judgement that is said to have failed when masked text is more than it was taken for.
MASKING = "masking"


async def hide(
    services: Services, exchange: Exchange, decision: Decision, request: ChatRequest
) -> bool:
    """Replace what the decision wants hidden; False when it has to be decided again.

    Raises:
        PolicyRefusal: something that must be hidden cannot be.
    """
    profile = exchange.judged
    exchange.hidden, exchange.values, exchange.sent = (), {}, None
    if not decision.mask:
        return True
    masked = mask(
        request.segments,
        profile.findings,
        decision.mask,
        _key(services, exchange, request),
        decision.realistic,
    )
    _refuse_missed(masked)
    exchange.hidden = tuple(masked.hidden.items())
    exchange.values = masked.values
    left = _hidden(request, masked)
    exchange.profile = profile = await _counted_again(services, exchange, request, left)
    if decision.sent < profile.sensitivity:
        level = await _judge_again(services, exchange, left, masked)
        if level > decision.sent:
            exchange.profile = msgspec.structs.replace(
                profile, sensitivity=UNKNOWN, failed=(*profile.failed, MASKING)
            )
            return False
        exchange.sent = decision.sent
    return True


def _hidden(request: ChatRequest, masked: Masked) -> ChatRequest:
    """The request with placeholders where something is hidden."""
    segments = tuple(
        msgspec.structs.replace(segment, text=masked.hidden[segment.pointer])
        if index in masked.places
        else segment
        for index, segment in enumerate(request.segments)
    )
    grown = sum(map(_size, segments)) - sum(map(_size, request.segments))
    return msgspec.structs.replace(request, segments=segments, size=request.size + max(0, grown))


def _size(segment: Segment) -> int:
    return len(segment.text.encode("utf-8", "surrogatepass"))


async def _counted_again(
    services: Services, exchange: Exchange, request: ChatRequest, left: ChatRequest
) -> Profile:
    """The profile with the tokens of what is left: a placeholder may have more than its value."""
    profile = exchange.judged
    bound = profile.tokens.upper_bound + left.size - request.size
    tokens = msgspec.structs.replace(profile.tokens, upper_bound=bound, families=())
    profile = msgspec.structs.replace(profile, tokens=tokens)
    return await services.count_tokens(exchange.ruling, left, profile)


async def _judge_again(
    services: Services, exchange: Exchange, left: ChatRequest, masked: Masked
) -> Sensitivity:
    """The level of the masked text; placeholders of ours are no findings."""
    floor = exchange.judged.floor
    again = await services.judge(exchange.ruling, left, floor)
    if again.failed:
        return UNKNOWN
    found = _without_placeholders(again.findings, masked.places)
    return sensitivity_of(found, exchange.ruling.policy.rules, floor)


def _without_placeholders(
    findings: Iterable[Finding], places: Mapping[int, tuple[tuple[int, int], ...]]
) -> list[Finding]:
    return [
        finding
        for finding in findings
        if not any(
            start <= finding.start and finding.end <= end
            for start, end in places.get(finding.segment, ())
        )
    ]


def _key(services: Services, exchange: Exchange, request: ChatRequest) -> bytes:
    """The secret of this caller's conversation: its session, or how the conversation began."""
    caller = exchange.caller
    session = declared_session(exchange.client)
    begin = next((one.text for one in request.segments if one.role == "user"), "")
    belonging = ("session", session) if session else ("begins", begin)
    return conversation_key(services.secret, caller.org, caller.key_id, *belonging)


def _refuse_missed(masked: Masked) -> None:
    if masked.missed:
        kinds = ", ".join(sorted({finding.type for finding in masked.missed}))
        raise PolicyRefusal(
            f"Policy hides {kinds} before a model sees it, but here it is the name of a JSON "
            "field, which cannot be replaced. Move it into a value.",
            code="cannot_mask",
        )
