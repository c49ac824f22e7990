"""`/v1/feedback`: whoever got an answer says what it was worth."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State

from gateway.core.errors import InvalidRequest, Unauthenticated
from gateway.runtime.callers import bearer_key
from gateway.runtime.client import Client, ClientDisconnected
from gateway.runtime.services import Services

#: What servers note for a client that closed its request; nobody reads it.
_CLIENT_GONE = 499
#: No feedback is longer, in bytes.
_LARGEST = 4096


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One opinion: a score from 0 to 1, or thumbs."""

    request_id: str
    score: float | None = None
    thumbs: Literal["up", "down"] | None = None


@post(
    "/v1/feedback",
    status_code=200,
    tags=["data plane"],
    summary="Say what the answer to a request was worth",
)
async def feedback_handler(request: Request[Any, Any, Any], state: State) -> Response[bytes]:
    """Body: `request_id` (of the header `x-fairlead-request-id`) and `score`, 0..1, or `thumbs`.

    A later opinion replaces an earlier one. No text is taken.

    Raises:
        Unauthenticated: no usable virtual key came with the request.
        InvalidRequest: the body is none, or nobody knows the request (any more).
        StoreUnavailable: Redis does not answer.
    """
    services: Services = state.services
    client = Client(request.scope, request.receive, request.send)  # type: ignore[arg-type]
    try:
        raw = await client.body(_LARGEST)
    except ClientDisconnected:
        return Response(b"", status_code=_CLIENT_GONE)
    key = bearer_key(client)
    if not key:
        raise Unauthenticated("You did not provide a virtual key.")
    principal = await services.keys.resolve(key)
    given, score = _read(raw)
    served = await services.learning.rate(principal.org, given.request_id, score)
    if served is None:
        raise InvalidRequest(
            f"No answer to the request '{given.request_id[:80]}' can be rated: it is unknown here, "
            "or was served too long ago.",
            code="request_not_found",
            param="request_id",
            http_status=404,
        )
    told = {"request_id": given.request_id, "deployment": served.deployment, "score": score}
    return Response(msgspec.json.encode(told), media_type="application/json")


def _read(raw: bytes) -> tuple[Feedback, float]:
    """The feedback and its score."""
    try:
        given = msgspec.json.decode(raw, type=Feedback)
    except (msgspec.DecodeError, UnicodeDecodeError) as mistake:
        raise InvalidRequest(f"The feedback cannot be read: {mistake}.") from None
    if (given.score is None) == (given.thumbs is None):
        raise InvalidRequest("Give either a 'score' from 0 to 1 or 'thumbs'.", param="score")
    if given.score is None:
        return given, 1.0 if given.thumbs == "up" else 0.0
    if not 0.0 <= given.score <= 1.0:
        raise InvalidRequest("'score' must be from 0 to 1.", param="score")
    return given, given.score
