"""The policy file on disk: its text, whether it is still the same, and how it is written.

Written whole or not at all where the folder allows it, and with the mode that it had. A file
behind a symbolic link is written where the link leads.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from tempfile import NamedTemporaryFile

from policies.document import decode

#: What changes when a file does: times of content and of status, size, and which file it is.
Stamp = tuple[int, int, int, int]


def stamp_of(path: Path) -> Stamp | None:
    """Look at a file without reading it; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def read_text(path: Path) -> str:
    """The text of a policy file.

    Raises:
        OSError: it cannot be read.
        PolicyError: it is no text.
    """
    return decode(path.read_bytes(), str(path))


def write_text(path: Path, text: str) -> None:
    """Replace the text of a policy file.

    Raises:
        OSError: it may not be written, or is on a read-only file system.
    """
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o600
    try:
        _replace(real, text, mode)
    except OSError:
        # The folder may take no new file, or the file may be mounted by itself.
        real.write_text(text, encoding="utf-8", newline="")


def _replace(real: Path, text: str, mode: int) -> None:
    with NamedTemporaryFile(
        "w", dir=real.parent, prefix=f".{real.name}.", delete=False, encoding="utf-8", newline=""
    ) as draft:
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
    made = Path(draft.name)
    try:
        made.chmod(mode)
        made.replace(real)
    except OSError:
        made.unlink(missing_ok=True)
        raise


def place_of(path: Path) -> str:
    """Which file it is, for people who have several machines."""
    return f"{path} on {socket.gethostname()}"


def who_keeps(path: Path) -> str:
    """Whose file it is, in words: the best answer to who changed it."""
    try:
        owner = path.owner()
    except (OSError, KeyError):
        owner = "somebody"
    return f"{owner}, {place_of(path)}"
