"""What the client is told: headers that say where the request went, and the body or the error."""

from __future__ import annotations

from math import ceil

from gateway.core.errors import FairleadError
from gateway.core.money import nano_to_usd_text
from gateway.runtime.client import Headers
from gateway.runtime.exchange import Exchange
from gateway.runtime.manners import request_headers
from gateway.runtime.pointers import shown_pointers
from gateway.wire.base import Reply

_JSON = (b"content-type", b"application/json")
_EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
_NO_BUFFERING = ((b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"))


class Answer:
    """Writes one response."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def begin_stream(self, deployment: str, attempts: int) -> None:
        """Send the headers of a stream, with all that is known before its first byte."""
        headers = [_EVENTS, *_NO_BUFFERING, *decision_headers(self._exchange)]
        headers.append((b"x-fairlead-deployment", deployment.encode()))
        headers.append((b"x-fairlead-attempts", b"%d" % attempts))
        await self._exchange.client.start(200, headers)

    async def deliver(self, reply: Reply | None, rest: bytes) -> None:
        """Send a whole answer, or finish a stream with what it still owes: `rest`."""
        client = self._exchange.client
        if reply is None:
            await client.end(rest)
            return
        headers = [
            _JSON,
            (b"content-length", b"%d" % len(reply.body)),
            *decision_headers(self._exchange),
            *_outcome_headers(self._exchange),
        ]
        await client.start(200, headers)
        await client.end(reply.body)

    async def abort(self, error: FairleadError, event: bytes = b"") -> None:
        """End a begun stream with an error event, the stream's own if given; no end marker."""
        exchange = self._exchange
        event = event or exchange.api.render_stream_error(error, exchange.request_id)
        await exchange.client.end(event)

    async def refuse(self, error: FairleadError) -> None:
        """Answer with an error in the client's dialect."""
        headers = decision_headers(self._exchange)
        if self._exchange.attempts:
            headers += _outcome_headers(self._exchange)
        await send_error(self._exchange, error, headers)


async def send_error(exchange: Exchange, error: FairleadError, headers: Headers) -> None:
    """Send an error response, telling SDKs not to repeat what cannot succeed."""
    body = exchange.api.render_error(error, exchange.request_id)
    headers = [_JSON, (b"content-length", b"%d" % len(body)), *headers]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, ceil(error.retry_after))))
    if error.http_status in (408, 409, 429) or error.http_status >= 500:
        headers.append((b"x-should-retry", b"true" if error.retryable else b"false"))
    if error.http_status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await exchange.client.start(error.http_status, headers)
    await exchange.client.end(body)


def decision_headers(exchange: Exchange) -> Headers:
    """The headers that are known once the request has been judged, and those of the API itself."""
    wire, request_id = exchange.api.wire, exchange.request_id
    headers = [
        (b"x-fairlead-request-id", request_id.encode()),
        *request_headers(wire, request_id, exchange.duration_ms),
        *(exchange.own_limits or exchange.limits),
    ]
    if exchange.lossy:
        headers.append((b"x-fairlead-lossy", ",".join(shown_pointers(exchange.lossy)).encode()))
    for scope, per, share in exchange.warnings:
        told = f"{scope};per={per};used={share:.2f}"
        headers.append((b"x-fairlead-budget", told.encode("latin-1", "replace")))
    if exchange.profile is not None:
        headers.append((b"x-fairlead-sensitivity", exchange.profile.sensitivity.label.encode()))
        headers.append((b"x-fairlead-difficulty", b"%.3f" % exchange.profile.difficulty))
    if exchange.decision is not None:
        headers.append((b"x-fairlead-route", exchange.decision.route.encode()))
        headers.append((b"x-fairlead-policy", exchange.decision.revision.encode()))
    return headers


def _outcome_headers(exchange: Exchange) -> Headers:
    return [
        (b"x-fairlead-deployment", exchange.deployment.encode()),
        (b"x-fairlead-attempts", b"%d" % len(exchange.attempts)),
        (b"x-fairlead-cost-usd", nano_to_usd_text(exchange.cost_nanousd).encode()),
    ]
