"""The pepper: a secret beside the database, without which stored key hashes are of no use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

#: Below this many bytes a pepper could be guessed.
_SHORTEST = 16


def load_pepper(home: Path, given: str | None = None) -> bytes:
    """The pepper that was given, else the one in `home`, which is made on first use.

    Gateways that share a Redis must share the pepper; each refuses the keys of the others
    otherwise.

    Raises:
        ValueError: the pepper is too short, or its file may be read by others.
    """
    if given:
        pepper = given.encode()
        source = "FAIRLEAD_PEPPER"
    else:
        path = home / "pepper"
        source = str(path)
        pepper = _read_or_make(path)
    if len(pepper) < _SHORTEST:
        raise ValueError(f"the pepper in {source} is shorter than {_SHORTEST} bytes")
    return pepper


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path} can be read by other users; run: chmod 600 {path}")
    return path.read_bytes().strip()


def _make(path: Path) -> None:
    """Write a new pepper; of several processes that do so at once, the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"pepper.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
