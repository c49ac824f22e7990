"""Public prices of models, from `genai-prices` (offline), compiled to integers of nano-USD.

Rules of this file:
- a provider is known by its exact name only: a model that somebody serves at home must not be
  booked at the price of the company that made it;
- every date, hour of the day, size of the prompt and service tier that the list knows becomes a
  case of the price; what holds is decided by the request, not by the day of the start;
- the list is asked when a policy is loaded and never for a request: one of its own calculations
  takes 160 microseconds;
- a class without a price of its own costs what its wider class costs; nothing is free by omission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from hashlib import sha256
from importlib import resources
from itertools import pairwise
from math import inf
from types import MappingProxyType
from typing import Any

import msgspec
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from gateway.core.money import usd_to_nano
from gateway.core.prices import Price, PriceCase, tier_of

#: How the list names our classes, in dollars per million tokens.
_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "input": "input_mtok",
        "cached_input": "cache_read_mtok",
        "cache_write": "cache_write_mtok",
        "cache_write_1h": "cache_write_1h_mtok",
        "input_audio": "input_audio_mtok",
        "cached_audio": "cache_audio_read_mtok",
        "input_image": "input_image_mtok",
        "cached_image": "cache_image_read_mtok",
        "output": "output_mtok",
        "reasoning": "output_reasoning_mtok",
        "output_audio": "output_audio_mtok",
        "output_image": "output_image_mtok",
    }
)
#: What a request can ask for that the list calls a tier; other contexts are not ours to choose.
_TIER_KEYS = ("processing", "service_tier", "speed")
_DAY = 86400


class PriceBook(msgspec.Struct, frozen=True):
    """The public prices; `revision` is a hash of the data that they come from.

    `day` is the moment whose prices a `Price` shows outside its cases.
    """

    revision: str
    day: datetime
    snapshot: DataSnapshot

    def price_of(self, provider: str, model: str) -> Price | None:
        """The price of a provider's model, or None where the book does not know it."""
        listed = next((one for one in self.snapshot.providers if one.id == provider), None)
        if listed is None:
            return None
        found = listed.find_model(model.lower(), all_providers=self.snapshot.providers)
        if found is None:
            return None
        source = f"genai-prices: {listed.id}/{found.id}"
        return _compiled(found, self.day, source, self.revision)


def load_price_book(now: float | None = None) -> PriceBook:
    """Read the installed price data for the day of `now` (epoch seconds; None is today)."""
    raw = resources.files("genai_prices").joinpath("data.py").read_bytes()
    day = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return PriceBook(sha256(raw).hexdigest()[:12], day, get_snapshot())


def _compiled(model: ModelInfo, day: datetime, source: str, revision: str) -> Price | None:
    base = _price(model.get_prices(day), 0, source, revision)
    if base is None:
        return None
    cases: list[PriceCase] = []
    for since, until in _eras(model):
        for hours in _spans(model):
            moment = _moment_within(since, until, hours)
            for tier, context in _contexts(model, moment):
                held = model.get_prices(moment, context)
                for above in _steps(held):
                    price = _price(held, above + 1, source, revision)
                    if price is not None and not (tier == "" and above < 0 and price == base):
                        cases.append(
                            PriceCase(
                                price=price,
                                since=since,
                                until=until,
                                hours=hours,
                                above=above,
                                tier=tier,
                            )
                        )
    if all(_is_plain(case, base) for case in cases):
        return base
    return msgspec.structs.replace(base, cases=tuple(cases))


def _is_plain(case: PriceCase, base: Price) -> bool:
    """Whether a case says nothing that the price outside the cases does not say, too."""
    return case.price == base and case.tier == ""


def _eras(model: ModelInfo) -> list[tuple[float, float]]:
    """The spans between the dates on which something of the price changes, newest first."""
    dates = {
        datetime.combine(one.constraint.start_date, time(), UTC).timestamp()
        for one in _conditional(model)
        if isinstance(one.constraint, StartDateConstraint)
    }
    return list(pairwise([-inf, *sorted(dates), inf]))[::-1]


def _spans(model: ModelInfo) -> list[tuple[int, int] | None]:
    """The spans of the day between the times at which the price changes; None is all day."""
    times: set[int] = set()
    for one in _conditional(model):
        if isinstance(one.constraint, TimeOfDateConstraint):
            times |= {_second_of(one.constraint.start_time), _second_of(one.constraint.end_time)}
    if not times:
        return [None]
    return list(pairwise(sorted(times | {0, _DAY})))


def _second_of(moment: time) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    shifted = datetime.combine(datetime(1970, 1, 2, tzinfo=UTC), aware).astimezone(UTC)
    return shifted.hour * 3600 + shifted.minute * 60 + shifted.second


def _moment_within(since: float, until: float, hours: tuple[int, int] | None) -> datetime:
    """A moment of an era and a span of the day; eras begin at midnight UTC."""
    midnight = since if since > -inf else (until if until < inf else 0.0) - _DAY
    return datetime.fromtimestamp(midnight + (hours[0] if hours is not None else 0), UTC)


def _conditional(model: ModelInfo) -> Iterator[ConditionalPrice | PriceVariant]:
    if not isinstance(model.prices, ModelPrice):
        yield from model.prices
    yield from model.price_variants or ()


def _contexts(model: ModelInfo, moment: datetime) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Every tier that has prices at a moment, with how the list wants to be asked for it.

    What the list calls the default tier is the standard one, which needs no asking.
    """
    yield "", None
    for variant in model.price_variants or ():
        if variant.constraint is not None and not variant.constraint.active(moment):
            continue
        for key in _TIER_KEYS:
            tier = tier_of(variant.when.get(key, ""))
            if tier and len(variant.when) == 1:
                yield tier, dict(variant.when)


def _steps(prices: ModelPrice) -> list[int]:
    """The sizes of the prompt above which another price holds, largest first, then -1."""
    starts = {
        tier.start
        for held in vars(prices).values()
        if isinstance(held, TieredPrices)
        for tier in held.tiers
    }
    return [*sorted(starts, reverse=True), -1]


def _price(prices: ModelPrice, input_tokens: int, source: str, revision: str) -> Price | None:
    """The figures for prompts of a size; None where input has no price by the token."""
    figures: dict[str, Any] = {
        name: usd_to_nano(dollars)
        for name, unit in _UNITS.items()
        if (dollars := _figure(prices, unit, input_tokens)) is not None
    }
    if "input" not in figures:
        return None
    searches = _figure(prices, "web_searches_kcount", input_tokens)
    calls = _figure(prices, "requests_kcount", input_tokens)
    each: int = figures["input"]
    return Price(
        # Models without an output price (embeddings) have no output; input's is a safe bound.
        **{"output": each, "cached_input": each, "cache_write": each, **figures},
        web_search=None if searches is None else usd_to_nano(searches) * 1000,
        per_request=0 if calls is None else usd_to_nano(calls / 1000),
        source=source,
        revision=revision,
    )


def _figure(prices: ModelPrice, unit: str, input_tokens: int) -> Decimal | None:
    held = vars(prices).get(unit)
    if isinstance(held, TieredPrices):
        passed = [tier.price for tier in held.tiers if input_tokens > tier.start]
        return passed[-1] if passed else held.base
    return held if isinstance(held, Decimal) else None
