"""The admin plane: its own credential, and the decision without the call."""

from __future__ import annotations

import hmac
from time import time
from typing import Any

import msgspec
from litestar import Request, post
from litestar.datastructures import State

from gateway.core.errors import Unauthenticated
from gateway.core.principal import Principal
from gateway.runtime.facts import gather_facts
from gateway.runtime.services import Services
from gateway.wire.openai_chat import view
from policies.explain import explain


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
    """Judge and decide a chat body without calling a model: every rule with its why.

    Query parameters `org`, `team`, `app` and `user` say for whom; the body is a chat request.
    """
    services: Services = state.services
    require_admin(request, services)
    ruling = services.rulings.current
    asked = view.decode(await request.body())
    profile = await services.judge(ruling, asked)
    who = {name: request.query_params.get(name, "") for name in ("org", "team", "app", "user")}
    principal = Principal(
        key_id="explain",
        org=who["org"] or "default",
        team=who["team"] or "default",
        app=who["app"],
        user=who["user"],
    )
    facts = await gather_facts(
        services,
        ruling,
        principal,
        asked,
        profile,
        wire=asked.wire,
        now=time(),
        request_id="",
        session=request.headers.get("x-fairlead-session", ""),
    )
    return msgspec.to_builtins(explain(ruling.policy, facts), enc_hook=str)
