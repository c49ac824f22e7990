"""A hash chain over the audit log, with signed checkpoints.

Each entry's hash covers the hash before it, so a checkpoint stands for everything up to it:
whoever changes, removes, adds or reorders an entry breaks the checkpoints behind it. Whoever
can write to Redis and also knows the key can forge; keep the printed head elsewhere to notice.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The head of an org's chain at one entry.

    `entries` counts all entries up to and including `last_id`; `previous` is the head of the
    checkpoint before; heads are SHA-256 in hex; `at` is epoch seconds; `signature` is an
    HMAC-SHA256, in hex, over all the other fields.
    """

    org: str
    entries: int
    last_id: str
    head: str
    previous: str
    at: float
    signature: str = ""


def first_head(org: str) -> bytes:
    """What the first entry of an org is chained to."""
    return hashlib.sha256(b"fairlead audit chain 1\n" + org.encode()).digest()


def extended(head: bytes, entry_id: bytes, entry: bytes) -> bytes:
    """The head after one more entry; id and content cannot trade bytes."""
    link = hashlib.sha256(head)
    link.update(len(entry_id).to_bytes(8, "big"))
    link.update(entry_id)
    link.update(entry)
    return link.digest()


def seal_key(pepper: bytes) -> bytes:
    """The key that checkpoints are signed with, made from the installation's pepper."""
    return hmac.digest(pepper, b"fairlead audit checkpoint", "sha256")


def signed(checkpoint: Checkpoint, key: bytes) -> Checkpoint:
    """The checkpoint with its signature."""
    return msgspec.structs.replace(checkpoint, signature=_signature(checkpoint, key))


def is_genuine(checkpoint: Checkpoint, key: bytes) -> bool:
    """Whether the signature was made with this key over exactly these fields."""
    given = checkpoint.signature.encode()
    return hmac.compare_digest(given, _signature(checkpoint, key).encode())


def _signature(checkpoint: Checkpoint, key: bytes) -> str:
    bare = msgspec.structs.replace(checkpoint, signature="")
    return hmac.digest(key, msgspec.json.encode(bare), "sha256").hex()
