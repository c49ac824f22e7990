"""One line of what a provider bills, whatever export it is from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import msgspec

#: What providers call a class of tokens, in small letters, and what we call it. Reasoning is part
#: of the output on every invoice.
CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "input": "input",
        "input_tokens": "input",
        "text input": "input",
        "uncached_input_tokens": "input",
        "input_no_cache": "input",
        "cached input": "cached_input",
        "cached_input": "cached_input",
        "text cached input": "cached_input",
        "cached_input_tokens": "cached_input",
        "cache_read_input_tokens": "cached_input",
        "input_cache_read": "cached_input",
        "input_cached_tokens": "cached_input",
        "cache writes": "cache_write",
        "cache_write_tokens": "cache_write",
        "input_cache_write_tokens": "cache_write",
        "cache_creation.ephemeral_5m_input_tokens": "cache_write",
        "input_cache_write": "cache_write",
        "input_cache_write_5m": "cache_write",
        "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
        "input_cache_write_1h": "cache_write_1h",
        "output": "output",
        "output_tokens": "output",
        "text output": "output",
        "audio input": "input_audio",
        "input_audio_tokens": "input_audio",
        "audio output": "output_audio",
        "output_audio_tokens": "output_audio",
        "audio cached input": "cached_audio",
        "cached audio input": "cached_audio",
        "image input": "input_image",
        "image cached input": "cached_image",
        "image output": "output_image",
        "web_search": "web_search",
        "web search": "web_search",
    }
)


class InvoiceError(ValueError):
    """An export cannot be used; the message says which, and what would do."""


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """An amount or a quantity of one day (UTC), model and token class.

    `usd` is None where the export has quantities only, `quantity` where it has money only. An
    empty `token_class` is all classes of the model, an empty `model` all models of the provider.
    `rounded_usd` is the most that the amount may be off because the export rounds it.
    """

    day: date
    provider: str
    model: str
    token_class: str
    usd: Decimal | None = None
    quantity: int | None = None
    rounded_usd: Decimal = Decimal()


def class_of(name: str, source: str) -> str:
    """Our name of a class.

    Raises:
        InvoiceError: nobody knows it, so that it would be compared with nothing.
    """
    found = CLASSES.get(name.strip().lower())
    if found is None:
        known = ", ".join(sorted(set(CLASSES)))
        raise InvoiceError(f"{source}: '{name}' is no class of tokens that is known ({known})")
    return found


def day_of(text: object, source: str) -> date:
    """A day of UTC from an ISO date or moment, or epoch seconds.

    Raises:
        InvoiceError: it is neither.
    """
    try:
        if isinstance(text, int) or (isinstance(text, str) and text.strip().isdigit()):
            return datetime.fromtimestamp(int(text), UTC).date()
        moment = datetime.fromisoformat(str(text).strip())
    except (ValueError, OverflowError, OSError):
        raise InvoiceError(f"{source}: '{text}' is no day") from None
    return moment.astimezone(UTC).date() if moment.tzinfo is not None else moment.date()


def dollars_of(value: object, currency: object, source: str) -> Decimal:
    """An amount of dollars, exactly as written.

    Raises:
        InvoiceError: no number, or another currency.
    """
    if str(currency or "usd").lower() != "usd":
        raise InvoiceError(f"{source}: amounts in {currency} cannot be compared with dollars")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise InvoiceError(f"{source}: '{value}' is no amount") from None
    if not amount.is_finite():
        raise InvoiceError(f"{source}: '{value}' is no amount")
    return amount


def count_of(value: object, source: str, unit: int = 1) -> int:
    """A whole number of tokens or pieces, also where it is written as `59200.0`.

    `unit` is how many of them one is.

    Raises:
        InvoiceError: it is none.
    """
    try:
        count = Decimal(str(value or 0).strip() or 0) * unit
    except InvalidOperation:
        raise InvoiceError(f"{source}: '{value}' is no count") from None
    if not count.is_finite() or count != count.to_integral_value():
        raise InvoiceError(f"{source}: '{value}' is no count")
    return int(count)


def counted(
    counts: Mapping[str, int], day: date, provider: str, model: str
) -> Iterator[InvoiceLine]:
    """A line for each class that something was counted in."""
    for token_class, count in counts.items():
        if count:
            yield InvoiceLine(
                day=day, provider=provider, model=model, token_class=token_class, quantity=count
            )


def providers_of(lines: Iterable[InvoiceLine]) -> tuple[str, ...]:
    """The providers that bill, sorted."""
    return tuple(sorted({line.provider for line in lines}))
