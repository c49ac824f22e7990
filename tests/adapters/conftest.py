"""What the adapter tests share: a transport, a deployment and bytes to send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Adapter, Outbound
from adapters.registry import open_adapter
from adapters.transport import Transport
from gateway.core.deployment import Deployment, Secret
from gateway.core.prices import Price
from gateway.core.sensitivity import Sensitivity

KEY = "sk-adapters-secret-value"
BODY = b'{"model": "m",  "big": 123456789012345678901234567890, "x": 1e400, "u": "\\u00e9\xc3\xa9"}'


def deployment_at(url: str, adapter: str = "openai_compatible", **changes: Any) -> Deployment:
    """A deployment of that adapter at that URL, cleared for internal data."""
    settings: dict[str, Any] = {
        "name": "frontier",
        "adapter": adapter,
        "model": "some-model",
        "clearance": Sensitivity.INTERNAL,
        "price": Price(input=1, output=1, cached_input=1, cache_write=1),
        "base_url": url,
        "api_key": Secret(KEY),
    }
    return Deployment(**{**settings, **changes})


def outbound(body: bytes = BODY, **changes: Any) -> Outbound:
    """Bytes to send, labelled public."""
    settings: dict[str, Any] = {
        "body": body,
        "sensitivity": Sensitivity.PUBLIC,
        "stream": False,
        "request_id": "req-1",
        "timeout_seconds": 5.0,
        "first_byte_seconds": 5.0,
    }
    return Outbound(**{**settings, **changes})


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """The seam, closed after the test."""
    seam = Transport()
    yield seam
    await seam.close()


@pytest.fixture
def opened(transport: Transport, tmp_path: Path) -> Callable[..., Adapter]:
    """Open an adapter through the registry, as the gateway does."""

    def open_(url: str, adapter: str = "openai_compatible", **changes: Any) -> Adapter:
        deployment = deployment_at(url, adapter, **changes)
        return open_adapter(deployment, transport, run_dir=tmp_path)

    return open_
