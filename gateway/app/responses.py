"""`/v1/responses/{id}`: stored responses, shown, listed and deleted for keys of their org."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, Response, delete, get
from litestar.datastructures import State
from litestar.params import Parameter

from gateway.core.errors import InvalidRequest, Unauthenticated
from gateway.core.principal import Principal
from gateway.runtime.callers import bearer_key
from gateway.runtime.client import Client
from gateway.runtime.services import Services


@get("/v1/responses/{response_id:str}", tags=["data plane"], summary="A stored response")
async def show_handler(
    request: Request[Any, Any, Any], state: State, response_id: str
) -> Response[bytes]:
    """The response as it was answered, for a day after its last use.

    Raises:
        InvalidRequest: the key's org has none of this id, or it is asked for as a stream.
    """
    services: Services = state.services
    caller = await _caller(request, services)
    if request.query_params.get("stream", "").lower() in ("true", "1"):
        raise InvalidRequest(
            "Stored responses are not streamed again. Leave out 'stream'.", param="stream"
        )
    stored = await services.conversations.show(caller, response_id)
    return Response(stored, media_type="application/json")


@delete(
    "/v1/responses/{response_id:str}",
    status_code=200,
    tags=["data plane"],
    summary="Forget a stored response",
)
async def delete_handler(
    request: Request[Any, Any, Any], state: State, response_id: str
) -> dict[str, Any]:
    """Delete it at once; what continues it cannot be continued any more.

    Raises:
        InvalidRequest: the key's org has none of this id.
    """
    services: Services = state.services
    await services.conversations.delete(await _caller(request, services), response_id)
    return {"id": response_id, "object": "response", "deleted": True}


@get(
    "/v1/responses/{response_id:str}/input_items",
    tags=["data plane"],
    summary="What a stored response answered",
)
async def input_items_handler(
    request: Request[Any, Any, Any],
    state: State,
    response_id: str,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str = "",
) -> dict[str, Any]:
    """The items that the model was given, in pages; earlier turns are included.

    Raises:
        InvalidRequest: the key's org has none of this id, or `after` is no item of it.
    """
    services: Services = state.services
    caller = await _caller(request, services)
    items = await services.conversations.input_items(caller, response_id)
    if order == "desc":
        items.reverse()
    if after:
        place = next((n for n, item in enumerate(items) if item["id"] == after), None)
        if place is None:
            raise InvalidRequest(f"'{after}' is no input item of the response.", param="after")
        items = items[place + 1 :]
    page = items[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": len(items) > limit,
    }


async def _caller(request: Request[Any, Any, Any], services: Services) -> Principal:
    key = bearer_key(Client(request.scope, request.receive, request.send))  # type: ignore[arg-type]
    if not key:
        raise Unauthenticated("You did not provide a virtual key.")
    return await services.keys.resolve(key)
