"""Reading a ledger from where it lies: sealed segments and what is still in Redis, as one.

No line is read twice and none is missed, also while it is being sealed: entries are dropped from
Redis only after the manifest names their file, so the manifest is read before Redis and again
after it, until both times it was the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import redis

from gateway.core.records import LedgerLine
from gateway.stores.book import read_orgs
from gateway.stores.ledger_seal import stream_entries
from gateway.stores.ledger_table import open_database, quoted, rows_of, write_entries
from gateway.stores.segments import read_manifest, segment_paths

if TYPE_CHECKING:
    import duckdb

#: Lines turned into values at once.
_PAGE = 10_000


@contextmanager
def open_lines(
    client: redis.Redis, home: Path, orgs: tuple[str, ...] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the view `lines`: every ledger line of these orgs (None: all).

    Its columns are those of `gateway.stores.ledger_table`: the fields of a line, with `dated` for
    its date (epoch seconds); `tags` is a map, `parts` a list of structs.
    Money is BIGINT nano-USD: sums are exact (DuckDB adds them as HUGEINT).
    """
    chosen = known_orgs(client, home) if orgs is None else orgs
    with tempfile.TemporaryDirectory(prefix="fairlead-") as scratch:
        folder = Path(scratch)
        sources: list[str] = []
        for number, org in enumerate(chosen):
            live, sealed = _snapshot(client, home, org, folder / f"{number}.jsonl")
            files = ", ".join(quoted(str(path)) for path in sealed)
            if files:
                sources.append(f"SELECT * FROM read_parquet([{files}], union_by_name = true)")
            if live.stat().st_size:
                sources.append(_as_columns(live))
        with open_database(folder) as database:
            if not sources:
                empty = folder / "empty.jsonl"
                write_entries(empty, ())
                sources.append(rows_of(empty))
            database.execute("CREATE VIEW lines AS " + " UNION ALL BY NAME ".join(sources))
            yield database


def _as_columns(live: Path) -> str:
    """SQL of lines from Redis, turned into columns once so that no query parses them again."""
    made = live.with_suffix(".parquet")
    with open_database(live.parent) as database:
        database.execute(
            f"COPY ({rows_of(live)}) TO {quoted(str(made))} (FORMAT parquet, COMPRESSION snappy)"
        )
    live.unlink()
    return f"SELECT * FROM read_parquet({quoted(str(made))})"


def known_orgs(client: redis.Redis, home: Path) -> tuple[str, ...]:
    """Every org that has a ledger, in Redis or on disk, sorted."""
    folder = home / "ledger"
    sealed = {one.parent.name for one in folder.glob("*/manifest.json")}
    return tuple(sorted({*read_orgs(client), *sealed}))


def ledger_lines(
    client: redis.Redis,
    home: Path,
    org: str,
    start: float | None = None,
    end: float | None = None,
) -> Iterator[LedgerLine]:
    """An org's lines dated from `start` to before `end` (epoch seconds), as they were written."""
    decode = msgspec.json.Decoder(LedgerLine).decode
    with open_lines(client, home, (org,)) as database:
        found = database.execute(
            "SELECT line FROM lines WHERE dated >= ? AND dated < ? "
            "ORDER BY written_ms, split_part(entry, '-', 2)::BIGINT",
            [-1e300 if start is None else start, 1e300 if end is None else end],
        )
        while rows := found.fetchmany(_PAGE):
            for (line,) in rows:
                yield decode(line)


def _snapshot(client: redis.Redis, home: Path, org: str, path: Path) -> tuple[Path, list[Path]]:
    """What is in Redis, written to a file, and the sealed files that go with it."""
    while True:
        manifest = read_manifest(home, org)
        write_entries(path, stream_entries(client, org, manifest.last))
        if read_manifest(home, org) == manifest:
            return path, segment_paths(home, manifest)
