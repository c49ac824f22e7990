"""Errors in Anthropic's dialect, as a body and as an event inside a stream.

Sources: platform.claude.com/docs/en/api/errors, read 2026-11, and the official SDK, which reads
the stable code under `error.details.error_code`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.errors import BudgetExhausted, FairleadError

#: The vendor's word for each status that it documents, and for those that mean the same.
_TYPES: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        405: "not_found_error",
        408: "timeout_error",
        409: "conflict_error",
        413: "request_too_large",
        429: "rate_limit_error",
        503: "overloaded_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)


def error_type(error: FairleadError) -> str:
    """The `type` of an error; a money cap is a matter of billing, whatever its status."""
    if isinstance(error, BudgetExhausted):
        return "billing_error"
    status = error.http_status
    return _TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")


def render_error(error: FairleadError, request_id: str) -> bytes:
    """The JSON error body that Anthropic's SDKs turn into an exception."""
    body = {
        "type": "error",
        "error": {
            "type": error_type(error),
            "message": error.public_message,
            "details": {"error_code": error.code},
        },
        "request_id": request_id or None,
    }
    return msgspec.json.encode(body)


def render_stream_error(error: FairleadError, request_id: str) -> bytes:
    """The last event of a stream that broke; no `message_stop` follows it."""
    return b"event: error\ndata: " + render_error(error, request_id) + b"\n\n"
