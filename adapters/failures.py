"""The border of the HTTP client: its exceptions and a backend's error answers become failures.

Nothing of a URL, a header or a message goes into `detail`: an exception is told by its class and
its errno, an answer by its status and the vendor's own error code.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp

from gateway.core.failure import AttemptFailure, FailureKind
from gateway.wire.failures import vendor_failure

#: Everything that the HTTP client may raise while it sends, waits or reads.
CLIENT_ERRORS = (aiohttp.ClientError, OSError, TimeoutError)

# First match wins, so the narrow classes come first. A server that closed a kept-alive
# connection may have started the model: that is a cut, not a failed connect, and not free.
_EXCEPTIONS: tuple[tuple[type[BaseException], FailureKind], ...] = (
    (aiohttp.ConnectionTimeoutError, FailureKind.CONNECT),
    (TimeoutError, FailureKind.TIMEOUT),
    (aiohttp.ClientConnectorError, FailureKind.CONNECT),
    (aiohttp.ServerFingerprintMismatch, FailureKind.CONNECT),
    (aiohttp.ServerDisconnectedError, FailureKind.CUT_STREAM),
    (aiohttp.ClientPayloadError, FailureKind.CUT_STREAM),
    (aiohttp.ClientOSError, FailureKind.CUT_STREAM),
    (aiohttp.InvalidURL, FailureKind.CONNECT),
    (aiohttp.ClientResponseError, FailureKind.BAD_RESPONSE),
    (aiohttp.ClientConnectionError, FailureKind.CUT_STREAM),
    (OSError, FailureKind.CUT_STREAM),
)


def from_exception(error: BaseException) -> AttemptFailure:
    """The failure that an exception of the HTTP client stands for."""
    kind = FailureKind.BAD_RESPONSE
    for raised, meaning in _EXCEPTIONS:
        if isinstance(error, raised):
            kind = meaning
            break
    number = (error.errno or 0) if isinstance(error, OSError) else 0
    named = f" ({errno.errorcode[number]})" if number in errno.errorcode else ""
    return AttemptFailure(kind=kind, detail=f"{type(error).__name__}{named}")


def from_response(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float
) -> AttemptFailure:
    """The failure that a non-2xx answer stands for; `now` is epoch seconds."""
    return vendor_failure(status, body, retry_after=retry_after(headers, now=now))


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or an HTTP date)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    told = headers.get("retry-after")
    seconds = _number(told)
    if seconds is not None or told is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < 1e9 else None
