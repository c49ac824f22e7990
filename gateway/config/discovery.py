"""Looks for what can serve on this machine: model servers on loopback and API keys.

Rules of this file:
- only loopback addresses are asked, all at once, and each for a moment only;
- nothing but a plain GET is sent: no key, no token, no cookie, no proxy, no redirect;
- what a server answers is a claim: sizes are bounded and names are checked;
- loopback is not enough to be trusted with everything: a model that its server fetches from
  elsewhere is passed over, and a server that is not what its port promises may be a proxy.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from gateway.config.first_policy import (
    API_PROVIDERS,
    ApiAccess,
    LocalModel,
    policy_text,
    write_once,
)

#: How long one server may take to answer, in seconds.
PROBE_SECONDS = 0.3
#: Bounds on an answer: bytes, and models that one server may list.
_LARGEST_ANSWER = 1_000_000
_MOST_MODELS = 20

#: Models that answer no chats.
_NOT_CHAT = re.compile(
    r"embed|rerank|whisper|bge-|gte-|e5-|minilm|clip|tts|moderation|nomic-bert|transcribe",
    re.IGNORECASE,
)
_MODEL_NAME = re.compile(r"[\w./][\w.:/@+\- ]{0,159}", re.ASCII)
#: Who owns a model by the word of each runtime's own server.
_OWNERS = {
    "vllm": frozenset(("vllm",)),
    "lmstudio": frozenset(("organization_owner", "lmstudio", "organization-owner")),
    "llamacpp": frozenset(("llamacpp",)),
}
_PARAMETERS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([BM])", re.IGNORECASE)


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where each runtime listens by default; llama.cpp's own 8080 is the gateway's."""

    ollama: int = 11434
    lmstudio: int = 1234
    vllm: int = 8000
    llamacpp: int = 8081


class Discovered(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, the policy made of it, and sentences for whoever started the gateway."""

    local: tuple[LocalModel, ...]
    apis: tuple[ApiAccess, ...]
    text: str
    notes: tuple[str, ...]

    def write(self, path: Path) -> bool:
        """Write the policy unless a file is there already; says whether it was written.

        Raises:
            OSError: the folder cannot be written to.
        """
        return write_once(path, self.text)


async def discover(
    environ: Mapping[str, str], ports: Ports | None = None, *, seconds: float = PROBE_SECONDS
) -> Discovered:
    """Look for model servers and API keys and make a policy of them.

    Args:
        environ: the environment, for the vendors' keys and addresses.
        ports: where to look; None for the runtimes' own ports.
        seconds: how long one server may take to answer.
    """
    wanted = ports or Ports()
    async with httpx2.AsyncClient(
        timeout=seconds, trust_env=False, follow_redirects=False
    ) as client:
        answers = await asyncio.gather(
            _ollama(client, wanted.ollama),
            _listed(client, "lmstudio", "LM Studio", wanted.lmstudio),
            _listed(client, "vllm", "vLLM", wanted.vllm),
            _llamacpp(client, wanted.llamacpp),
        )
    local = tuple(model for models in answers for model in models)
    apis = tuple(
        ApiAccess(provider=provider, base_url=_base_url(environ, provider))
        for provider in API_PROVIDERS
        if environ.get(f"{provider.upper()}_API_KEY", "").strip()
    )
    return Discovered(
        local=local, apis=apis, text=policy_text(local, apis), notes=_notes(local, apis)
    )


def _base_url(environ: Mapping[str, str], provider: str) -> str:
    """The address that the vendor's own SDK would use, when the environment changes it."""
    given = environ.get(f"{provider.upper()}_BASE_URL", "").strip().rstrip("/")
    return given if re.fullmatch(r"https?://[\w.:\[\]/~%-]+", given) else ""


def _notes(local: tuple[LocalModel, ...], apis: tuple[ApiAccess, ...]) -> tuple[str, ...]:
    notes = [f"found {model.runtime_title}: {model.model}" for model in local]
    notes += [
        f"found {api.provider.upper()}_API_KEY: {api.provider} serves public and internal data"
        for api in apis
    ]
    if not notes:
        notes.append(
            "no model server and no API key was found, so only the built-in help model serves; "
            "start Ollama, vLLM, LM Studio or llama.cpp, or set OPENAI_API_KEY or "
            "ANTHROPIC_API_KEY, remove the written policy and start again"
        )
    return tuple(notes)


async def _ask(client: httpx2.AsyncClient, url: str) -> Any:
    """The JSON that a server answers, or None for anything else."""
    try:
        # The client's own limit is for each read; this one is for a server that drips.
        whole = 2 * (client.timeout.read or PROBE_SECONDS)
        async with asyncio.timeout(whole), client.stream("GET", url) as answer:
            if answer.status_code != 200:
                return None
            raw = bytearray()
            async for chunk in answer.aiter_raw():
                raw += chunk
                if len(raw) > _LARGEST_ANSWER:
                    return None
            return json.loads(raw)
    except (httpx2.HTTPError, TimeoutError, ValueError, RecursionError):
        return None


async def _ollama(client: httpx2.AsyncClient, port: int) -> list[LocalModel]:
    answer = await _ask(client, f"http://127.0.0.1:{port}/api/tags")
    found = []
    for row in _rows(answer, "models"):
        details = row.get("details")
        shape = details if isinstance(details, dict) else {}
        family = str(shape.get("family", ""))
        name = _chat_model(row.get("name") or row.get("model"))
        if name is None or _NOT_CHAT.search(family) or "bert" in family:
            continue
        # Ollama lists models of its cloud beside the local ones and sends their prompts there.
        if row.get("remote_host") or row.get("remote_model") or name.endswith("cloud"):
            continue
        size = _parameters(shape.get("parameter_size"))
        found.append(_local("ollama", "Ollama", port, name, parameters=size))
    return sorted(found, key=lambda model: -model.parameters)[:_MOST_MODELS]


async def _listed(
    client: httpx2.AsyncClient, runtime: str, title: str, port: int
) -> list[LocalModel]:
    """The models of a server with OpenAI's list, in its own order."""
    answer = await _ask(client, f"http://127.0.0.1:{port}/v1/models")
    found = []
    for row in _rows(answer, "data"):
        name = _chat_model(row.get("id"))
        if name is not None:
            owner = row.get("owned_by", "")
            model = _local(
                runtime,
                title,
                port,
                name,
                context_tokens=_tokens(row.get("max_model_len")),
                trusted=not owner or owner in _OWNERS[runtime],
            )
            found.append(model)
    return found[:_MOST_MODELS]


async def _llamacpp(client: httpx2.AsyncClient, port: int) -> list[LocalModel]:
    found = await _listed(client, "llamacpp", "llama.cpp server", port)
    if not found:
        return []
    props = await _ask(client, f"http://127.0.0.1:{port}/props")
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    context = _tokens(settings.get("n_ctx")) if isinstance(settings, dict) else 0
    return [msgspec.structs.replace(model, context_tokens=context) for model in found]


def _rows(answer: Any, key: str) -> list[dict[str, Any]]:
    rows = answer.get(key) if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _chat_model(name: Any) -> str | None:
    if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name) or _NOT_CHAT.search(name):
        return None
    return name


def _parameters(text: Any) -> float:
    """Parameters in billions, 0 where unknown."""
    matched = _PARAMETERS.fullmatch(text.strip()) if isinstance(text, str) else None
    if matched is None:
        return 0.0
    return float(matched.group(1)) / (1 if matched.group(2).upper() == "B" else 1000)


def _tokens(number: Any) -> int:
    fine = isinstance(number, int) and not isinstance(number, bool) and 0 < number <= 100_000_000
    return number if fine else 0


def _local(
    runtime: str,
    title: str,
    port: int,
    model: str,
    *,
    parameters: float = 0.0,
    context_tokens: int = 0,
    trusted: bool = True,
) -> LocalModel:
    return LocalModel(
        runtime=runtime,
        runtime_title=title,
        base_url=f"http://127.0.0.1:{port}/v1",
        model=model,
        parameters=parameters,
        context_tokens=context_tokens,
        trusted=trusted,
    )
