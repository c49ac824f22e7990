"""The first answer under each idempotency key, sealed, for a day.

A key's entry begins as a claim under a lease that its owner renews, so that a gateway that dies
blocks nobody for long, and ends as the answer. Only whoever holds the claim can end it. Entries
are sealed, so their bytes differ each time and serve as proof of ownership.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from gateway.stores import names
from gateway.stores.connection import Argument, RedisConnection
from gateway.stores.scripts import load_scripts
from gateway.stores.sealing import Unsealable, Vault

#: How long an answer is kept, in seconds.
KEPT_SECONDS = 24 * 3600.0


class Entry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What stands under a key: the request's fingerprint, and the answer once there is one.

    `status` is 0 while the first request runs.
    """

    fingerprint: bytes
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    @property
    def running(self) -> bool:
        """Whether the first request has not been answered yet."""
        return self.status == 0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to answer first; `proof` is what was written, and nobody else can have written."""

    org: str
    place: str
    fingerprint: bytes
    proof: bytes


class IdempotencyStore:
    """Claims and answers by principal and key.

    Methods raise `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(self, connection: RedisConnection, pepper: bytes) -> None:
        self._connection = connection
        self._vault = Vault(pepper, "idempotency")
        scripts = load_scripts()
        self._claim, self._swap = scripts.claim, scripts.swap

    async def claim(
        self, org: str, owner: str, key: str, fingerprint: bytes, lease_seconds: float
    ) -> Claim | Entry:
        """The claim, or what stands under the key already.

        Args:
            org: whose key space it is.
            owner: the principal within it; keys of different owners never meet.
            key: as the client sent it.
            fingerprint: of the request.
            lease_seconds: how long the claim holds without being renewed.
        """
        digest = sha256(f"{owner}\x00{key}".encode()).hexdigest()
        place = names.once(org, digest)
        marker = self._seal(org, place, Entry(fingerprint=fingerprint))
        made = Claim(org=org, place=place, fingerprint=fingerprint, proof=marker)
        lease = _milliseconds(lease_seconds)
        # The same marker again is our own: the first answer was lost with its connection.
        found = await self._connection.run(self._claim, [place], [marker, lease])
        if not isinstance(found, bytes) or found == marker:
            return made
        try:
            return msgspec.msgpack.decode(self._vault.open(org, place, found), type=Entry)
        except (Unsealable, msgspec.DecodeError):
            # Left from before the pepper was changed: worth nothing to anybody.
            await self._connection.run(self._swap, [place], [found, marker, lease])
            return made

    async def renew(self, claim: Claim, lease_seconds: float) -> bool:
        """Hold a claim for longer; False when it was lost."""
        args: list[Argument] = [claim.proof, claim.proof, _milliseconds(lease_seconds)]
        return await self._connection.run(self._swap, [claim.place], args) == 1

    async def keep(
        self, claim: Claim, status: int, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> bool:
        """End a claim with its answer; False when it was lost."""
        entry = Entry(
            fingerprint=claim.fingerprint, status=status, headers=tuple(headers), body=body
        )
        sealed = self._seal(claim.org, claim.place, entry)
        args: list[Argument] = [claim.proof, sealed, _milliseconds(KEPT_SECONDS)]
        return await self._connection.run(self._swap, [claim.place], args) == 1

    async def release(self, claim: Claim) -> bool:
        """End a claim without an answer, so that the next one may try."""
        args: list[Argument] = [claim.proof, b"", 0]
        return await self._connection.run(self._swap, [claim.place], args) == 1

    def _seal(self, org: str, place: str, entry: Entry) -> bytes:
        return self._vault.seal(org, place, msgspec.msgpack.encode(entry))


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
