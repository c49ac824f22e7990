"""Closed periods on disk: `FAIRLEAD_HOME/closes/ORG/PERIOD/`, written whole or not at all.

Rules of this file:
- a period's folder appears in one step, complete, and is never written again;
- a manifest is signed with a key made from the installation's pepper, whose public half is in it:
  whoever keeps that can check a manifest without any secret.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.core.closing import Closed
from gateway.stores.segments import sync

_MANIFEST = "manifest.json"


class DamagedClose(Exception):
    """A closed period is not what was signed; the message names what differs."""


def closing_key(pepper: bytes) -> Ed25519PrivateKey:
    """The key that this installation signs closed periods with."""
    derived = HKDF(SHA256(), 32, salt=None, info=b"fairlead/closing\x00ed25519").derive(pepper)
    return Ed25519PrivateKey.from_private_bytes(derived)


def signed(closed: Closed, key: Ed25519PrivateKey) -> Closed:
    """The manifest with its public key and signature; the same manifest, the same signature."""
    public = key.public_key().public_bytes_raw().hex()
    named = msgspec.structs.replace(closed, public_key=public)
    return msgspec.structs.replace(named, signature=key.sign(named.signed_bytes).hex())


def is_genuine(closed: Closed, key: Ed25519PrivateKey) -> bool:
    """Whether this installation signed exactly this manifest."""
    public: Ed25519PublicKey = key.public_key()
    if closed.public_key != public.public_bytes_raw().hex():
        return False
    try:
        public.verify(bytes.fromhex(closed.signature), closed.signed_bytes)
    except (InvalidSignature, ValueError):
        return False
    return True


def manifest_bytes(closed: Closed) -> bytes:
    """A manifest as it lies on disk."""
    return msgspec.json.format(msgspec.json.encode(closed, order="sorted"), indent=1) + b"\n"


def manifest_sha256(closed: Closed) -> str:
    """What the next period's manifest says of this one."""
    return sha256(manifest_bytes(closed)).hexdigest()


def closes_folder(home: Path, org: str) -> Path:
    """Where an org's closed periods lie."""
    return home / "closes" / org


def read_closes(home: Path, org: str) -> tuple[Closed, ...]:
    """The closed periods of an org, oldest first.

    Raises:
        DamagedClose: a manifest cannot be read.
    """
    found = []
    for path in sorted(closes_folder(home, org).glob(f"[0-9]*/{_MANIFEST}")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Closed))
        except msgspec.DecodeError as error:
            raise DamagedClose(f"{path} cannot be read: {error}") from None
    return tuple(sorted(found, key=lambda one: one.starts))


def read_files(home: Path, closed: Closed) -> dict[str, bytes]:
    """The files of a closed period, as they lie there now; those that are missing are left out."""
    folder = closes_folder(home, closed.org) / closed.period
    paths = {name: folder / name for name in closed.files}
    return {name: path.read_bytes() for name, path in paths.items() if path.exists()}


def write_close(home: Path, closed: Closed, files: Mapping[str, bytes]) -> Path:
    """Write a period's folder, which must not be there yet; where it lies.

    Raises:
        FileExistsError: somebody closed the period meanwhile.
    """
    folder = closes_folder(home, closed.org)
    folder.mkdir(parents=True, exist_ok=True)
    fresh, final = folder / f".{closed.period}.new", folder / closed.period
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, content in (*files.items(), (_MANIFEST, manifest_bytes(closed))):
        path = fresh / name
        path.write_bytes(content)
        path.chmod(0o444)
        sync(path)
    sync(fresh)
    if final.exists():
        shutil.rmtree(fresh)
        raise FileExistsError(str(final))
    fresh.rename(final)
    sync(folder)
    return final
