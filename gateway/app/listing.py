"""`/v1/models`: what a key may ask for, in the shape of the API that asks."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.datastructures import State

from gateway.core.errors import Unauthenticated, UnknownModel
from gateway.core.principal import Principal
from gateway.runtime.services import Services

#: Models carry no birthday of their own here; a fixed one keeps answers identical.
_CREATED = 1_767_225_600
_CREATED_TEXT = "2026-01-01T00:00:00Z"


@get("/v1/models", tags=["data plane"], summary="Aliases and deployments that the key may use")
async def models_handler(request: Request[Any, Any, Any], state: State) -> dict[str, Any]:
    """A list in OpenAI's shape, or in Anthropic's when `anthropic-version` is sent."""
    services: Services = state.services
    names = _allowed(services, await _caller(request, services))
    if "anthropic-version" in request.headers:
        listed = [_anthropic(name) for name in names]
        return {
            "data": listed,
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }
    return {"object": "list", "data": [_openai(services, name) for name in names]}


@get("/v1/models/{name:path}", tags=["data plane"], summary="One alias or deployment")
async def one_model_handler(
    request: Request[Any, Any, Any], state: State, name: str
) -> dict[str, Any]:
    """One entry of the list.

    Raises:
        UnknownModel: no such name, or not for this key.
    """
    services: Services = state.services
    wanted = name.lstrip("/")
    if wanted not in _allowed(services, await _caller(request, services)):
        raise UnknownModel(f"The model '{wanted}' does not exist or this key may not use it.")
    if "anthropic-version" in request.headers:
        return _anthropic(wanted)
    return _openai(services, wanted)


async def _caller(request: Request[Any, Any, Any], services: Services) -> Principal:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        key = request.headers.get("x-api-key", "")
    if not key:
        raise Unauthenticated("You did not provide a virtual key.")
    return await services.keys.resolve(key.strip())


def _allowed(services: Services, principal: Principal) -> list[str]:
    policy = services.rulings.current.policy
    unique = list(dict.fromkeys((*policy.aliases, *policy.deployments)))
    return [name for name in unique if not principal.models or name in principal.models]


def _openai(services: Services, name: str) -> dict[str, Any]:
    deployment = services.rulings.current.policy.deployments.get(name)
    owner = (deployment.provider or deployment.adapter) if deployment else "fairlead"
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": owner}


def _anthropic(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "model",
        "display_name": name,
        "created_at": _CREATED_TEXT,
        "lifecycle": "active",
    }
