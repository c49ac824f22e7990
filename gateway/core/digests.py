"""Keyed digests of several texts, which tell nobody without the key what the texts are."""

from __future__ import annotations

import hmac
from hashlib import sha256


def keyed_digest(secret: bytes, purpose: str, *parts: str) -> bytes:
    """HMAC-SHA256 (32 bytes) of the parts for one purpose.

    Every part counts whole, so that no other parts have the same digest, and what is made for one
    purpose is of no use for another.
    """
    told = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
    return hmac.digest(secret, f"fairlead {purpose}\0".encode() + told, sha256)
