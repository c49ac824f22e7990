"""The HTTP application: data plane, health, metrics, admin plane and their documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import ScalarRenderPlugin

from gateway.app.admin import explain_handler
from gateway.app.counting import count_tokens_handler
from gateway.app.dataplane import AsgiApp, DataPlane, FastLane
from gateway.app.documented import documented_handlers
from gateway.app.feedback import feedback_handler
from gateway.app.listing import models_handler, one_model_handler
from gateway.app.policies import POLICY_HANDLERS
from gateway.app.reports import report_handler
from gateway.app.responses import delete_handler, input_items_handler, show_handler
from gateway.core.errors import FairleadError, InvalidRequest, UnknownEndpoint
from gateway.runtime.services import Services
from gateway.wire.anthropic_messages import errors as anthropic_errors
from gateway.wire.openai_chat.errors import render_error

_VERSION = "0.1.0"


@get("/healthz", summary="The process is alive", tags=["health"])
async def alive_handler() -> dict[str, str]:
    """Always 200 while the event loop turns."""
    return {"status": "alive"}


@get("/readyz", summary="Requests can be served", tags=["health"])
async def ready_handler(state: State) -> Response[dict[str, Any]]:
    """200 when the ledger answers and a policy is loaded; else 503 with what is missing.

    `warnings` say what is wrong although requests are served, such as a broken policy file.
    """
    services: Services = state.services
    missing = await services.not_ready()
    status: dict[str, Any] = {
        "status": "ready" if not missing else "not_ready",
        "missing": missing,
        "warnings": services.warnings(),
        "policy": services.rulings.current.policy.revision,
    }
    return Response(status, status_code=503 if missing else 200)


@get("/metrics", media_type=MediaType.TEXT, summary="Prometheus metrics", tags=["health"])
async def metrics_handler(state: State) -> Response[bytes]:
    """The metrics of all workers of this gateway."""
    services: Services = state.services
    return Response(services.metrics.render(), media_type="text/plain; version=0.0.4")


def create_app(opening: Callable[[], Awaitable[Services]]) -> AsgiApp:
    """The whole application; `opening` builds the services when the server starts.

    The services live as long as the server: opened in its lifespan, closed at its end.
    """
    holder: dict[str, AsgiApp] = {}

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        services = await opening()
        try:
            app.state.services = services
            app.state.plane = DataPlane(services)
            holder["serve"] = FastLane(app.state.plane, app)  # type: ignore[arg-type]
            yield
        finally:
            await services.close()

    application = Litestar(
        route_handlers=[
            *documented_handlers(),
            count_tokens_handler,
            feedback_handler,
            models_handler,
            one_model_handler,
            show_handler,
            delete_handler,
            input_items_handler,
            alive_handler,
            ready_handler,
            metrics_handler,
            explain_handler,
            report_handler,
            *POLICY_HANDLERS,
        ],
        lifespan=[lifespan],
        exception_handlers={
            HTTPException: _http_error,
            FairleadError: _public_error,
            Exception: _unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="Fairlead",
            version=_VERSION,
            description="One endpoint for large language models: judged, routed, paid, audited.",
            path="/docs",
            render_plugins=[ScalarRenderPlugin()],
        ),
        logging_config=None,
        debug=False,
    )

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await holder.get("serve", application)(scope, receive, send)

    return serve


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own errors in the client's dialect."""
    path = request.url.path
    found: FairleadError
    if error.status_code == 404:
        found = UnknownEndpoint(
            f"Unknown request URL: {request.method} {path}. The gateway serves "
            "/v1/chat/completions and /v1/models; see /docs."
        )
    elif error.status_code == 405:
        found = UnknownEndpoint(
            f"{path} does not take {request.method}.", code="method_not_allowed", http_status=405
        )
    else:
        found = InvalidRequest(error.detail, http_status=error.status_code)
    return _render(request, found)


def _public_error(request: Request[Any, Any, Any], error: FairleadError) -> Response[bytes]:
    return _render(request, error)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    services: Services = request.app.state.services
    services.log.error("internal_error", path=request.url.path, error=type(error).__name__)
    return _render(request, FairleadError("Something failed inside the gateway; see its log."))


def _render(request: Request[Any, Any, Any], error: FairleadError) -> Response[bytes]:
    """An error as the API that asks tells it; Anthropic's clients always send their version."""
    headers = {"www-authenticate": "Bearer"} if error.http_status == 401 else {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    if "anthropic-version" in request.headers:
        body = anthropic_errors.render_error(error, "")
    else:
        body = render_error(error)
    return Response(
        body,
        status_code=error.http_status,
        media_type="application/json",
        headers=headers,
    )
