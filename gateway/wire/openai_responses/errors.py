"""Errors in the dialect of the Responses API."""

from __future__ import annotations

import msgspec

from gateway.core.errors import FairleadError


def render_stream_error(error: FairleadError, sequence_number: int = 0) -> bytes:
    """The event that ends a broken stream; no `response.completed` follows it.

    The documented event has `code`, `message` and `param` at its top; servers send, and SDKs
    raise on, an `error` object. Both are there.
    """
    told = {"code": error.code, "message": error.public_message, "param": error.param}
    event = {
        "type": "error",
        "sequence_number": sequence_number,
        **told,
        "error": {"type": error.kind, **told},
    }
    return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"
