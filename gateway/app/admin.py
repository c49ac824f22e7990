"""The admin plane: its own credential, and the decision without the call."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from litestar import Request, post
from litestar.datastructures import State

from gateway.core.errors import InvalidRequest, Unauthenticated
from gateway.core.principal import Principal
from gateway.runtime.client import Client
from gateway.runtime.explaining import explain_body, explain_given
from gateway.runtime.services import Services
from policies.given import read_given
from policies.model.cases import GivenStatement
from policies.problems import PolicyError

_SCOPES = ("org", "team", "app", "user")


def require_admin(request: Request[Any, Any, Any], services: Services) -> None:
    """Check the admin credential.

    Raises:
        Unauthenticated: it is missing or wrong; a virtual key is never enough.
    """
    given = request.headers.get("authorization", "").partition(" ")[2].strip()
    given = given or request.headers.get("x-api-key", "")
    wanted = services.settings.admin_key or ""
    if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Unauthenticated(
            "The admin plane needs the admin key (FAIRLEAD_ADMIN_KEY) as a bearer token."
        )


@post("/admin/explain", status_code=200, tags=["admin plane"], summary="Explain a decision")
async def explain_handler(request: Request[Any, Any, Any], state: State) -> Any:
    """Judge and decide a request without calling a model: every rule with its why.

    The body is that of a chat, responses, messages, completions or embeddings request; which one
    is told by its fields, or by the query parameter `api`. Or it is `{"given": {…}}` with facts
    or a text as a policy's tests write them. Query parameters `org`, `team`, `app` and `user` say
    for whom; the headers `x-fairlead-session`, `-tags` and `-sensitivity` count as in traffic.

    Raises:
        InvalidRequest: the body cannot be read, or a fact is none.
    """
    services: Services = state.services
    require_admin(request, services)
    raw = await request.body()
    with services.rulings.taken() as ruling:
        given = _given(raw)
        if given is not None:
            explanation = await explain_given(services, ruling, given)
        else:
            who = {name: request.query_params.get(name, "") for name in _SCOPES}
            explanation = await explain_body(
                services,
                ruling,
                raw,
                api=request.query_params.get("api", ""),
                principal=Principal(
                    key_id="explain",
                    org=who["org"] or "default",
                    team=who["team"] or "default",
                    app=who["app"],
                    user=who["user"],
                ),
                client=_client(request),
            )
    return msgspec.to_builtins(explanation, enc_hook=str)


def _client(request: Request[Any, Any, Any]) -> Client:
    """The caller, for what its headers declare; only the types of the frameworks differ."""
    scope: Any = request.scope
    receive: Any = request.receive
    send: Any = request.send
    return Client(scope, receive, send)


def _given(raw: bytes) -> GivenStatement | None:
    """The facts of a body that brings facts instead of a request."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if set(fields) != {"given"}:
        return None
    try:
        return read_given(bytes(fields["given"]).decode(), "given")
    except (PolicyError, UnicodeDecodeError) as error:
        raise InvalidRequest(str(error), param="given") from None
