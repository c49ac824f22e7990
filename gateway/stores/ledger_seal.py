"""Sealing the ledger: finished hours go from Redis to Parquet files, exactly once.

Rules of this file:
- one seals at a time, by a lease in Redis and a lock on the folder;
- what was written up to an hour before the current one began is sealed; the clock is Redis' own;
- entries are dropped from Redis only when the manifest names the file that holds them, so that a
  crash at any point leaves each line in Redis, in a file, or in both, and readers count by id;
- a ledger lies in one place: a gateway with another home does not seal.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import cast

import msgspec
import redis

from gateway.stores import names
from gateway.stores.ledger_table import Entry, open_database, quoted, rows_of, write_entries
from gateway.stores.scripts import load_scripts
from gateway.stores.segments import (
    Manifest,
    Segment,
    checksum,
    ledger_folder,
    read_manifest,
    sync,
    write_manifest,
)

#: Entries read at once, and at most put into one file.
_PAGE = 5000
MOST_PER_SEGMENT = 500_000
_LEASE_MS = 600_000
_HOUR_MS = 3_600_000

#: Called at marked points, with their names; tests kill the process there.
Mark = Callable[[str], None]


class OtherHome(Exception):
    """The ledger of this Redis is sealed in another place; the message says which."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What sealing one org did: lines and files written, and entries dropped from Redis."""

    org: str
    lines: int = 0
    segments: int = 0
    dropped: int = 0


def seal_ledger(
    client: redis.Redis,
    home: Path,
    org: str,
    *,
    until_ms: int | None = None,
    most: int = MOST_PER_SEGMENT,
    mark: Mark = lambda point: None,
) -> Sealed:
    """Seal the finished hours of an org's ledger.

    Args:
        until_ms: seal what was written before this moment (epoch milliseconds); None is the
            beginning of the current hour.
        most: lines of one file.

    Raises:
        OtherHome: another folder holds the sealed part of this ledger.
    """
    folder = ledger_folder(home, org)
    folder.mkdir(parents=True, exist_ok=True)
    claim_home(client, home)
    token = secrets.token_hex(16)
    with _only_sealer(client, org, folder, token) as ours:
        if not ours:
            return Sealed(org=org)
        before = until_ms if until_ms is not None else _now_ms(client) // _HOUR_MS * _HOUR_MS
        manifest, lines, segments = read_manifest(home, org), 0, 0
        dropped = _drop(client, org, manifest, token)
        while True:
            grown = _seal_next(client, home, manifest, before, most, mark)
            if grown is None:
                return Sealed(org=org, lines=lines, segments=segments, dropped=dropped)
            manifest, segments = grown, segments + 1
            lines += manifest.segments[-1].lines
            mark("manifest_written")
            dropped += _drop(client, org, manifest, token)
            mark("trimmed")


def claim_home(client: redis.Redis, home: Path) -> None:
    """Say that this home's folder holds the sealed ledger, if no other one does.

    Raises:
        OtherHome: another one does.
    """
    folder = home / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "id"
    if not path.exists():
        path.write_text(secrets.token_hex(8) + "\n")
        sync(path)
    ours = f"{path.read_text().strip()} {folder.resolve()}"
    client.set(names.LEDGER_HOME, ours, nx=True)
    theirs = str(cast(bytes, client.get(names.LEDGER_HOME)).decode())
    if theirs.split()[0] != ours.split()[0]:
        raise OtherHome(
            f"the ledger of this Redis is sealed in {theirs.split(maxsplit=1)[1]}, not in "
            f"{folder}; seal and read reports there, or give both gateways one FAIRLEAD_HOME"
        )


def stream_entries(
    client: redis.Redis, org: str, after: str, before_ms: int | None = None
) -> Iterator[Entry]:
    """Entries of an org's ledger in Redis behind an id, up to before a moment."""
    position, last = "(" + after, "+" if before_ms is None else f"({before_ms}-0"
    while True:
        page = cast(
            list[tuple[bytes, dict[bytes, bytes]]],
            client.xrange(names.ledger(org), min=position, max=last, count=_PAGE),
        )
        for entry_id, fields in page:
            yield entry_id, fields[b"line"]
        if len(page) < _PAGE:
            return
        position = "(" + page[-1][0].decode()


def _seal_next(
    client: redis.Redis, home: Path, manifest: Manifest, before: int, most: int, mark: Mark
) -> Manifest | None:
    """The manifest with one more segment, when there is something to seal."""
    folder = ledger_folder(home, manifest.org)
    entries = stream_entries(client, manifest.org, manifest.last, before)
    raw = folder / ".entries.new"
    count, first, last = write_entries(raw, islice(entries, most))
    if not count:
        raw.unlink()
        return None
    mark("entries_read")
    fresh = folder / ".segment.new"
    with open_database(folder / ".spill") as database:
        database.execute(
            f"COPY ({rows_of(raw)}) TO {quoted(str(fresh))} (FORMAT parquet, COMPRESSION zstd)"
        )
        found = database.execute(
            "SELECT count(*), min(dated), max(dated), sum(cost_nanousd)::HUGEINT "
            "FROM read_parquet(?)",
            [str(fresh)],
        ).fetchone()
    raw.unlink()
    mark("file_written")
    if found is None or found[0] != count:
        raise RuntimeError(f"{fresh} does not hold the {count} lines that were read")
    sync(fresh)
    name = f"{first}_{last}.parquet"
    segment = Segment(
        file=name,
        first=first,
        last=last,
        lines=count,
        cost_nanousd=int(found[3]),
        first_at=found[1],
        last_at=found[2],
        sha256=checksum(fresh),
        bytes=fresh.stat().st_size,
    )
    fresh.replace(folder / name)
    sync(folder)
    mark("file_renamed")
    grown = msgspec.structs.replace(manifest, segments=(*manifest.segments, segment))
    write_manifest(home, grown)
    return grown


def _drop(client: redis.Redis, org: str, manifest: Manifest, token: str) -> int:
    """Drop from Redis what the manifest names; also what a crash left there."""
    if not manifest.segments:
        return 0
    milliseconds, number = manifest.last.split("-")
    keys = (names.ledger(org), names.sealing(org))
    args = (token, f"{milliseconds}-{int(number) + 1}")
    _, source = load_scripts().trim.for_server((6, 2))
    return max(0, cast(int, client.eval(source, len(keys), *keys, *args)))


@contextmanager
def _only_sealer(client: redis.Redis, org: str, folder: Path, token: str) -> Iterator[bool]:
    """Whether nobody else seals this ledger while this is entered."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        lease = names.sealing(org)
        # A lease of this folder that a crash left belongs to whoever has the lock now.
        holder = f"{folder.resolve()} {token}"
        known = cast(bytes | None, client.get(lease))
        if known is not None and known.decode().rsplit(" ", 1)[0] == str(folder.resolve()):
            client.delete(lease)
        if not client.set(lease, holder, nx=True, px=_LEASE_MS):
            yield False
            return
        try:
            yield True
        finally:
            if client.get(lease) == holder.encode():
                client.delete(lease)


def _now_ms(client: redis.Redis) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000
