"""Lets an official SDK prepare a call without making it.

The SDK is given a transport that keeps the request instead of sending it, so URL, version
headers and authentication are the vendor's own and stay right when the SDK is updated.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from adapters.transport import PreparedCall, prepare_call

# They belong to one connection or one body, not to the credential; compression is declined by
# `prepare_call` so that tokens are not held back.
_PER_CALL = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
)


class CapturingTransport(httpx2.BaseTransport):
    """Keeps the last request and answers with an empty object; opens no socket."""

    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Keep the request."""
        self.request = request
        return httpx2.Response(200, json={})


def captured_call(
    capturing: CapturingTransport, extra_headers: tuple[tuple[str, str], ...]
) -> PreparedCall:
    """The kept request as a prepared call, with the deployment's own headers on top.

    Raises:
        ValueError: the SDK sent nothing, or its URL cannot be used.
    """
    if capturing.request is None:
        raise ValueError("the SDK prepared no request")
    headers = [*_lasting(capturing.request), *extra_headers]
    return prepare_call(str(capturing.request.url), headers)


def _lasting(request: httpx2.Request) -> Iterator[tuple[str, str]]:
    for name, text in request.headers.items():
        if name.lower() not in _PER_CALL:
            yield name, text
