"""Anthropic Messages, as the official SDK calls it.

Option `api_version`: `2023-06-01` is the one that still takes `temperature` and `top_p`; without
it the SDK's own version is sent, which refuses them.
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.prepared import PreparedAdapter, check_options, own_headers, text_option
from adapters.sdk import CapturingTransport, captured_call
from adapters.transport import PreparedCall, Transport
from gateway.core.deployment import SHIPPED_ADAPTERS, Deployment

#: The API version before sampling parameters were removed.
_WITH_SAMPLING = "2023-06-01"


def open_adapter(deployment: Deployment, transport: Transport) -> Adapter:
    """Make the adapter of one deployment.

    Raises:
        ValueError: an option is unknown, the key is missing or the URL is unusable.
    """
    check_options(deployment, frozenset({"api_version"}))
    older = text_option(deployment, "api_version") == _WITH_SAMPLING
    wire = "anthropic_messages_2023_06_01" if older else "anthropic_messages"
    call = _prepare(deployment)
    return PreparedAdapter(
        deployment,
        transport,
        # Clients of either version pass through under the version header that they sent.
        {"anthropic_messages": call, wire: call},
        wire=wire,
        cap_field="max_tokens",
    )


def _prepare(deployment: Deployment) -> PreparedCall:
    # Imported here because it takes about a second, which a gateway without such a deployment
    # should not spend.
    import anthropic
    import httpx2

    if deployment.api_key is None:
        raise ValueError(f"deployment '{deployment.name}': adapter 'anthropic' needs an api_key")
    version = text_option(deployment, "api_version")
    base_url = deployment.base_url or SHIPPED_ADAPTERS["anthropic"].default_base_url
    capturing = CapturingTransport()
    with httpx2.Client(transport=capturing) as http_client:
        client = anthropic.Anthropic(
            base_url=base_url.rstrip("/").removesuffix("/v1"),
            api_key=deployment.api_key.value,
            http_client=http_client,
            max_retries=0,
            default_headers={"anthropic-version": version} if version else None,
        )
        client.messages.create(model=deployment.model, max_tokens=1, messages=[])
    return captured_call(capturing, own_headers(deployment))
