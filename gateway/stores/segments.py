"""Sealed parts of a ledger on disk: Parquet segments, and the manifest that says which count.

Rules of this file:
- the manifest alone says what is sealed: a file that it does not name does not exist;
- a file is written under another name, synced and renamed, and so is the manifest after it;
- segments follow one another: each begins behind the last entry of the one before.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

_MANIFEST = "manifest.json"
_CHUNK = 1 << 20


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One file: the ids of its first and last entry, what it holds, and its checksum.

    `first_at` and `last_at` are the earliest and the latest date of its lines.
    """

    file: str
    first: str
    last: str
    lines: int
    cost_nanousd: int
    first_at: float
    last_at: float
    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All segments of one org's ledger, oldest first."""

    org: str
    segments: tuple[Segment, ...] = ()

    @property
    def last(self) -> str:
        """The id of the last sealed entry; `0-0` when nothing is sealed."""
        return self.segments[-1].last if self.segments else "0-0"


class DamagedLedger(Exception):
    """A sealed file is not what its manifest says; the message names it."""


def ledger_folder(home: Path, org: str) -> Path:
    """Where an org's segments lie."""
    return home / "ledger" / org


def read_manifest(home: Path, org: str) -> Manifest:
    """The manifest of an org; an empty one when nothing is sealed.

    Raises:
        DamagedLedger: it cannot be read.
    """
    path = ledger_folder(home, org) / _MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest(org=org)
    except msgspec.DecodeError as error:
        raise DamagedLedger(f"{path} cannot be read: {error}") from None


def write_manifest(home: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step that survives a crash."""
    folder = ledger_folder(home, manifest.org)
    fresh = folder / f".{_MANIFEST}.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    sync(fresh)
    fresh.replace(folder / _MANIFEST)
    sync(folder)


def segment_paths(home: Path, manifest: Manifest) -> list[Path]:
    """The files that count."""
    folder = ledger_folder(home, manifest.org)
    return [folder / segment.file for segment in manifest.segments]


def check_segments(home: Path, manifest: Manifest) -> None:
    """Read every file and compare it with its checksum.

    Raises:
        DamagedLedger: a file is missing or another one.
    """
    for path, segment in zip(segment_paths(home, manifest), manifest.segments, strict=True):
        if not path.exists():
            raise DamagedLedger(f"{path} is missing")
        if checksum(path) != segment.sha256:
            raise DamagedLedger(f"{path} is not the file that was sealed")


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as held:
        while chunk := held.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
