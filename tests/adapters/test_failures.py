"""The border of the HTTP client: waits asked for in headers, and exceptions."""

from __future__ import annotations

import aiohttp
import pytest

from adapters.failures import from_exception, from_response, retry_after
from gateway.core.failure import FailureKind

NOW = 1_795_000_000.0  # Wed, 18 Nov 2026 11:06:40 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Wed, 18 Nov 2026 11:07:10 GMT"}, 30.0),
        ({"retry-after": "Wed, 18 Nov 2026 08:20:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds and dates are read; anything else is no wish at all."""
    assert retry_after(headers, now=NOW) == seconds


def test_response_carries_the_wait() -> None:
    """A rate limit's failure carries the pause that the vendor asked for."""
    failure = from_response(429, {"retry-after": "3"}, b"", now=NOW)

    assert (failure.kind, failure.retry_after) == (FailureKind.RATE_LIMITED, 3.0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), FailureKind.TIMEOUT),
        (aiohttp.SocketTimeoutError(), FailureKind.TIMEOUT),
        (aiohttp.ConnectionTimeoutError(), FailureKind.CONNECT),
        (aiohttp.ServerDisconnectedError(), FailureKind.CUT_STREAM),
        (aiohttp.ClientOSError(104, "reset"), FailureKind.CUT_STREAM),
        (aiohttp.ClientPayloadError(), FailureKind.CUT_STREAM),
        (aiohttp.InvalidURL("http://secret/"), FailureKind.CONNECT),
        (ConnectionResetError(104, "reset"), FailureKind.CUT_STREAM),
        (aiohttp.ClientError("http://secret/"), FailureKind.BAD_RESPONSE),
    ],
)
def test_exception_is_told_by_class_and_errno(error: Exception, kind: FailureKind) -> None:
    """An exception of the client becomes its kind, and its own text is not repeated."""
    failure = from_exception(error)

    assert failure.kind is kind
    assert "secret" not in failure.detail
    assert type(error).__name__ in failure.detail
