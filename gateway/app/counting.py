"""`/v1/messages/count_tokens`: answered here, sent nowhere."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State

from gateway.core.errors import Unauthenticated
from gateway.core.token_families import family_of
from gateway.runtime.callers import bearer_key
from gateway.runtime.client import Client, ClientDisconnected
from gateway.runtime.services import Services
from gateway.wire.anthropic_messages import view

#: What servers note for a client that closed its request; nobody reads it.
_CLIENT_GONE = 499


@post(
    "/v1/messages/count_tokens",
    status_code=200,
    tags=["data plane"],
    summary="Estimate the input tokens of a Messages request without calling a model",
)
async def count_tokens_handler(request: Request[Any, Any, Any], state: State) -> Response[bytes]:
    """The likely number of input tokens; no deployment sees the request.

    Raises:
        Unauthenticated: no usable virtual key came with the request.
        InvalidRequest: the body is no Messages request, or too large.
    """
    services: Services = state.services
    # Litestar would read the whole body before it asks how large it is.
    client = Client(request.scope, request.receive, request.send)  # type: ignore[arg-type]
    try:
        raw = await client.body(services.settings.max_body_bytes)
    except ClientDisconnected:
        return Response(b"", status_code=_CLIENT_GONE)
    key = bearer_key(client)
    if not key:
        raise Unauthenticated("You did not provide a virtual key.")
    await services.keys.resolve(key)
    ruling, asked = services.rulings.current, view.decode(raw, counting=True)
    family = family_of(asked.model)
    profile = await services.judge(ruling, asked)
    profile = await services.count_tokens(ruling, asked, profile, (family,))
    counted = msgspec.json.encode({"input_tokens": profile.tokens.expected_by(family)})
    return Response(counted, media_type="application/json")
