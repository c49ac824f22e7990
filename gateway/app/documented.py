"""The data plane's APIs as Litestar handlers: the documented twins of the fast lane.

Requests reach the same functions either way; these exist so that the OpenAPI document shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from litestar import post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.types import ASGIApp

#: Path, summary, whose API it is, and the fields that a request must have.
_APIS = (
    ("/v1/chat/completions", "Answer a chat", "OpenAI Chat Completions", ("model", "messages")),
    ("/v1/responses", "Answer, and keep the conversation", "OpenAI Responses", ("model", "input")),
    ("/v1/completions", "Continue a text", "OpenAI Completions", ("model", "prompt")),
    ("/v1/embeddings", "Embed texts", "OpenAI Embeddings", ("model", "input")),
    (
        "/v1/messages",
        "Answer a chat in Anthropic's format",
        "Anthropic Messages",
        ("model", "messages", "max_tokens"),
    ),
)
_OBJECT = OpenAPIType.OBJECT


def documented_handlers() -> Iterator[HTTPRouteHandler]:
    """One handler for each API of the data plane."""
    for path, summary, api, required in _APIS:
        yield _handler(path, summary, api, required)


def _handler(path: str, summary: str, api: str, required: tuple[str, ...]) -> HTTPRouteHandler:
    body = RequestBody(
        description=f"A request of the {api} API, with any of its fields; bytes pass through.",
        required=True,
        content={
            "application/json": OpenAPIMediaType(
                schema=Schema(type=_OBJECT, required=list(required))
            )
        },
    )

    class Described(Operation):
        """The operation with the body that the handler's signature does not show."""

        def __init__(self, **fields: Any) -> None:
            super().__init__(**(fields | {"request_body": body}))

    @post(
        path,
        operation_class=Described,
        operation_id=api.replace(" ", ""),
        summary=f"{summary}: judged, routed by policy, paid for and audited",
        status_code=200,
        tags=["data plane"],
    )
    async def serve(state: State) -> ASGIApp:
        found: ASGIApp = state.plane.routes["POST", path]
        return found

    return serve
