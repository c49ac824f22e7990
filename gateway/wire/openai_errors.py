"""Errors in OpenAI's dialect, which its APIs share: as a body and as an event inside a stream."""

from __future__ import annotations

import msgspec

from gateway.core.errors import FairleadError


def render_error(error: FairleadError) -> bytes:
    """The JSON error body that OpenAI's SDKs turn into an exception."""
    body = {
        "error": {
            "message": error.public_message,
            "type": error.kind,
            "param": error.param,
            "code": error.code,
        }
    }
    return msgspec.json.encode(body)


def render_stream_error(error: FairleadError) -> bytes:
    """The last event of a stream that broke; no `[DONE]` follows it."""
    return b"data: " + render_error(error) + b"\n\n"
