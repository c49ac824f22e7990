"""Ollama by its own chat API, which tells more than its imitation of OpenAI's.

Thinking, schemas and prompts that do not fit are the API's own matters there. `base_url` is the
server's address without a path. Embeddings go to the endpoint that imitates OpenAI's.

Option `num_ctx`: the context that the model is loaded with, in tokens. A prompt that does not fit
is an error, never cut in silence, so set it where the server's own default is small.
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.prepared import PreparedAdapter, check_options, own_headers
from adapters.transport import Transport, prepare_call
from gateway.core.deployment import SHIPPED_ADAPTERS, Deployment
from gateway.wire.ollama_chat.encode import OPTIONS


def open_adapter(deployment: Deployment, transport: Transport) -> Adapter:
    """Make the adapter of one deployment; the key is optional (ollama.com asks for one).

    Raises:
        ValueError: an option is unknown or wrong, or the URL is unusable.
    """
    check_options(deployment, OPTIONS)
    size = deployment.option("num_ctx", 1)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"deployment '{deployment.name}': option 'num_ctx' is a number of tokens")
    base_url = deployment.base_url or SHIPPED_ADAPTERS["ollama_native"].default_base_url
    root = base_url.rstrip("/").removesuffix("/v1").removesuffix("/api")
    headers: list[tuple[str, str]] = []
    if deployment.api_key is not None:
        headers.append(("Authorization", f"Bearer {deployment.api_key.value}"))
    headers.extend(own_headers(deployment))
    return PreparedAdapter(
        deployment,
        transport,
        {
            "ollama_chat": prepare_call(f"{root}/api/chat", headers),
            "openai_embeddings": prepare_call(f"{root}/v1/embeddings", headers),
        },
        wire="ollama_chat",
        cap_field="num_predict",
    )
