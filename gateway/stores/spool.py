"""What Redis could not take, on this machine's disk until it can: synced before anybody goes on.

Rules of this file:
- a process writes to a file of its own and holds a lock on it, so that another one knows when it
  is gone and can take its entries over;
- an entry is on the disk when `append` returns;
- a file is emptied only when all of its entries were booked; booking is idempotent, so a crash
  in between books nothing twice.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.core.ledger import Settlement
from gateway.core.records import AuditRecord


class Spooled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a spool: either a settlement or an audit record."""

    settlement: Settlement | None = None
    record: AuditRecord | None = None


class Spool:
    """The spool of one process; every method blocks for the disk."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "spool"
        self._held: BinaryIO | None = None
        self._path: Path | None = None
        self._busy = threading.Lock()

    def append(self, entry: Spooled) -> None:
        """Write an entry and bring it to the disk."""
        line = msgspec.json.encode(entry) + b"\n"
        with self._busy:
            held = self._opened()
            held.write(line)
            held.flush()
            os.fsync(held.fileno())

    def clear(self) -> None:
        """Forget everything: all of it was booked."""
        with self._busy:
            if self._held is not None and self._path is not None:
                self._path.unlink(missing_ok=True)
                self._held.close()
                self._held = self._path = None

    def close(self) -> None:
        """Let go of the file; what is in it is taken over by whoever comes next."""
        with self._busy:
            if self._held is not None:
                self._held.close()
                self._held = self._path = None

    def orphans(self) -> Iterator[tuple[Path, list[Spooled]]]:
        """The spools of processes that are gone, each locked for as long as it is looked at."""
        for path in sorted(self._folder.glob("*.jsonl")):
            if path == self._path:
                continue
            try:
                held = path.open("rb")
            except FileNotFoundError:
                continue
            with held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                if path.exists():
                    yield path, list(_entries(held.read()))

    def _opened(self) -> BinaryIO:
        if self._held is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path = self._folder / f"{os.getpid()}-{time.time_ns()}.jsonl"
            self._held = self._path.open("ab")
            fcntl.flock(self._held, fcntl.LOCK_EX)
            folder = os.open(self._folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return self._held


def _entries(text: bytes) -> Iterator[Spooled]:
    """The whole lines; one that a crash cut off was never acknowledged."""
    decode = msgspec.json.Decoder(Spooled).decode
    for line in text.split(b"\n")[:-1]:
        yield decode(line)
