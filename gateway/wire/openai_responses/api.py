"""Responses as an API that clients call."""

from __future__ import annotations

from gateway.core.errors import FairleadError
from gateway.core.request import ChatRequest
from gateway.wire.base import Bridge
from gateway.wire.openai_errors import render_error
from gateway.wire.openai_responses import view
from gateway.wire.openai_responses.errors import render_stream_error
from gateway.wire.openai_responses.relay import PassThrough


class ResponsesApi:
    """See `gateway.wire.base.Front`."""

    wire = view.WIRE

    def decode(self, raw: bytes) -> ChatRequest:
        """Read a Responses request."""
        return view.decode(raw)

    def render_error(self, error: FairleadError, request_id: str) -> bytes:
        """OpenAI's error body."""
        return render_error(error)

    def render_stream_error(self, error: FairleadError, request_id: str) -> bytes:
        """The `error` event."""
        return render_stream_error(error)

    def pass_through(self) -> Bridge:
        """For backends that speak Responses themselves."""
        return PassThrough()
