"""The ledger as a table: one row a line, the same columns whether it comes from Redis or a file.

Rules of this file:
- a line comes as JSON and stays in the row as it was written (`line`), so that nothing of it is
  lost to a column that this version does not know;
- `entry` is the line's id in its stream: ids are unique and sort in the order of writing;
- DuckDB does the reading, so a million lines need no million Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.core.usage import COUNTED

if TYPE_CHECKING:
    import duckdb

#: An entry: its id in the stream, and the line as JSON.
Entry = tuple[bytes, bytes]

_TEXTS = (
    *("kind", "hold_id", "request_id", "org", "team", "app", "user", "key_id", "alias"),
    *("deployment", "provider", "model", "route", "sensitivity", "outcome", "price_revision"),
    *("policy", "because"),
)
_FLAGS = ("unpriced", "self_hosted", "stream", "spooled")
_WHOLE = ("attempt", "held_nanousd", "cost_nanousd")
_REAL = ("at", "duration_ms", "gpu_seconds")
#: `at` is a word of SQL.
_NAMES = {"at": "dated"}
_STRUCTURE = {
    **dict.fromkeys(_TEXTS, "VARCHAR"),
    **dict.fromkeys(_FLAGS, "BOOLEAN"),
    **dict.fromkeys(_WHOLE, "BIGINT"),
    **dict.fromkeys(_REAL, "DOUBLE"),
    "list_nanousd": "BIGINT",
    "tags": "JSON",
    "parts": [["VARCHAR"]],
    "usage": {
        **dict.fromkeys(COUNTED, "BIGINT"),
        "estimated": "BOOLEAN",
        "service_tier": "VARCHAR",
    },
}
#: The columns, in their order, as SQL over a row `(entry, line, l)`, where `l` is the line read.
_COLUMNS = {
    "entry": "entry",
    "written_ms": "split_part(entry, '-', 1)::BIGINT",
    **{name: f"l.{name}" for name in _WHOLE},
    **{_NAMES.get(name, name): f'coalesce(l."{name}", 0)' for name in _REAL},
    "list_nanousd": "coalesce(l.list_nanousd, l.cost_nanousd)",
    **{name: f"coalesce(l.\"{name}\", '')" for name in _TEXTS},
    **{name: f"coalesce(l.{name}, false)" for name in _FLAGS},
    **{name: f"coalesce(l.usage.{name}, 0)" for name in COUNTED},
    "estimated": "coalesce(l.usage.estimated, false)",
    "service_tier": "coalesce(l.usage.service_tier, '')",
    "tags": "CAST(coalesce(l.tags, '{}') AS MAP(VARCHAR, VARCHAR))",
    "parts": (
        "list_transform(coalesce(l.parts, []), lambda p: {'token_class': p[1], "
        "'quantity': p[2]::BIGINT, 'rate': p[3]::BIGINT, 'cost_nanousd': p[4]::BIGINT, "
        "'list_rate': p[5]::BIGINT})"
    ),
    "line": "line::VARCHAR",
}
#: The names of the columns.
COLUMNS = tuple(_COLUMNS)


def rows_of(path: Path) -> str:
    """SQL that reads the rows of a file which `write_entries` wrote."""
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in _COLUMNS.items())
    return (
        f"SELECT {columns} FROM (SELECT entry, line, from_json(line, {quoted(_json())}) AS l "
        f"FROM read_json({quoted(str(path))}, format = 'newline_delimited', "
        "columns = {entry: 'VARCHAR', line: 'JSON'}))"
    )


def write_entries(path: Path, entries: Iterable[Entry]) -> tuple[int, str, str]:
    """Write entries to a file of JSON lines; how many there were, and the first and last id."""
    count, first, last = 0, b"", b""
    with path.open("wb") as out:
        for entry_id, line in entries:
            out.write(b'{"entry":"%b","line":%b}\n' % (entry_id, line))
            first, last = first or entry_id, entry_id
            count += 1
    return count, first.decode(), last.decode()


def open_database(
    folder: Path | None = None, *, memory: str = "512MB"
) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills into a folder, if there is one, and looks nothing up outside.

    Imported here: a gateway that serves has no need of it.
    """
    import duckdb

    database = duckdb.connect()
    database.execute("SET autoinstall_known_extensions = false")
    database.execute("SET TimeZone = 'UTC'")
    database.execute(f"SET memory_limit = {quoted(memory)}")
    database.execute("SET preserve_insertion_order = true")
    if folder is not None:
        database.execute(f"SET temp_directory = {quoted(str(folder))}")
    return database


def quoted(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _json() -> str:
    return json.dumps(_STRUCTURE)
