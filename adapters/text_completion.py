"""Servers that complete plain text: older ones, and models that were never taught to chat.

Conversations become text by a chat template. Options:

    chat_template     `chatml`, `llama-2`, `plain` (the default) or the path of a Jinja file
    bos_token, eos_token
                      texts that the template writes under these names
    completions_path  path after the base URL (/completions)
    cap_field         the field of the output cap (max_tokens)
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapters.base import Adapter
from adapters.prepared import PreparedAdapter, check_options, own_headers, text_option
from adapters.transport import Transport, prepare_call
from gateway.core.deployment import Deployment
from gateway.wire.chat_template import BUILT_IN, TemplateFailed
from gateway.wire.text_completion.prompt import make_format

_OPTIONS = frozenset("chat_template bos_token eos_token completions_path cap_field".split())
#: Larger files are no templates; in bytes.
_LARGEST_TEMPLATE = 256 * 1024


def open_adapter(deployment: Deployment, transport: Transport) -> Adapter:
    """Make the adapter of one deployment; the key is optional.

    Raises:
        ValueError: an option is unknown, the template cannot be used or the URL is missing.
    """
    check_options(deployment, _OPTIONS)
    if not deployment.base_url:
        raise ValueError(f"deployment '{deployment.name}': set base_url, the URL up to /v1")
    path = text_option(deployment, "completions_path", "/completions")
    headers: list[tuple[str, str]] = []
    if deployment.api_key is not None:
        headers.append(("Authorization", f"Bearer {deployment.api_key.value}"))
    headers.extend(own_headers(deployment))
    call = prepare_call(deployment.base_url.rstrip("/") + path, headers)
    return PreparedAdapter(
        _with_template(deployment),
        transport,
        # Clients of the same API pass through: they write their prompts themselves.
        {"text_completion": call, "openai_completions": call},
        wire="text_completion",
        cap_field=text_option(deployment, "cap_field", "max_tokens"),
    )


def _with_template(deployment: Deployment) -> Deployment:
    """The deployment with its template's source in place of a file's path, checked once."""
    named = text_option(deployment, "chat_template", "plain")
    source = named if named in BUILT_IN else _read(deployment, named)
    tokens = (text_option(deployment, name) for name in ("bos_token", "eos_token"))
    try:
        make_format(source, *tokens).text([{"role": "user", "content": "Hello"}])
    except TemplateFailed as error:
        raise ValueError(f"deployment '{deployment.name}': {error}") from None
    others = tuple(option for option in deployment.options if option[0] != "chat_template")
    return msgspec.structs.replace(deployment, options=(*others, ("chat_template", source)))


def _read(deployment: Deployment, path: str) -> str:
    try:
        content = Path(path).read_bytes()
        source = content.decode("utf-8")
    except (OSError, ValueError):
        known = ", ".join(BUILT_IN)
        raise ValueError(
            f"deployment '{deployment.name}': chat_template '{path}' is neither one of {known} "
            "nor a readable file"
        ) from None
    if len(content) > _LARGEST_TEMPLATE:
        raise ValueError(
            f"deployment '{deployment.name}': chat_template '{path}' is larger than "
            f"{_LARGEST_TEMPLATE} bytes"
        )
    return source
