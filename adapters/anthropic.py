"""Anthropic Messages, as the official SDK calls it. No options."""

from __future__ import annotations

from adapters.base import Adapter
from adapters.prepared import CHAT, PreparedAdapter, check_options
from adapters.sdk import CapturingTransport, captured_call
from adapters.transport import PreparedCall, Transport
from gateway.core.deployment import Deployment

_BASE_URL = "https://api.anthropic.com"


def open_adapter(deployment: Deployment, transport: Transport) -> Adapter:
    """Make the adapter of one deployment.

    Raises:
        ValueError: an option is given, the key is missing or the URL is unusable.
    """
    check_options(deployment, frozenset())
    return PreparedAdapter(
        deployment,
        transport,
        {CHAT: _prepare(deployment)},
        wire="anthropic_messages",
        cap_field="max_tokens",
    )


def _prepare(deployment: Deployment) -> PreparedCall:
    # Imported here because it takes about a second, which a gateway without such a deployment
    # should not spend.
    import anthropic
    import httpx2

    if deployment.api_key is None:
        raise ValueError(f"deployment '{deployment.name}': adapter 'anthropic' needs an api_key")
    capturing = CapturingTransport()
    with httpx2.Client(transport=capturing) as http_client:
        client = anthropic.Anthropic(
            base_url=(deployment.base_url or _BASE_URL).rstrip("/").removesuffix("/v1"),
            api_key=deployment.api_key.value,
            http_client=http_client,
            max_retries=0,
        )
        client.messages.create(model=deployment.model, max_tokens=1, messages=[])
    return captured_call(capturing, deployment.headers)
