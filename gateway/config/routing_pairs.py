"""Reads logged pairs: prompts with the scores of a weak and a strong model's answers."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from gateway.classify.difficulty_calibration import Pair

#: Mistakes that are listed before the rest are only counted.
_SHOWN = 5


class BadPairs(ValueError):
    """The file cannot be read, or has rows that are no pairs; the message names their lines."""


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a JSON-lines file (or one compressed by gzip), in its order.

    Raises:
        BadPairs: as said there.
    """
    return [pair for _, pair in read_named_pairs(path)]


def read_named_pairs(path: Path) -> list[tuple[str, Pair]]:
    """The pairs with the data set that each row says it is from, or else the file's name.

    Raises:
        BadPairs: the file cannot be read, or has rows that are no pairs.
    """
    own = path.name.split(".")[0]
    pairs: list[tuple[str, Pair]] = []
    wrong: list[str] = []
    try:
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(line)
                pairs.append((_text(row, "dataset") or own, _pair(row)))
            except (ValueError, RecursionError) as problem:
                wrong.append(f"line {number}: {problem}")
    except (OSError, EOFError) as problem:
        raise BadPairs(f"{path} cannot be read: {problem}") from None
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise BadPairs(f"{path}: {'; '.join(wrong[:_SHOWN])}{more}")
    if not pairs:
        raise BadPairs(f"{path} has no rows; each line is {_WANTED}")
    return pairs


_WANTED = '{"prompt": "...", "weak_score": 0..1, "strong_score": 0..1}, and "tools" if it had any'


def pair_files(path: Path) -> list[Path]:
    """The file itself, or every .jsonl and .jsonl.gz of a folder.

    Raises:
        BadPairs: there is none.
    """
    files = [path] if path.is_file() else sorted([*path.glob("*.jsonl"), *path.glob("*.jsonl.gz")])
    if not files:
        raise BadPairs(f"there is no .jsonl or .jsonl.gz file at {path}")
    return files


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        lines: Iterable[bytes] = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
        yield from lines


def _pair(row: object) -> Pair:
    if not isinstance(row, dict):
        raise ValueError(f"not a JSON object; each line is {_WANTED}")
    prompt = _text(row, "prompt")
    if not prompt:
        raise ValueError('"prompt" must be a text that is not empty')
    return Pair(prompt, _score(row, "weak_score"), _score(row, "strong_score"), _tools(row))


def _text(row: Any, field: str) -> str:
    held = row.get(field) if isinstance(row, dict) else None
    return held if isinstance(held, str) else ""


def _tools(row: dict[str, Any]) -> bytes:
    held = row.get("tools")
    if held is None:
        return b""
    if not isinstance(held, list):
        raise ValueError('"tools" must be a list, as in the request')
    return msgspec.json.encode(held)


def _score(row: dict[str, Any], field: str) -> float:
    held = row.get(field)
    # The chained comparison also turns NaN away.
    if isinstance(held, bool) or not isinstance(held, int | float) or not 0 <= held <= 1:
        raise ValueError(f'"{field}" must be a number from 0 to 1')
    return float(held)
