"""Chance that is drawn from ids, so that the same request is always drawn alike."""

from __future__ import annotations

from hashlib import blake2b


def chance(*words: str) -> float:
    """A number within (0, 1) that looks drawn by chance and depends on the words alone."""
    digest = blake2b("\0".join(words).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / 2.0**64
