"""Which adapters exist: the only place that names a concrete one.

An adapter's module is imported when the first deployment of it is opened. A vendor that differs
in URL and headers only is a row in `adapters/profiles/*.toml`, and its name may be used in place
of an adapter's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module, resources
from pathlib import Path
from types import MappingProxyType

import msgspec

from adapters.base import Adapter
from adapters.transport import Transport
from gateway.core.deployment import SHIPPED_ADAPTERS, AdapterFacts, Deployment


class AdapterRow(msgspec.Struct, frozen=True, kw_only=True):
    """How one adapter is opened; what a policy must know of it stands in `SHIPPED_ADAPTERS`.

    `opens` is `module:function`; `wire` is the format its backend speaks and `cap_field` where
    that format takes the output cap; `local` adapters run a worker on this machine and are
    given the run directory.
    """

    name: str
    opens: str
    wire: str
    cap_field: str
    local: bool = False


ADAPTERS: Mapping[str, AdapterRow] = MappingProxyType(
    {
        row.name: row
        for row in (
            AdapterRow(
                name="openai",
                opens="adapters.openai:open_adapter",
                wire="openai_chat",
                cap_field="max_completion_tokens",
            ),
            AdapterRow(
                name="anthropic",
                opens="adapters.anthropic:open_adapter",
                wire="anthropic_messages",
                cap_field="max_tokens",
            ),
            AdapterRow(
                name="openai_compatible",
                opens="adapters.openai_compatible:open_adapter",
                wire="openai_chat",
                cap_field="max_tokens",
            ),
            AdapterRow(
                name="ollama_native",
                opens="adapters.ollama:open_adapter",
                wire="ollama_chat",
                cap_field="num_predict",
            ),
            AdapterRow(
                name="text_completion",
                opens="adapters.text_completion:open_adapter",
                wire="text_completion",
                cap_field="max_tokens",
            ),
            AdapterRow(
                name="ctransformers",
                opens="adapters.ctransformers.adapter:open_adapter",
                wire="openai_chat",
                cap_field="max_tokens",
                local=True,
            ),
        )
    }
)


class VendorProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vendor or runtime as data: what a deployment need not repeat.

    `checked` is the day on which `source` was read. `options` are the adapter's own settings.
    """

    adapter: str
    title: str
    checked: str
    source: str
    base_url: str = ""
    self_hosted: bool = False
    needs_key: bool = False
    key_variable: str = ""
    notes: str = ""
    options: dict[str, str] = {}


def load_profiles() -> dict[str, VendorProfile]:
    """Read the vendor rows that ship with the package.

    Raises:
        ValueError: a file is not what it should be (a mistake in the installation).
    """
    rows: dict[str, VendorProfile] = {}
    for file in resources.files("adapters").joinpath("profiles").iterdir():
        if file.name.endswith(".toml"):
            for name, row in tomllib.loads(file.read_text(encoding="utf-8")).items():
                rows[name] = msgspec.convert(row, VendorProfile)
    return rows


def adapter_facts() -> Mapping[str, AdapterFacts]:
    """What a policy must know of every adapter and vendor profile that it may name."""
    facts = dict(SHIPPED_ADAPTERS)
    for name, profile in load_profiles().items():
        facts[name] = AdapterFacts(
            name=name,
            needs_api_key=profile.needs_key,
            needs_base_url=not profile.base_url,
            key_variable=profile.key_variable,
            default_base_url=profile.base_url,
            self_hosted=profile.self_hosted,
            provider=name,
        )
    return MappingProxyType(facts)


def open_adapter(deployment: Deployment, transport: Transport, *, run_dir: Path) -> Adapter:
    """Make the adapter that a deployment names.

    Args:
        deployment: what to call; `adapter` is an adapter's or a vendor profile's name.
        transport: the seam that every adapter sends through.
        run_dir: where workers on this machine keep their sockets.

    Raises:
        ValueError: no such adapter, or the deployment lacks something that it needs.
    """
    row = ADAPTERS.get(deployment.adapter)
    if row is None:
        deployment = with_profile(deployment, load_profiles())
        row = ADAPTERS[deployment.adapter]
    facts = SHIPPED_ADAPTERS[row.name]
    if facts.needs_api_key and deployment.api_key is None:
        raise ValueError(
            f"deployment '{deployment.name}': adapter '{row.name}' needs an api_key, "
            f'for example api_key: "env:{facts.key_variable or "NAME"}"'
        )
    if facts.needs_base_url and not deployment.base_url:
        raise ValueError(f"deployment '{deployment.name}': adapter '{row.name}' needs a base_url")
    module, _, function = row.opens.partition(":")
    opens: Callable[..., Adapter] = getattr(import_module(module), function)
    return opens(deployment, transport, run_dir) if row.local else opens(deployment, transport)


def with_profile(deployment: Deployment, profiles: Mapping[str, VendorProfile]) -> Deployment:
    """The deployment with what its vendor profile adds; its own settings win.

    Raises:
        ValueError: `adapter` names neither an adapter nor a profile, or the key is missing.
    """
    profile = profiles.get(deployment.adapter)
    if profile is None:
        known = ", ".join([*ADAPTERS, *sorted(profiles)])
        raise ValueError(
            f"deployment '{deployment.name}': no adapter '{deployment.adapter}'; use one of: "
            f"{known}"
        )
    if profile.needs_key and deployment.api_key is None:
        hint = (
            f', for example api_key: "env:{profile.key_variable}"' if profile.key_variable else ""
        )
        raise ValueError(f"deployment '{deployment.name}': {profile.title} needs an api_key{hint}")
    own = {name for name, _ in deployment.options}
    added = tuple((name, text) for name, text in profile.options.items() if name not in own)
    return msgspec.structs.replace(
        deployment,
        adapter=profile.adapter,
        base_url=deployment.base_url or profile.base_url,
        options=(*deployment.options, *added),
    )
