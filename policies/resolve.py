"""Fills in what a deployment leaves out: by its adapter, its vendor and the price book."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.core.deployment import AdapterFacts, Secret
from gateway.core.money import usd_to_nano
from gateway.core.prices import Price, gpu_hour_price
from policies.model.deployments import DeploymentStatement, PriceStatement


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


def price_of(
    statement: DeploymentStatement, resolved: Resolved, prices: PriceLookup
) -> Price | str:
    """The price of a deployment, or the words that say what is missing.

    Figures of the file win over the price book; classes that nobody priced cost what input
    costs, so that nothing is free by omission.
    """
    listed = prices(resolved.provider, statement.model)
    written = statement.price
    if written is None:
        return listed if listed is not None else "no price is known for it"
    by_hour = (written.gpu_hour_usd, written.tokens_per_second, written.utilisation)
    if any(figure is not None for figure in by_hour):
        return _price_by_hour(written)
    own_input, own_output = _nano(written.input_usd_per_mtok), _nano(written.output_usd_per_mtok)
    input_price, output_price = own_input, own_output
    if listed is not None:
        input_price = listed.input if own_input is None else own_input
        output_price = listed.output if own_output is None else own_output
    if input_price is None or output_price is None:
        return "its price needs input_usd_per_mtok and output_usd_per_mtok"
    # The list's cache prices belong to the list's input price, not to one the file changed.
    cached = cache_write = input_price
    if listed is not None and own_input is None:
        cached, cache_write = listed.cached_input, listed.cache_write
    overlaid = listed is not None and (own_input is None or own_output is None)
    return Price(
        input=input_price,
        output=output_price,
        cached_input=_given(written.cached_input_usd_per_mtok, cached),
        cache_write=_given(written.cache_write_usd_per_mtok, cache_write),
        per_request=_given(written.per_request_usd, listed.per_request if listed else 0),
        source=f"policy over {listed.source}" if listed and overlaid else "policy",
        revision=listed.revision if listed and overlaid else "",
    )


def _price_by_hour(written: PriceStatement) -> Price | str:
    hour, speed, busy = written.gpu_hour_usd, written.tokens_per_second, written.utilisation
    if hour is None or speed is None or busy is None:
        return "its price needs gpu_hour_usd, tokens_per_second and utilisation together"
    if written.input_usd_per_mtok is not None or written.output_usd_per_mtok is not None:
        return "its price is either by the hour or by the token, not both"
    each = gpu_hour_price(hour, speed, busy)
    return Price(
        input=each,
        output=each,
        cached_input=each,
        cache_write=each,
        per_request=_given(written.per_request_usd, 0),
        source=f"policy: ${hour} an hour at {speed} tokens a second, {busy} busy",
    )


def _nano(figure: Decimal | None) -> int | None:
    return None if figure is None else usd_to_nano(figure)


def _given(figure: Decimal | None, otherwise: int) -> int:
    return otherwise if figure is None else usd_to_nano(figure)
