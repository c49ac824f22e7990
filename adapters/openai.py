"""OpenAI and Azure OpenAI, as the official SDK calls them.

Options: `organization`, `project`, and `api_version`, which makes it Azure: `base_url` is then
the resource's endpoint and `model` the name of the Azure deployment. `wire: openai_responses` is
for models that no other API serves: requests of all others are translated to it.
`prompt_cache: breakpoints` is for models that take marks on content (gpt-5.6 and later): marks of
other APIs become theirs; `key` (the default) tells only which requests share a beginning.
"""

from __future__ import annotations

import re

from adapters.base import Adapter
from adapters.prepared import (
    PreparedAdapter,
    caching_option,
    check_options,
    own_headers,
    text_option,
    wire_option,
)
from adapters.sdk import CapturingTransport, captured_call
from adapters.transport import PreparedCall, Transport
from gateway.core.deployment import SHIPPED_ADAPTERS, Deployment

_OPTIONS = frozenset({"organization", "project", "api_version", "wire", "prompt_cache"})

# OpenAI's chat models refuse the legacy endpoint, so for them a plain prompt is translated. On
# Azure the model's name is the customer's own and tells nothing.
_COMPLETES_TEXT = re.compile(r"instruct|davinci|babbage")


def open_adapter(deployment: Deployment, transport: Transport) -> Adapter:
    """Make the adapter of one deployment.

    Raises:
        ValueError: an option is unknown, the key is missing or the URL is unusable.
    """
    check_options(deployment, _OPTIONS)
    wire = wire_option(deployment)
    calls = _prepare(deployment)
    if wire == "openai_responses":
        calls = {wire: calls[wire]}
    return PreparedAdapter(
        deployment,
        transport,
        calls,
        wire=wire,
        cap_field="max_completion_tokens",
        caching=caching_option(deployment, "key"),
    )


def _prepare(deployment: Deployment) -> dict[str, PreparedCall]:
    # Imported here because it takes about a second, which a gateway without such a deployment
    # should not spend.
    import httpx2
    import openai

    if deployment.api_key is None:
        raise ValueError(f"deployment '{deployment.name}': adapter 'openai' needs an api_key")
    capturing = CapturingTransport()
    organization = text_option(deployment, "organization") or None
    project = text_option(deployment, "project") or None
    version = text_option(deployment, "api_version")
    with httpx2.Client(transport=capturing) as http_client:
        client: openai.OpenAI
        if version:
            if not deployment.base_url or project:
                raise ValueError(
                    f"deployment '{deployment.name}': Azure needs a base_url and has no project"
                )
            client = openai.AzureOpenAI(
                azure_endpoint=deployment.base_url,
                api_version=version,
                api_key=deployment.api_key.value,
                organization=organization,
                http_client=http_client,
                max_retries=0,
            )
        else:
            client = openai.OpenAI(
                base_url=deployment.base_url or SHIPPED_ADAPTERS["openai"].default_base_url,
                api_key=deployment.api_key.value,
                organization=organization,
                project=project,
                http_client=http_client,
                max_retries=0,
            )
        headers = own_headers(deployment)
        client.chat.completions.create(model=deployment.model, messages=[])
        calls = {"openai_chat": captured_call(capturing, headers)}
        client.responses.create(model=deployment.model, input="")
        calls["openai_responses"] = captured_call(capturing, headers)
        if version or _COMPLETES_TEXT.search(deployment.model):
            client.completions.create(model=deployment.model, prompt="")
            calls["openai_completions"] = captured_call(capturing, headers)
        client.embeddings.create(model=deployment.model, input="", encoding_format="float")
        calls["openai_embeddings"] = captured_call(capturing, headers)
    return calls
