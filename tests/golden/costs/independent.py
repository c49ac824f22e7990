"""What a usage costs, worked out a second time: from published rows, in exact fractions.

Nothing of the gateway is used here, and nothing of the calculation that the price list brings:
only the figures of its rows, read by the rules that the vendors publish.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

NANO = 10**9
#: What a class costs that has no figure of its own.
FALLS_BACK = {
    "cache_read_mtok": "input_mtok",
    "cache_write_mtok": "input_mtok",
    "cache_write_1h_mtok": "cache_write_mtok",
    "input_audio_mtok": "input_mtok",
    "cache_audio_read_mtok": "cache_read_mtok",
    "input_image_mtok": "input_mtok",
    "cache_image_read_mtok": "cache_read_mtok",
    "output_mtok": "input_mtok",
    "output_reasoning_mtok": "output_mtok",
    "output_audio_mtok": "output_mtok",
    "output_image_mtok": "output_mtok",
}


def published_rows(model: Any) -> list[dict[str, Any]]:
    """The rows of a model as the list publishes them: figures as text, with their conditions."""
    listed = model.prices if isinstance(model.prices, list) else [None]
    rows = [
        _row(model.prices if one is None else one.prices, getattr(one, "constraint", None), {})
        for one in listed
    ]
    for variant in model.price_variants or []:
        rows.append(_row(variant.prices, variant.constraint, variant.when))
    return rows


def _row(prices: Any, constraint: Any, when: dict[str, str]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for unit, held in vars(prices).items():
        if held is None:
            continue
        if hasattr(held, "tiers"):
            steps = [[tier.start, str(tier.price)] for tier in held.tiers]
            figures[unit] = {"base": str(held.base), "above": steps}
        else:
            figures[unit] = str(held)
    row: dict[str, Any] = {"figures": figures}
    if hasattr(constraint, "start_date"):
        row["since"] = constraint.start_date.isoformat()
    elif constraint is not None:
        row["hours"] = [constraint.start_time.isoformat(), constraint.end_time.isoformat()]
    if when:
        row["when"] = dict(when)
    return row


def exact_cost(rows: list[dict[str, Any]], usage: dict[str, Any], at: str) -> int:
    """Nano-USD of a usage at a moment (ISO 8601), rounded half to even at the very end."""
    moment = datetime.fromisoformat(at).astimezone(UTC)
    figures = _figures_at(rows, moment, usage.get("service_tier", ""))
    total = sum(
        (
            count * _dollars(figures, unit, usage.get("input_tokens", 0)) / 10**6
            for unit, count in _leaves(usage).items()
        ),
        Fraction(0),
    )
    calls = figures.get("requests_kcount")
    call = round(Fraction(calls) / 1000 * NANO) if calls else 0
    searches = usage.get("web_searches", 0)
    if searches and "web_searches_kcount" in figures:
        total += searches * Fraction(figures["web_searches_kcount"]) / 1000
    return call + round(total * NANO)


def _leaves(usage: dict[str, Any]) -> dict[str, int]:
    def told(name: str) -> int:
        return int(usage.get(name, 0))

    cached_sound, cached_sight = told("cached_audio_tokens"), told("cached_image_tokens")
    read = told("cached_input_tokens") - cached_sound - cached_sight
    kept_hour = told("cache_write_1h_tokens")
    kept = told("cache_write_tokens") - kept_hour
    sound = told("input_audio_tokens") - cached_sound
    sight = told("input_image_tokens") - cached_sight
    spoken, drawn = told("output_audio_tokens"), told("output_image_tokens")
    thought = told("reasoning_tokens")
    rest = told("input_tokens") - told("cached_input_tokens") - kept - kept_hour - sound - sight
    return {
        "input_mtok": rest,
        "cache_read_mtok": read,
        "cache_write_mtok": kept,
        "cache_write_1h_mtok": kept_hour,
        "input_audio_mtok": sound,
        "cache_audio_read_mtok": cached_sound,
        "input_image_mtok": sight,
        "cache_image_read_mtok": cached_sight,
        "output_mtok": told("output_tokens") - thought - spoken - drawn,
        "output_reasoning_mtok": thought,
        "output_audio_mtok": spoken,
        "output_image_mtok": drawn,
    }


def _figures_at(rows: list[dict[str, Any]], moment: datetime, tier: str) -> dict[str, Any]:
    standard = [row for row in rows if "when" not in row]
    holding = [row for row in standard if _holds(row, moment)]
    figures = dict((holding[-1] if holding else standard[0])["figures"])
    if tier and tier != "default":
        changed: dict[str, Any] = {}
        for row in rows:
            if tier in row.get("when", {}).values() and _holds(row, moment):
                changed = {**row["figures"], **changed}
        figures.update(changed)
    return figures


def _holds(row: dict[str, Any], moment: datetime) -> bool:
    if "since" in row:
        return f"{moment:%Y-%m-%d}" >= str(row["since"])
    if "hours" in row:
        begins, ends = (str(one)[:8] for one in row["hours"])
        now = f"{moment:%H:%M:%S}"
        return begins <= now < ends if begins <= ends else now >= begins or now < ends
    return True


def _dollars(figures: dict[str, Any], unit: str, input_tokens: int) -> Fraction:
    while unit not in figures:
        unit = FALLS_BACK[unit]
    held = figures[unit]
    if isinstance(held, str):
        return Fraction(held)
    dollars = held["base"]
    for start, price in held["above"]:
        if input_tokens > start:
            dollars = price
    return Fraction(dollars)
