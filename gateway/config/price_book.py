"""List prices of models, from `genai-prices` (offline), as integers of nano-USD.

Rules of this file:
- a provider is known by its exact name only: a model that somebody serves at home must not be
  booked at the price of the company that made it;
- where a price depends on the size of the prompt or the hour of the day, the dearest counts;
- a class without a price of its own costs what input costs; nothing is free by omission;
- a write to a cache costs what the five-minute cache costs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from importlib import resources

import msgspec
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from gateway.core.money import usd_to_nano
from gateway.core.prices import Price


class PriceBook(msgspec.Struct, frozen=True):
    """The list prices of one day; `revision` is a hash of the data that they come from."""

    revision: str
    day: datetime
    snapshot: DataSnapshot

    def price_of(self, provider: str, model: str) -> Price | None:
        """The price of a provider's model, or None where the book does not know it."""
        return _price(self.snapshot, provider, model, self.day, self.revision)


def load_price_book(now: float | None = None) -> PriceBook:
    """Read the installed price data for the day of `now` (epoch seconds; None is today)."""
    raw = resources.files("genai_prices").joinpath("data.py").read_bytes()
    day = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return PriceBook(sha256(raw).hexdigest()[:12], day, get_snapshot())


def _price(
    snapshot: DataSnapshot, provider: str, model: str, day: datetime, revision: str
) -> Price | None:
    listed = next((one for one in snapshot.providers if one.id == provider), None)
    if listed is None:
        return None
    found = listed.find_model(model.lower(), all_providers=snapshot.providers)
    if found is None:
        return None
    prices = _prices_of_day(found, day)
    each_input = _dearest(prices, "input_mtok")
    if each_input is None:
        return None
    # Models without an output price (embeddings) have no output; input's price is a safe bound.
    each_output = _dearest(prices, "output_mtok")
    cached = _dearest(prices, "cache_read_mtok")
    written = _dearest(prices, "cache_write_mtok")
    thousand_calls = _dearest(prices, "requests_kcount")
    tiered = any(isinstance(held, TieredPrices) for one in prices for held in vars(one).values())
    dearest = ", dearest tier" if tiered or len(prices) > 1 else ""
    return Price(
        input=usd_to_nano(each_input),
        output=usd_to_nano(each_input if each_output is None else each_output),
        cached_input=usd_to_nano(each_input if cached is None else cached),
        cache_write=usd_to_nano(each_input if written is None else written),
        per_request=usd_to_nano((thousand_calls or Decimal(0)) / 1000),
        source=f"genai-prices: {listed.id}/{found.id}, {day:%Y-%m-%d}{dearest}",
        revision=revision,
    )


def _prices_of_day(model: ModelInfo, day: datetime) -> list[ModelPrice]:
    """The price in force, and every price that takes turns with it over the day."""
    prices = [model.get_prices(day)]
    if not isinstance(model.prices, ModelPrice):
        hourly = [
            place
            for place, one in enumerate(model.prices)
            if isinstance(one.constraint, TimeOfDateConstraint)
        ]
        prices.extend(model.prices[place].prices for place in hourly)
    return prices


def _dearest(prices: list[ModelPrice], unit: str) -> Decimal | None:
    figures = [figure for one in prices for figure in _figures(vars(one).get(unit))]
    return max(figures, default=None)


def _figures(held: object) -> list[Decimal]:
    if isinstance(held, TieredPrices):
        return [held.base, *(tier.price for tier in held.tiers)]
    return [held] if isinstance(held, Decimal) else []
