"""Registered documents in Redis and in the home folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from gateway.stores import names
from gateway.stores.connection import RedisConnection
from gateway.stores.fingerprints import (
    COPY,
    FingerprintBook,
    UnknownDocument,
    document,
    documents,
    hasher,
    read_copy,
    stamp,
)
from gateway.stores.versions import ask

PEPPER = b"0123456789abcdef"
TEXT = "The northern works will be closed in spring, and nobody may know of it until then. " * 3
OTHER = "Prices for the new line are fixed at the meeting of both boards and kept in the safe. " * 3


def _made(name: str, text: str, now: float):
    made = document(name, text, hasher(PEPPER), now)
    assert made is not None
    return made


async def test_documents_are_kept_without_their_text(
    client: redis.Redis, connection: RedisConnection, tmp_path: Path
):
    """What Redis holds are a name and hashes, in the order in which they came."""
    book = FingerprintBook(client, tmp_path)
    book.add([_made("b.txt", OTHER, 2.0), _made("a.txt", TEXT, 1.0)])
    raw = b"".join(client.hvals(names.FINGERPRINTS))

    assert [one.name for one in book.all()] == ["a.txt", "b.txt"]
    assert await ask(connection, documents()) == book.all()
    assert b"northern" not in raw.lower()
    assert b"boards" not in raw.lower()


async def test_the_stamp_changes_with_the_documents(
    client: redis.Redis, connection: RedisConnection, tmp_path: Path
):
    """Gateways see by it that they have to read anew."""
    book, stamps = FingerprintBook(client, tmp_path), [await ask(connection, stamp())]
    book.add([_made("a.txt", TEXT, 1.0)])
    stamps.append(await ask(connection, stamp()))
    book.remove(["a.txt"])
    stamps.append(await ask(connection, stamp()))

    assert stamps[0] == b""
    assert len(set(stamps)) == 3


def test_documents_are_removed_by_id_or_name(client: redis.Redis, tmp_path: Path):
    """One that is not known stops the whole removal."""
    book = FingerprintBook(client, tmp_path)
    one, two = _made("a.txt", TEXT, 1.0), _made("b.txt", OTHER, 2.0)
    book.add([one, two])

    with pytest.raises(UnknownDocument, match=r"c\.txt"):
        book.remove(["a.txt", "c.txt"])
    assert book.remove([one.id, "a.txt"]) == [one]
    assert book.all() == [two]


def test_the_same_text_is_kept_once(client: redis.Redis, tmp_path: Path):
    """Adding a file again renews its entry."""
    book = FingerprintBook(client, tmp_path)
    book.add([_made("a.txt", TEXT, 1.0)])
    book.add([_made("b.txt", TEXT, 2.0)])

    assert [one.name for one in book.all()] == ["b.txt"]


def test_the_copy_recognises_what_was_registered(client: redis.Redis, tmp_path: Path):
    """Commands in the same home know the documents without Redis; others cannot read the file."""
    assert read_copy(tmp_path, PEPPER) is None

    FingerprintBook(client, tmp_path).add([_made("a.txt", TEXT, 1.0)])
    index = read_copy(tmp_path, PEPPER)

    assert index is not None
    assert index.find(TEXT)
    assert (tmp_path / COPY).stat().st_mode & 0o077 == 0


def test_a_damaged_copy_is_told(tmp_path: Path):
    """Going on without the documents would let them out."""
    (tmp_path / COPY).write_bytes(b"\xc1")

    with pytest.raises(ValueError, match="fairlead fingerprint list"):
        read_copy(tmp_path, PEPPER)


def test_a_short_text_has_no_document():
    """There is nothing by which it could be recognised."""
    assert document("a.txt", "secret", hasher(PEPPER), 1.0) is None
