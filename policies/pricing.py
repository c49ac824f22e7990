"""What a deployment costs: the price book, and what the policy file lays over it.

Rules of this file:
- figures of the file win over the book; a class that the file does not name keeps the book's
  figure, unless its wider class was changed: then it costs what that does;
- a tier of service keeps its list price only where neither input nor output was changed: nobody
  agreed on it otherwise, so it costs the standard price and is flagged;
- classes that nobody priced cost what their wider class costs; nothing is free by omission;
- of prices with dates each holds from its day, midnight UTC, until the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from math import inf
from typing import Any

import msgspec

from gateway.core.money import MILLION, usd_to_nano
from gateway.core.prices import (
    PARENTS,
    Machine,
    Price,
    PriceCase,
    discounted,
    gpu_hour_price,
)
from policies.model.deployments import DeploymentStatement, PriceStatement
from policies.model.file import PolicyFile
from policies.resolve import Known, PriceLookup, Resolved, resolve

#: Figures of one price by the token, as the file names them and as prices do.
_BY_TOKEN = {
    "input": "input_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "cached_input": "cached_input_usd_per_mtok",
    "cache_write": "cache_write_usd_per_mtok",
    "cache_write_1h": "cache_write_1h_usd_per_mtok",
    "reasoning": "reasoning_usd_per_mtok",
    "input_audio": "input_audio_usd_per_mtok",
    "output_audio": "output_audio_usd_per_mtok",
    "input_image": "input_image_usd_per_mtok",
    "output_image": "output_image_usd_per_mtok",
}
#: In this order each class comes after its wider one.
_NARROWER = {"cached_input": "input", "cache_write": "input", **PARENTS}


def price_of(
    statement: DeploymentStatement, resolved: Resolved, prices: PriceLookup
) -> Price | str:
    """The price of a deployment, or the words that say what is missing or wrong.

    The list price is kept beside an agreed one. Of prices with dates, the newest is what the
    price shows outside its cases.
    """
    listed = prices(resolved.provider, statement.model)
    written = statement.price
    if not written:
        return listed if listed is not None else "no price is known for it"
    if len(written) == 1 and written[0].since is None:
        price = _price_of_one(written[0], listed)
    else:
        price = _dated(written, listed)
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


def _dated(written: Sequence[PriceStatement], listed: Price | None) -> Price | str:
    """One price of several that each begin on a day."""
    ordered = sorted(written, key=_begins)
    starts = [_begins(one) for one in ordered]
    if any(earlier == later for earlier, later in pairwise(starts)):
        return "two of its prices begin at once; give each a `from` of its own"
    eras: list[tuple[float, Price]] = []
    if starts[0] > -inf:
        if listed is None:
            return "its first price has a `from`, and the price book does not know it before that"
        eras.append((-inf, listed))
    for start, one in zip(starts, ordered, strict=True):
        price = _price_of_one(one, listed)
        if isinstance(price, str):
            return price
        if price.machine is not None:
            return "a machine by the hour has one price; what it really cost is told by `--bill`"
        eras.append((start, price))
    ends = [start for start, _ in eras[1:]] + [inf]
    cases = [
        case
        for (since, price), until in zip(eras, ends, strict=True)
        for case in _within(price, since, until)
    ]
    return msgspec.structs.replace(eras[-1][1], cases=tuple(cases), listed=listed)


def _within(price: Price, since: float, until: float) -> list[PriceCase]:
    """The cases of a price in one span; what it costs in no case of its own comes last."""
    flat = msgspec.structs.replace(price, cases=(), listed=None)
    inside = [
        msgspec.structs.replace(case, since=max(case.since, since), until=min(case.until, until))
        for case in price.cases
        if case.since < until and since < case.until
    ]
    return [*inside, PriceCase(price=flat, since=since, until=until)]


def _begins(written: PriceStatement) -> float:
    """When a price begins to hold, in epoch seconds."""
    if written.since is None:
        return -inf
    return datetime.combine(written.since, time(), UTC).timestamp()


def _price_of_one(written: PriceStatement, listed: Price | None) -> Price | str:
    by_hour = (
        written.gpu_hour_usd,
        written.tokens_per_second,
        written.input_tokens_per_second,
        written.utilisation,
    )
    if any(figure is not None for figure in by_hour):
        return _price_by_hour(written)
    if written.discount is not None:
        return _price_by_discount(written, listed)
    return _price_by_token(written, listed)


def _price_by_token(written: PriceStatement, listed: Price | None) -> Price | str:
    own = _figures(written)
    if listed is not None:
        laid = _laid_over(listed, own)
        overlaid = "input" not in own or "output" not in own
        source = f"policy over {listed.source}" if overlaid else "policy"
        return msgspec.structs.replace(laid, source=source, listed=listed)
    if "input" not in own or "output" not in own:
        return "its price needs input_usd_per_mtok and output_usd_per_mtok"
    figures = {"cached_input": own["input"], "cache_write": own["input"], **own}
    return Price(**figures, source="policy")


def _price_by_discount(written: PriceStatement, listed: Price | None) -> Price | str:
    if written.discount is None or listed is None:
        return "a discount is off the price book, which does not know this model"
    if written.input_usd_per_mtok is not None or written.output_usd_per_mtok is not None:
        return "its price is either a discount or figures, not both"
    off = f"{written.discount * 100:f}".rstrip("0").rstrip(".")
    agreed = _laid_over(discounted(listed, written.discount), _figures(written))
    return msgspec.structs.replace(agreed, source=f"policy: {off} % off {listed.source}")


def _price_by_hour(written: PriceStatement) -> Price | str:
    hour, speed, busy = written.gpu_hour_usd, written.tokens_per_second, written.utilisation
    if hour is None or speed is None or busy is None:
        return "its price needs gpu_hour_usd, tokens_per_second and utilisation together"
    own = _figures(written)
    if written.discount is not None or not own.keys() <= {"per_request", "web_search"}:
        return "its price is either by the hour or by the token, not both"
    reading = written.input_tokens_per_second or speed
    each, read = gpu_hour_price(hour, speed, busy), gpu_hour_price(hour, reading, busy)
    return Price(
        input=read,
        output=each,
        cached_input=read,
        cache_write=read,
        **own,
        source=f"policy: ${hour} an hour at {speed} tokens a second, {busy} busy",
        machine=Machine(
            hour_nanousd=usd_to_nano(hour),
            input_tokens_per_second=float(reading),
            output_tokens_per_second=float(speed),
            utilisation=float(busy),
        ),
    )


def _figures(written: PriceStatement) -> dict[str, Any]:
    """The figures that the file gives, by class, as prices keep them."""
    given: Mapping[str, Decimal | None] = msgspec.structs.asdict(written)
    found = {
        name: usd_to_nano(figure)
        for name, key in _BY_TOKEN.items()
        if (figure := given[key]) is not None
    }
    if written.per_request_usd is not None:
        found["per_request"] = usd_to_nano(written.per_request_usd)
    if written.web_search_usd is not None:
        found["web_search"] = usd_to_nano(written.web_search_usd) * MILLION
    return found


def _laid_over(price: Price, own: Mapping[str, int]) -> Price:
    """A price and all its cases, with figures of the file laid over them."""
    if not own:
        return price
    agreed_anew = "input" in own or "output" in own
    flat = _figures_over(price, own)
    cases = tuple(
        msgspec.structs.replace(case, price=_figures_over(case.price, own))
        for case in price.cases
        if not (case.tier and agreed_anew)
    )
    return msgspec.structs.replace(flat, cases=cases)


def _figures_over(price: Price, own: Mapping[str, int]) -> Price:
    figures: dict[str, int | None] = dict(own)
    for name, wider in _NARROWER.items():
        if name not in own and wider in figures:
            # What it cost belongs to the wider class's list price, not to the agreed one.
            figures[name] = figures[wider] if name in ("cached_input", "cache_write") else None
    return msgspec.structs.replace(price, **figures)


def _revision(written: Sequence[PriceStatement], listed: Price | None) -> str:
    """The price book's revision where it counts, and a hash of what the file says."""
    meant = [
        {
            name: str(held)
            for name, held in msgspec.structs.asdict(one).items()
            if name != "at" and held is not None
        }
        for one in written
    ]
    said = meant[0] if len(meant) == 1 else meant
    own = sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:8]
    return f"{listed.revision}+{own}" if listed is not None else f"policy+{own}"
