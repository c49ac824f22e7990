"""Registered documents in Redis, and a copy of them beside the gateway for its commands.

What is kept of a document is its name and keyed hashes of its letters. The key comes from the
pepper, so that who has only the database cannot try texts against it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
import redis

from gateway.classify.fingerprints import Document, FingerprintIndex, Hasher
from gateway.stores import names
from gateway.stores.connection import Reply
from gateway.stores.replies import texts_in
from gateway.stores.versions import Question, ask_now

#: The copy's name in the home folder.
COPY = "fingerprints.msgpack"


class UnknownDocument(LookupError):
    """No document has that id or name; the argument is what was asked for."""


def hasher(pepper: bytes) -> Hasher:
    """What registers and recognises documents where this pepper is used."""
    return Hasher(hmac.digest(pepper, b"fingerprints", "sha256"))


def document(name: str, text: str, hashes: Hasher, now: float) -> Document | None:
    """What is kept of a text; None where it is too short to be recognised."""
    kept = hashes.represent(text)
    if not kept:
        return None
    return Document(hashlib.sha256(kept).hexdigest()[:12], name, kept, now)


def stamp() -> Question[bytes]:
    """What changes whenever a document is added or removed; empty while there was none."""
    return Question(("GET", names.FINGERPRINTS_STAMP), _read_bytes)


def documents() -> Question[list[Document]]:
    """All registered documents, the oldest first."""
    return Question(("HVALS", names.FINGERPRINTS), _read_documents)


class FingerprintBook:
    """Adds, lists and removes documents, for a command."""

    def __init__(self, client: redis.Redis, home: Path) -> None:
        self._client = client
        self._home = home

    def add(self, new: Sequence[Document]) -> None:
        """Register documents; one with the same hashes as a known one takes its place."""
        with self._client.pipeline(transaction=True) as steps:
            for one in new:
                steps.hset(names.FINGERPRINTS, one.id, msgspec.msgpack.encode(one))
            steps.set(names.FINGERPRINTS_STAMP, secrets.token_hex(8))
            steps.execute()
        self.refresh()

    def all(self) -> list[Document]:
        """All registered documents, the oldest first."""
        return ask_now(self._client, documents())

    def remove(self, wanted: Sequence[str]) -> list[Document]:
        """Forget the documents with these ids or names, and return them.

        Raises:
            UnknownDocument: one of them is not known; nothing was removed then.
        """
        known, gone = self.all(), []
        for name in wanted:
            found = [one for one in known if name in (one.id, one.name)]
            if not found:
                raise UnknownDocument(name)
            gone += [one for one in found if one not in gone]
        with self._client.pipeline(transaction=True) as steps:
            for one in gone:
                steps.hdel(names.FINGERPRINTS, one.id)
            steps.set(names.FINGERPRINTS_STAMP, secrets.token_hex(8))
            steps.execute()
        self.refresh()
        return gone

    def refresh(self) -> None:
        """Make the copy in the home folder what Redis has."""
        write_copy(self._home, self.all())


def write_copy(home: Path, known: Sequence[Document]) -> None:
    """Keep the documents beside the gateway, readable for its user only."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = home / f"{COPY}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.msgpack.encode(list(known)))
    draft.replace(home / COPY)


def read_copy(home: Path, pepper: bytes) -> FingerprintIndex | None:
    """The documents that were known here last; None where there never was one.

    Raises:
        ValueError: the copy is damaged.
    """
    path = home / COPY
    if not path.exists():
        return None
    try:
        known = msgspec.msgpack.decode(path.read_bytes(), type=list[Document])
    except msgspec.MsgspecError:
        raise ValueError(
            f"{path} is damaged; remove it, and `fairlead fingerprint list` makes it anew"
        ) from None
    return FingerprintIndex(known, hasher(pepper))


def _read_bytes(reply: Reply) -> bytes:
    return reply if isinstance(reply, bytes) else b""


def _read_documents(reply: Reply) -> list[Document]:
    found = [msgspec.msgpack.decode(one, type=Document) for one in texts_in(reply)]
    return sorted(found, key=lambda one: (one.added_at, one.id))
