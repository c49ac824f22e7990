"""The seam between the driver and every kind of backend, and the last guard before a socket.

The guard here knows nothing of routes or plans: it compares the sensitivity label that travels
with the bytes with the clearance of the deployment that is about to receive them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from gateway.core.deployment import Deployment
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.sensitivity import Sensitivity
from gateway.wire.base import Caching


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that are about to leave, with the sensitivity of what is in them.

    `timeout_seconds` bounds the whole attempt and `first_byte_seconds` the wait for response
    headers. `endpoint` is the wire that the bytes are in. `headers` are those of the client's
    that say how its bytes are meant (such as `anthropic-version`); they go out beside ours.
    """

    body: bytes
    sensitivity: Sensitivity
    stream: bool
    request_id: str
    timeout_seconds: float
    first_byte_seconds: float
    endpoint: str = "openai_chat"
    headers: tuple[tuple[str, str], ...] = ()


class Upstream(Protocol):
    """An open, successful (2xx) answer of a backend; always closed by whoever opened it."""

    status: int
    content_type: str

    @property
    def headers(self) -> Mapping[str, str]:
        """The backend's response headers, looked up in any case."""
        ...

    async def read(self) -> bytes | AttemptFailure:
        """The whole body, or why it could not be read to its end."""
        ...

    def chunks(self) -> AsyncIterator[bytes | AttemptFailure]:
        """Body bytes as they arrive; a failure, if one comes, is the last item."""
        ...

    async def close(self) -> None:
        """Give the connection back after the end, or break it off (which stops the backend)."""
        ...


class Adapter(Protocol):
    """Driver of one deployment.

    `wires` are the message formats that its backend takes as they are; `wire` is the one that
    requests in any other format are translated to. `cap_field` is the field in which an output
    cap goes out when the caller gave none, and `caching` what translated requests may say of the
    backend's prompt cache; see `gateway.wire.base.Sending`.
    """

    deployment: Deployment
    wire: str
    wires: frozenset[str]
    cap_field: str
    caching: Caching

    async def open(self, outbound: Outbound) -> Upstream | AttemptFailure:
        """Send the bytes and wait for the response headers; failures are returned."""
        ...

    async def close(self) -> None:
        """Give back what the adapter holds."""
        ...


def guard(outbound: Outbound, deployment: Deployment) -> AttemptFailure | None:
    """Refuse bytes that the deployment is not cleared for; every adapter asks before sending."""
    if outbound.sensitivity <= deployment.clearance:
        return None
    return AttemptFailure(
        kind=FailureKind.CLEARANCE,
        detail=(
            f"{outbound.sensitivity.label} data must not reach deployment "
            f"'{deployment.name}' (clearance {deployment.clearance.label})"
        ),
    )
