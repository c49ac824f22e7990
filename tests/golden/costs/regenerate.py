"""Writes the corpus: `python -m tests.golden.costs.regenerate SECOND_PRICE_BOOK.json`.

Rows are taken from the installed price list, costs from `independent`, never from the gateway.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from genai_prices.data_snapshot import get_snapshot

from tests.golden.costs.independent import exact_cost, published_rows
from tests.golden.costs.second_book import second_cost, second_row
from tests.golden.costs.verdicts import verdict

HERE = Path(__file__).parent
DAY = "2026-11-20T12:00:00+00:00"
MODELS = {
    "openai": (
        "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini gpt-5 gpt-5-mini gpt-5.4 gpt-5.6-cyber o3 o4-mini "
        "gpt-4o-transcribe gpt-4o-search-preview gpt-image-1 gpt-image-1.5 gpt-audio "
        "gpt-realtime text-embedding-3-small"
    ),
    "anthropic": (
        "claude-sonnet-4-5 claude-sonnet-4-6 claude-haiku-4-5 claude-opus-4-8 claude-sonnet-5 "
        "claude-opus-5"
    ),
    "google": "gemini-2.5-pro gemini-2.5-flash gemini-3-pro-preview gemini-2.5-flash-image",
    "mistral": "mistral-large-4 mistral-small-latest",
    "groq": "llama-3.3-70b-versatile openai/gpt-oss-safeguard-20b",
    "deepseek": "deepseek-chat",
    "x-ai": "grok-4",
    "azure": "gpt-4o",
}
SHAPES: dict[str, dict[str, Any]] = {
    "plain": {"input_tokens": 1207, "output_tokens": 311},
    "one token each": {"input_tokens": 1, "output_tokens": 1},
    "nothing": {},
    "input only": {"input_tokens": 7},
    "cached": {"input_tokens": 10007, "cached_input_tokens": 4001, "output_tokens": 211},
    "all cached": {"input_tokens": 4096, "cached_input_tokens": 4096, "output_tokens": 3},
    "reasoning": {"input_tokens": 903, "output_tokens": 2011, "reasoning_tokens": 1501},
}
WRITES: dict[str, dict[str, Any]] = {
    "cache write 5m": {"input_tokens": 9001, "cache_write_tokens": 3003, "output_tokens": 17},
    "cache write 1h": {
        "input_tokens": 9001,
        "cache_write_tokens": 3003,
        "cache_write_1h_tokens": 3003,
        "output_tokens": 17,
    },
    "read and both writes": {
        "input_tokens": 20011,
        "cached_input_tokens": 5003,
        "cache_write_tokens": 4007,
        "cache_write_1h_tokens": 1009,
        "output_tokens": 499,
    },
}
SOUND: dict[str, dict[str, Any]] = {
    "audio in": {"input_tokens": 1500, "input_audio_tokens": 1203, "output_tokens": 40},
    "audio out": {"input_tokens": 90, "output_tokens": 700, "output_audio_tokens": 601},
    "audio both, cached": {
        "input_tokens": 3000,
        "cached_input_tokens": 1100,
        "input_audio_tokens": 2001,
        "cached_audio_tokens": 901,
        "output_tokens": 801,
        "output_audio_tokens": 703,
    },
}
SIGHT: dict[str, dict[str, Any]] = {
    "picture in": {"input_tokens": 2100, "input_image_tokens": 1805, "output_tokens": 31},
    "picture out": {"input_tokens": 50, "output_tokens": 4160, "output_image_tokens": 4160},
    "pictures, cached": {
        "input_tokens": 3000,
        "cached_input_tokens": 800,
        "input_image_tokens": 2000,
        "cached_image_tokens": 700,
        "output_tokens": 1056,
        "output_image_tokens": 1056,
    },
}
#: What only some models can show.
MORE: dict[str, dict[str, Any]] = {
    "gpt-5.6-cyber": {"300,000 tokens": {"input_tokens": 300_000, "output_tokens": 1003}},
    "gemini-2.5-pro": {"priority tier": {**SHAPES["cached"], "service_tier": "priority"}},
    "gpt-4o": {
        "usage missing": {"input_tokens": 412, "output_tokens": 96, "estimated": True},
        "default tier": {**SHAPES["plain"], "service_tier": "default"},
    },
}


def main(second_path: str) -> None:
    """Write rows and cases."""
    second = json.loads(Path(second_path).read_text())
    providers = {one.id: one for one in get_snapshot().providers}
    rows: dict[str, Any] = {}
    cases: list[dict[str, Any]] = []
    for provider, named in MODELS.items():
        for name in named.split():
            model = providers[provider].find_model(name, all_providers=list(providers.values()))
            if model is None:
                raise SystemExit(f"{provider} has no {name}")
            rows[f"{provider}/{name}"] = published_rows(model)
            other = second_row(second, provider, name)
            for shape, usage, at in _wanted(name, rows[f"{provider}/{name}"]):
                cases.append(_case(provider, name, shape, usage, at, rows, other))
    (HERE / "rows.json").write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
    written = "".join(json.dumps(case) + "\n" for case in cases)
    (HERE / "cases.jsonl").write_text(written)
    print(len(cases), "cases")


def _wanted(model: str, rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any], str]]:
    units = {unit for row in rows for unit in row["figures"]}
    shapes = dict(SHAPES) | MORE.get(model, {})
    if "output_mtok" not in units:  # embeddings
        shapes = {name: usage for name, usage in shapes.items() if "output_tokens" not in usage}
    if "cache_write_mtok" in units:
        shapes |= WRITES
    if units & {"input_audio_mtok", "output_audio_mtok"}:
        shapes |= SOUND
    if units & {"input_image_mtok", "output_image_mtok"}:
        shapes |= SIGHT
    if "web_searches_kcount" in units or "requests_kcount" in units:
        shapes["searches"] = {**SHAPES["plain"], "web_searches": 3}
    for start in sorted({s for row in rows for s in _starts(row)}):
        for more in (0, 1):
            size = start + more
            shapes[f"{size:,} tokens"] = {
                "input_tokens": size,
                "cached_input_tokens": 1001,
                "output_tokens": 1003,
            }
    tiers = {t for row in rows for t in row.get("when", {}).values()} - {"default"}
    for tier in sorted(tiers):
        shapes[f"{tier} tier"] = {**SHAPES["cached"], "service_tier": tier}
    wanted = [(shape, usage, DAY) for shape, usage in shapes.items()]
    for row in rows:
        if "since" in row and "when" not in row:
            first = f"{row['since']}T00:00:00+00:00"
            wanted.append((f"from {row['since']}", SHAPES["cached"], first))
            wanted.append(
                (f"before {row['since']}", SHAPES["cached"], _second_before(row["since"]))
            )
        if "hours" in row:
            for place in row["hours"]:
                hour = f"2026-11-20T{place[:8]}+00:00"
                wanted.append((f"at {place[:5]} UTC", SHAPES["cached"], hour))
    return wanted


def _starts(row: dict[str, Any]) -> list[int]:
    held = [one for one in row["figures"].values() if isinstance(one, dict)]
    return [start for one in held for start, _ in one["above"]]


def _second_before(day: str) -> str:
    return (datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(seconds=1)).isoformat()


def _case(
    provider: str,
    name: str,
    shape: str,
    usage: dict[str, Any],
    at: str,
    rows: dict[str, Any],
    other: dict[str, Any] | None,
) -> dict[str, Any]:
    cost = exact_cost(rows[f"{provider}/{name}"], usage, at)
    told = second_cost(other, usage) if other is not None and at == DAY else None
    case = {
        "name": f"{provider}/{name}: {shape}",
        "provider": provider,
        "model": name,
        "at": at,
        "usage": usage,
        "cost_nanousd": cost,
        "second_nanousd": told,
    }
    if told is not None and told != cost:
        case["right"], case["why"] = verdict(provider, name, shape)
    return case


if __name__ == "__main__":
    main(sys.argv[1])
