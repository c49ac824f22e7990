"""Anthropic Messages as an API that clients call."""

from __future__ import annotations

from gateway.core.errors import FairleadError
from gateway.core.request import ChatRequest
from gateway.wire.anthropic_messages import errors, view
from gateway.wire.anthropic_messages.relay import PassThrough
from gateway.wire.base import Bridge


class MessagesApi:
    """See `gateway.wire.base.Front`."""

    wire = view.WIRE

    def decode(self, raw: bytes) -> ChatRequest:
        """Read a Messages request."""
        return view.decode(raw)

    def render_error(self, error: FairleadError, request_id: str) -> bytes:
        """Anthropic's error body."""
        return errors.render_error(error, request_id)

    def render_stream_error(self, error: FairleadError, request_id: str) -> bytes:
        """Anthropic's error event."""
        return errors.render_stream_error(error, request_id)

    def pass_through(self) -> Bridge:
        """For backends that speak Anthropic Messages themselves."""
        return PassThrough()
