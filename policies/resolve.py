"""Fills in what a deployment leaves out: by its adapter, its vendor and the price book."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from gateway.core.deployment import AdapterFacts, Secret
from gateway.core.money import MILLION, usd_to_nano
from gateway.core.prices import Machine, Price, discounted, gpu_hour_price
from policies.model.deployments import DeploymentStatement, PriceStatement
from policies.model.file import PolicyFile


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


def price_of(
    statement: DeploymentStatement, resolved: Resolved, prices: PriceLookup
) -> Price | str:
    """The price of a deployment, or the words that say what is missing.

    Figures of the file win over the price book; classes that nobody priced cost what input
    costs, so that nothing is free by omission. The list price is kept beside an agreed one.
    """
    listed = prices(resolved.provider, statement.model)
    written = statement.price
    if written is None:
        return listed if listed is not None else "no price is known for it"
    by_hour = (written.gpu_hour_usd, written.tokens_per_second, written.utilisation)
    if any(figure is not None for figure in by_hour):
        price = _price_by_hour(written)
    elif written.discount is not None:
        price = _price_by_discount(written, listed)
    else:
        price = _price_by_tokens(written, listed)
    if isinstance(price, str):
        return price
    return msgspec.structs.replace(price, revision=_revision(written, listed))


def unpriced_of(policy: PolicyFile, known: Known) -> frozenset[str]:
    """The deployments that nobody knows the price of."""
    return frozenset(
        one.name
        for one in policy.deployments
        if isinstance(price_of(one, resolve(one, known.adapters), known.prices), str)
    )


def _price_by_tokens(written: PriceStatement, listed: Price | None) -> Price | str:
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
    searches = listed.web_search if listed is not None else None
    return Price(
        input=input_price,
        output=output_price,
        cached_input=_given(written.cached_input_usd_per_mtok, cached),
        cache_write=_given(written.cache_write_usd_per_mtok, cache_write),
        per_request=_given(written.per_request_usd, listed.per_request if listed else 0),
        cache_write_1h=_nano(written.cache_write_1h_usd_per_mtok),
        reasoning=_nano(written.reasoning_usd_per_mtok),
        input_audio=_nano(written.input_audio_usd_per_mtok),
        output_audio=_nano(written.output_audio_usd_per_mtok),
        input_image=_nano(written.input_image_usd_per_mtok),
        output_image=_nano(written.output_image_usd_per_mtok),
        web_search=searches if written.web_search_usd is None else _searches(written),
        source=f"policy over {listed.source}" if listed and overlaid else "policy",
        listed=listed,
    )


def _price_by_discount(written: PriceStatement, listed: Price | None) -> Price | str:
    if written.discount is None or listed is None:
        return "a discount is off the price book, which does not know this model"
    if written.input_usd_per_mtok is not None or written.output_usd_per_mtok is not None:
        return "its price is either a discount or figures, not both"
    off = f"{written.discount * 100:f}".rstrip("0").rstrip(".")
    agreed = discounted(listed, written.discount)
    return msgspec.structs.replace(agreed, source=f"policy: {off} % off {listed.source}")


def _price_by_hour(written: PriceStatement) -> Price | str:
    hour, speed, busy = written.gpu_hour_usd, written.tokens_per_second, written.utilisation
    if hour is None or speed is None or busy is None:
        return "its price needs gpu_hour_usd, tokens_per_second and utilisation together"
    if written.input_usd_per_mtok is not None or written.output_usd_per_mtok is not None:
        return "its price is either by the hour or by the token, not both"
    reading = written.input_tokens_per_second or speed
    each, read = gpu_hour_price(hour, speed, busy), gpu_hour_price(hour, reading, busy)
    return Price(
        input=read,
        output=each,
        cached_input=read,
        cache_write=read,
        per_request=_given(written.per_request_usd, 0),
        source=f"policy: ${hour} an hour at {speed} tokens a second, {busy} busy",
        machine=Machine(
            hour_nanousd=usd_to_nano(hour),
            input_tokens_per_second=float(reading),
            output_tokens_per_second=float(speed),
            utilisation=float(busy),
        ),
    )


def _revision(written: PriceStatement, listed: Price | None) -> str:
    """The price book's revision where it counts, and a hash of what the file says."""
    figures = msgspec.structs.asdict(written)
    meant = {name: str(held) for name, held in figures.items() if name != "at" and held is not None}
    own = sha256(msgspec.json.encode(meant, order="deterministic")).hexdigest()[:8]
    return f"{listed.revision}+{own}" if listed is not None else f"policy+{own}"


def _searches(written: PriceStatement) -> int | None:
    return None if written.web_search_usd is None else usd_to_nano(written.web_search_usd) * MILLION


def _nano(figure: Decimal | None) -> int | None:
    return None if figure is None else usd_to_nano(figure)


def _given(figure: Decimal | None, otherwise: int) -> int:
    return otherwise if figure is None else usd_to_nano(figure)
