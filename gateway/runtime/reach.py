"""Which of the deployments that policy allows can be asked at all through the API that was called.

What cannot be asked leaves the plan with a reason, instead of failing when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from adapters.base import Adapter
from gateway.core.decision import Decision, Rejected
from gateway.core.deployment import Deployment
from gateway.core.errors import InvalidRequest
from gateway.core.request import ChatRequest
from gateway.runtime.bridges import back_wire, not_carried
from gateway.wire.base import Front

#: The reason's id in decisions and audit records.
ENDPOINT = "endpoint"


def reachable(
    decision: Decision, api: Front, adapters: Mapping[str, Adapter], request: ChatRequest
) -> Decision:
    """The decision without the deployments that this request has no way to."""
    lacking: dict[str, Rejected] = {}
    copied = (decision.shadow.deployment,) if decision.shadow is not None else ()
    for deployment in (*decision.candidates, *decision.reserve, *copied):
        because = _obstacle(api, adapters[deployment.name], request)
        if because:
            lacking[deployment.name] = Rejected(
                deployment=deployment.name, reason=ENDPOINT, because=because
            )
    if not lacking:
        return decision
    return msgspec.structs.replace(
        decision,
        candidates=_without(decision.candidates, lacking),
        reserve=_without(decision.reserve, lacking),
        shadow=None if decision.copied_to in lacking else decision.shadow,
        rejected=(*decision.rejected, *lacking.values()),
    )


def no_way(decision: Decision) -> InvalidRequest:
    """The refusal when no candidate is left: which deployments lack what."""
    told = [one for one in decision.rejected if one.reason == ENDPOINT]
    story = "; ".join(f"'{one.deployment}' {one.because}" for one in told)
    return InvalidRequest(
        f"No deployment that may serve this request can: {story}. "
        "Ask for another model, or send the request to an API that these deployments have.",
        code="endpoint_not_supported",
        param="model",
    )


def _obstacle(api: Front, adapter: Adapter, request: ChatRequest) -> str:
    if back_wire(api, adapter) is None:
        return f"does not have the endpoint {api.wire.replace('_', ' ')}"
    missing = not_carried(api, adapter, request)
    if missing:
        return f"is a chat model and cannot carry {', '.join(missing)}"
    return ""


def _without(
    deployments: Sequence[Deployment], lacking: Mapping[str, Rejected]
) -> tuple[Deployment, ...]:
    return tuple(one for one in deployments if one.name not in lacking)
