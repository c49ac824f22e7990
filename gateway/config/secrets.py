"""Resolves `env:NAME` and `file:PATH`: the only place where a policy's secrets are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.core.deployment import Secret

#: A secret file is one line; whatever is larger is not one.
_LARGEST_SECRET = 16_384


def secret_lookup(
    environ: Mapping[str, str], folder: Path = Path()
) -> Callable[[str], Secret | None]:
    """A function from a reference to its secret; None where nothing usable is there.

    Args:
        environ: the environment.
        folder: where relative paths start: the folder of the policy file.
    """

    def look_up(reference: str) -> Secret | None:
        kind, _, name = reference.partition(":")
        if kind == "env":
            return _secret(environ.get(name, ""))
        if kind == "file":
            return _secret(_first_line(folder / name))
        return None

    return look_up


def _secret(text: str) -> Secret | None:
    """The secret, unless it is empty or could not be sent in a header."""
    kept = text.strip()
    return Secret(kept) if kept and kept.isascii() and kept.isprintable() else None


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_SECRET)
        return raw.decode("ascii")
    except (OSError, ValueError):
        return ""
