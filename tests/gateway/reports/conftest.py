"""Ledger lines as reports read them: in a database with the view `lines`, as the stores make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import msgspec
import pytest

from gateway.core.records import LedgerLine
from gateway.core.usage import Usage
from gateway.stores.ledger_table import open_database, rows_of, write_entries

#: 2026-11-23 15:30 UTC.
NOON = 1_795_447_800.0


def line(**fields: object) -> LedgerLine:
    """A line with everything but the given fields filled in."""
    known: dict[str, object] = {
        "kind": "settle",
        "hold_id": f"{fields.get('request_id', 'r1')}:{fields.get('attempt', 1)}",
        "request_id": "r1",
        "attempt": 1,
        "at": NOON,
        "org": "acme",
        "team": "support",
        "app": "",
        "user": "",
        "key_id": "k1",
        "alias": "auto",
        "deployment": "house",
        "provider": "vllm",
        "model": "llama",
        "route": "all",
        "sensitivity": "internal",
        "outcome": "ok",
        "usage": Usage(input_tokens=10, cached_input_tokens=4, output_tokens=5),
        "held_nanousd": 100,
        "cost_nanousd": 40,
    }
    return LedgerLine(**{**known, **fields})  # type: ignore[arg-type]


def fill(database: duckdb.DuckDBPyConnection, path: Path, lines: Iterable[LedgerLine]) -> None:
    """Make the view `lines` of these lines."""
    entries = (
        (f"{1_795_000_000_000 + number}-0".encode(), msgspec.json.encode(each))
        for number, each in enumerate(lines)
    )
    write_entries(path, entries)
    database.execute(f"CREATE OR REPLACE VIEW lines AS {rows_of(path)}")


@pytest.fixture(scope="module")
def ledger(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Iterable[LedgerLine]], duckdb.DuckDBPyConnection]]:
    """Gives a database whose lines are those given."""
    path = tmp_path_factory.mktemp("lines") / "lines.jsonl"
    with open_database() as database:

        def filled(lines: Iterable[LedgerLine]) -> duckdb.DuckDBPyConnection:
            fill(database, path, lines)
            return database

        yield filled
