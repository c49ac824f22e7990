"""The data plane as plain ASGI: the hot path pays for no framework.

Litestar serves the same functions (see `gateway.app.application`), which is where they are
documented; this dispatcher only saves its routing for the paths that carry the traffic.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from functools import partial

from gateway.core.errors import FairleadError
from gateway.runtime.answer import decision_headers, send_error
from gateway.runtime.bridges import APIS
from gateway.runtime.client import Client, Message, Receive, Send
from gateway.runtime.exchange import Exchange, new_request_id
from gateway.runtime.pipeline import serve_request
from gateway.runtime.services import Services
from gateway.wire.base import Front

AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]


class DataPlane:
    """One ASGI function for each API of the data plane, by method and path."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.routes: dict[tuple[str, str], AsgiApp] = {
            ("POST", path): partial(self._serve, api) for path, api in APIS.items()
        }

    async def _serve(self, api: Front, scope: Message, receive: Receive, send: Send) -> None:
        client = Client(scope, receive, send)
        with self._services.rulings.taken() as ruling:
            exchange = Exchange(new_request_id(), client, api, ruling)
            try:
                await serve_request(self._services, exchange)
            except Exception as error:  # noqa: BLE001 - the app boundary: nothing may escape to a client
                await self._internal_error(exchange, error)

    async def _internal_error(self, exchange: Exchange, error: Exception) -> None:
        # The message of a foreign exception may quote the request, so only its place is logged.
        places = [
            f"{frame.filename}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        self._services.log.error(
            "internal_error",
            request_id=exchange.request_id,
            error=type(error).__name__,
            at=places[-6:],
        )
        public = FairleadError(
            f"Something failed inside the gateway (request {exchange.request_id}); "
            "its operators can find it in the log under that id."
        )
        if not exchange.client.started:
            await send_error(exchange, public, decision_headers(exchange))
        else:
            await exchange.client.end(exchange.api.render_stream_error(public, exchange.request_id))


class FastLane:
    """Hands the data plane's exact paths over directly and everything else to the application."""

    def __init__(self, plane: DataPlane, application: AsgiApp) -> None:
        self._routes = plane.routes
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Dispatch one ASGI scope."""
        if scope["type"] == "http":
            serve = self._routes.get((scope["method"], scope["path"]))
            if serve is not None:
                await serve(scope, receive, send)
                return
        await self._application(scope, receive, send)
