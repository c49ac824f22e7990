"""Any server that speaks OpenAI chat completions, by base URL and headers.

vLLM, Ollama, LM Studio, llama.cpp, TGI, `transformers serve`, Mistral, Azure and gateways in
front of SageMaker or Vertex differ in URL, query and the header that carries the key only, and
these are options:

    chat_path    path after the base URL; empty when the base URL is the whole URL
    completions_path, embeddings_path
                 likewise for these endpoints; empty for a server that has none
    responses_path
                 for servers that speak OpenAI's Responses; without it such requests are translated
    wire         openai_responses for servers that speak nothing else; requests of all other APIs
                 are translated to it
    query        query string, such as `api-version=2024-10-21`
    auth_header  the header that carries the key (Authorization)
    auth_scheme  the word before the key (Bearer); empty for the bare key
    cap_field    the field of the output cap (max_tokens)
    schema       `guided` for a server that knows no `response_format`: schemas are told in words
                 and answers checked against them (native)
    prompt_cache `key` for a server that takes `prompt_cache_key`, `breakpoints` for one that also
                 takes `prompt_cache_breakpoint` on content (none)
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.prepared import (
    PreparedAdapter,
    caching_option,
    check_options,
    own_headers,
    text_option,
    wire_option,
)
from adapters.transport import Transport, prepare_call
from gateway.core.deployment import Deployment

_OPTIONS = frozenset(
    (
        "chat_path completions_path embeddings_path responses_path query auth_header "
        "auth_scheme cap_field wire schema prompt_cache"
    ).split()
)


def open_adapter(deployment: Deployment, transport: Transport) -> Adapter:
    """Make the adapter of one deployment; the key is optional.

    Raises:
        ValueError: an option is unknown or the URL is missing or unusable.
    """
    check_options(deployment, _OPTIONS)
    if not deployment.base_url:
        raise ValueError(f"deployment '{deployment.name}': set base_url, the URL up to /v1")
    wire = wire_option(deployment)
    paths = {
        "openai_chat": text_option(deployment, "chat_path", "/chat/completions"),
        "openai_completions": text_option(deployment, "completions_path", "/completions"),
        "openai_embeddings": text_option(deployment, "embeddings_path", "/embeddings"),
        "openai_responses": text_option(deployment, "responses_path"),
    }
    if wire == "openai_responses":
        paths = {wire: paths[wire] or "/responses"}
    elif _is_guided(deployment):
        wire = "openai_chat_guided"
        paths[wire] = paths.pop("openai_chat")
    query = text_option(deployment, "query").lstrip("?")
    headers: list[tuple[str, str]] = []
    if deployment.api_key is not None:
        scheme = text_option(deployment, "auth_scheme", "Bearer")
        carried = f"{scheme} {deployment.api_key.value}".strip()
        headers.append((text_option(deployment, "auth_header", "Authorization"), carried))
    headers.extend(own_headers(deployment))
    return PreparedAdapter(
        deployment,
        transport,
        {
            name: prepare_call(_url(deployment.base_url, path, query), headers)
            for name, path in paths.items()
            if path or name == wire
        },
        wire=wire,
        cap_field=text_option(deployment, "cap_field", "max_tokens"),
        caching=caching_option(deployment, "none"),
    )


def _is_guided(deployment: Deployment) -> bool:
    schema = text_option(deployment, "schema", "native")
    if schema not in ("native", "guided"):
        raise ValueError(f"deployment '{deployment.name}': option 'schema' is native or guided")
    return schema == "guided"


def _url(base_url: str, path: str, query: str) -> str:
    url = base_url.rstrip("/") + path
    return url + (("&" if "?" in url else "?") + query if query else "")
