"""Parquet: typed columns, exact integers, written by DuckDB."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from gateway.reports.selection import quoted
from gateway.reports.shape import Kind, Report

_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.COUNT: "BIGINT",
    # Nano-dollars up to $1e20 and beyond what a BIGINT holds.
    Kind.MONEY: "DECIMAL(38, 0)",
    Kind.NUMBER: "DOUBLE",
    Kind.SHARE: "DOUBLE",
    # What the rules of FOCUS call a decimal; exact amounts are beside it as whole numbers.
    Kind.DECIMAL: "DOUBLE",
    Kind.MOMENT: "TIMESTAMPTZ",
}


def as_parquet(report: Report) -> bytes:
    """The rows as a Parquet file; totals are left to the reader."""
    import duckdb

    types = {column.name: _TYPES[column.kind] for column in report.columns}
    fields = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in types.items())
    chosen = ", ".join('"' + name.replace('"', '""') + '"' for name in types)
    with tempfile.TemporaryDirectory(prefix="fairlead-") as scratch:
        source, made = Path(scratch) / "rows.jsonl", Path(scratch) / "rows.parquet"
        with source.open("wb") as out:
            for row in report.rows:
                out.write(msgspec.json.encode(dict(zip(types, row, strict=True))) + b"\n")
        with duckdb.connect() as database:
            database.execute("SET autoinstall_known_extensions = false")
            database.execute("SET threads = 1")
            database.execute(
                f"COPY (SELECT {chosen} FROM read_json({quoted(str(source))}, "
                f"format = 'newline_delimited', columns = {{{fields}}})) "
                f"TO {quoted(str(made))} (FORMAT parquet, COMPRESSION zstd)"
            )
        return made.read_bytes()
