"""Fills in what a deployment leaves out: by its adapter and its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.core.deployment import AdapterFacts, Secret
from gateway.core.prices import Price
from policies.model.deployments import DeploymentStatement


class PriceLookup(Protocol):
    """The price book: what a provider's model costs, or None where it does not know it."""

    def __call__(self, provider: str, model: str, /) -> Price | None:
        """The list price today."""
        ...


class SecretLookup(Protocol):
    """Resolves `env:NAME` and `file:PATH` at the edge; None where nothing is there."""

    def __call__(self, reference: str, /) -> Secret | None:
        """The secret."""
        ...


class TermsLookup(Protocol):
    """Reads a file of terms at the edge; None where there is none that can be used."""

    def __call__(self, path: str, /) -> tuple[str, ...] | None:
        """The terms, as they stand on its lines."""
        ...


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the surroundings know and a policy file does not say: adapters and list prices."""

    adapters: Mapping[str, AdapterFacts]
    prices: PriceLookup


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment with everything that its adapter or vendor adds."""

    name: str
    adapter: str
    provider: str
    model: str
    base_url: str
    self_hosted: bool
    capabilities: frozenset[str]
    clearance: int
    zone: str = ""
    context_tokens: int = 0


def resolve(statement: DeploymentStatement, adapters: Mapping[str, AdapterFacts]) -> Resolved:
    """The deployment filled in; an unknown adapter adds nothing."""
    kind = adapters.get(statement.adapter) or AdapterFacts(name=statement.adapter)
    vendor = adapters.get(statement.provider) or kind
    provider = statement.provider or kind.provider or kind.name
    base_url = statement.base_url or vendor.default_base_url or kind.default_base_url
    self_hosted = statement.self_hosted
    if self_hosted is None:
        self_hosted = is_loopback(base_url) or (
            kind.self_hosted and (not base_url or base_url == kind.default_base_url)
        )
    given = statement.capabilities
    return Resolved(
        name=statement.name,
        adapter=statement.adapter,
        provider=provider,
        model=statement.model,
        base_url=base_url,
        self_hosted=self_hosted,
        capabilities=kind.capabilities if given is None else frozenset(given),
        clearance=int(statement.clearance.level),
        zone=statement.zone,
        context_tokens=statement.context_tokens,
    )


def is_loopback(base_url: str) -> bool:
    """Whether an address stays on this machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
