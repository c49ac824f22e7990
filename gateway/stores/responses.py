"""Stored responses: what `store` of the Responses API keeps, sealed by org and for a day.

Rules of this file:
- a record is encrypted with a key that only this org's name and the pepper give, and bound to the
  name it is stored under, so that neither a copy of Redis nor a record moved elsewhere is readable;
- the API upstream keeps responses for 30 days on disk; here they lie in RAM: `KEPT_SECONDS`
  after a response was last used they are gone;
- a turn is stored once: a record names the turns before it and does not repeat them.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.stores import names
from gateway.stores.connection import RedisConnection

#: How long a response is kept after it was last used, in seconds.
KEPT_SECONDS = 24 * 3600

_NONCE_BYTES = 12
_PURPOSE = b"fairlead stored responses: "
#: An id may come from a backend; what could not be an id is not looked up.
_ID = re.compile(r"[A-Za-z0-9._:\-]{1,200}")


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One turn: its own input items, the response as the client saw it, and what came before.

    `earlier` are the ids of the turns before it, oldest first. `sensitivity` is the level that
    the whole conversation was judged at, and `floor` the one that a later turn cannot go below:
    that of what was sent, where something was masked.
    """

    id: str
    items: tuple[msgspec.Raw, ...]
    response: msgspec.Raw
    earlier: tuple[str, ...] = ()
    sensitivity: int = 0
    floor: int = 0


class ResponseStore:
    """Keeps and finds responses. Methods raise `StoreUnavailable` when Redis is away."""

    def __init__(self, connection: RedisConnection, pepper: bytes) -> None:
        self._connection = connection
        self._pepper = pepper
        self._decode = msgspec.json.Decoder(StoredResponse).decode
        self._ciphers: dict[str, AESGCM] = {}

    async def keep(self, org: str, stored: StoredResponse, item_ids: Sequence[str] = ()) -> None:
        """Store a response, findable by its own id and by those of its items."""
        if not _ID.fullmatch(stored.id):
            return
        name = names.stored_response(org, stored.id)
        sealed = self._seal(org, name, msgspec.json.encode(stored))
        commands = [self._connection.execute("SET", name, sealed, "EX", KEPT_SECONDS)]
        for item_id in item_ids:
            if _ID.fullmatch(item_id):
                pointer = names.stored_item(org, item_id)
                commands.append(
                    self._connection.execute("SET", pointer, stored.id, "EX", KEPT_SECONDS)
                )
        await asyncio.gather(*commands)

    async def find(self, org: str, response_id: str) -> StoredResponse | None:
        """A response of this org; looking at it keeps it for another while."""
        if not _ID.fullmatch(response_id):
            return None
        name = names.stored_response(org, response_id)
        reply = await self._connection.execute("GETEX", name, "EX", KEPT_SECONDS, idempotent=True)
        return self._open(org, name, reply) if isinstance(reply, bytes) else None

    async def find_all(self, org: str, ids: Sequence[str]) -> list[StoredResponse | None]:
        """Several responses, in the order asked for."""
        return list(await asyncio.gather(*(self.find(org, one) for one in ids)))

    async def find_by_item(self, org: str, item_id: str) -> StoredResponse | None:
        """The response that an item belongs to."""
        if not _ID.fullmatch(item_id):
            return None
        reply = await self._connection.execute(
            "GET", names.stored_item(org, item_id), idempotent=True
        )
        return await self.find(org, reply.decode()) if isinstance(reply, bytes) else None

    async def forget(self, org: str, response_id: str) -> bool:
        """Delete a response; False when there was none."""
        if not _ID.fullmatch(response_id):
            return False
        name = names.stored_response(org, response_id)
        return await self._connection.execute("DEL", name, idempotent=True) == 1

    def _seal(self, org: str, name: str, record: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(org).encrypt(nonce, record, name.encode())

    def _open(self, org: str, name: str, sealed: bytes) -> StoredResponse | None:
        """The record, or None where it was sealed under another pepper or for another place."""
        try:
            record = self._cipher(org).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode()
            )
        except (InvalidTag, ValueError):
            return None
        return self._decode(record)

    def _cipher(self, org: str) -> AESGCM:
        cipher = self._ciphers.get(org)
        if cipher is None:
            derive = HKDF(SHA256(), 32, salt=None, info=_PURPOSE + org.encode())
            cipher = self._ciphers[org] = AESGCM(derive.derive(self._pepper))
        return cipher
