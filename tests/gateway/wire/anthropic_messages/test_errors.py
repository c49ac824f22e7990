"""Errors in Anthropic's dialect."""

from __future__ import annotations

import json

import anthropic
import httpx2
import pytest

from gateway.core import errors as core
from gateway.wire.anthropic_messages.api import MessagesApi
from gateway.wire.anthropic_messages.errors import error_type, render_error, render_stream_error


@pytest.mark.parametrize(
    ("error", "kind", "raised"),
    [
        (core.InvalidRequest("x"), "invalid_request_error", anthropic.BadRequestError),
        (core.RequestTooLarge("x"), "request_too_large", anthropic.RequestTooLargeError),
        (core.UnknownEndpoint("x"), "not_found_error", anthropic.NotFoundError),
        (core.Unauthenticated("x"), "authentication_error", anthropic.AuthenticationError),
        (core.PolicyRefusal("x"), "permission_error", anthropic.PermissionDeniedError),
        (core.UnknownModel("x"), "not_found_error", anthropic.NotFoundError),
        (core.BudgetExhausted("x"), "billing_error", anthropic.RateLimitError),
        (
            core.UpstreamRejected("x", http_status=422),
            "invalid_request_error",
            anthropic.UnprocessableEntityError,
        ),
        (core.UpstreamFailed("x", http_status=502), "api_error", anthropic.InternalServerError),
        (
            core.UpstreamFailed("x", http_status=429),
            "rate_limit_error",
            anthropic.RateLimitError,
        ),
        (core.DeadlineExceeded("x"), "timeout_error", anthropic.APIStatusError),
        (core.StoreUnavailable("x"), "overloaded_error", anthropic.APIStatusError),
        (core.FairleadError("x"), "api_error", anthropic.InternalServerError),
    ],
)
def test_each_error_has_the_vendors_type_and_the_sdk_raises_its_class(
    error: core.FairleadError, kind: str, raised: type[Exception]
) -> None:
    """Type by status, our stable code under details, message and request id in place."""
    body = json.loads(render_error(error, "req_1"))
    request = httpx2.Request("POST", "http://test/v1/messages")
    response = httpx2.Response(error.http_status, json=body, request=request)
    with anthropic.Anthropic(api_key="x") as client:
        told = client._make_status_error("x", body=body, response=response)

    assert body == {
        "type": "error",
        "error": {"type": kind, "message": "x", "details": {"error_code": error.code}},
        "request_id": "req_1",
    }
    assert isinstance(told, raised)
    assert (told.type, told.error_code) == (kind, error.code)
    assert error_type(error) == kind


def test_a_broken_stream_ends_with_an_error_event() -> None:
    """One event named `error`, and no end marker."""
    error = core.UpstreamFailed("gone")
    event = render_stream_error(error, "req_1")

    assert event.startswith(b"event: error\ndata: {")
    assert event.endswith(b"}\n\n")
    assert MessagesApi().render_stream_error(error, "req_1") == event
    assert MessagesApi().render_error(error, "req_1") in event
