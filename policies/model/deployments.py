"""One entry of `deployments`, and its price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from policies.model.levels import StatedLevel
from policies.model.secrets import SecretReference
from policies.problems import Place

OptionValue = str | int | float | bool


class PriceStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A price as written: per-token figures, or a machine by the hour.

    Figures are US dollars per million tokens, except `per_request_usd` and `web_search_usd`
    (dollars a call, a search), `gpu_hour_usd` (dollars an hour), `tokens_per_second`,
    `input_tokens_per_second` and `utilisation` (share, 0..1]. `discount` (share, 0..1) is off
    every figure of the price book. It holds from the day `since`, midnight UTC; None is always.
    """

    at: Place
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    cache_write_1h_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None
    input_audio_usd_per_mtok: Decimal | None = None
    output_audio_usd_per_mtok: Decimal | None = None
    input_image_usd_per_mtok: Decimal | None = None
    output_image_usd_per_mtok: Decimal | None = None
    per_request_usd: Decimal | None = None
    web_search_usd: Decimal | None = None
    discount: Decimal | None = None
    gpu_hour_usd: Decimal | None = None
    tokens_per_second: Decimal | None = None
    input_tokens_per_second: Decimal | None = None
    utilisation: Decimal | None = None
    since: date | None = None


class DeploymentStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `deployments`; None and 0 mean that the file says nothing."""

    at: Place
    name: str
    adapter: str
    model: str
    clearance: StatedLevel
    provider: str = ""
    base_url: str = ""
    api_key: SecretReference | None = None
    headers: tuple[tuple[str, str | SecretReference], ...] = ()
    price: tuple[PriceStatement, ...] = ()
    self_hosted: bool | None = None
    context_tokens: int = 0
    max_output_tokens: int = 0
    capabilities: tuple[str, ...] | None = None
    retries: int | None = None
    timeout_seconds: Decimal | None = None
    first_byte_seconds: Decimal | None = None
    on_lossy: str | None = None
    zone: str = ""
    tokenizer: str = ""
    hold_bound: str = "proved"
    options: tuple[tuple[str, OptionValue], ...] = ()
