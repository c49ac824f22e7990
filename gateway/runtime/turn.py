"""The right of one exchange to answer first under its idempotency key."""

from __future__ import annotations

from gateway.runtime.client import Tape
from gateway.runtime.lease import Lease
from gateway.stores.idempotency import Claim, IdempotencyStore

#: How long a claim outlives a gateway that died, in seconds.
LEASE_SECONDS = 15.0


class Turn:
    """A claim with the copy of the answer that is being made under it.

    `limit` is the largest body, in bytes, that is kept.
    """

    def __init__(self, store: IdempotencyStore, claim: Claim, limit: int) -> None:
        self.tape = Tape(limit)
        self._store = store
        self._claim = claim
        self._lease = Lease(lambda: store.renew(claim, LEASE_SECONDS), LEASE_SECONDS)

    def begin(self) -> None:
        """Renew the claim from now on, for as long as the turn lasts."""
        self._lease.__enter__()

    async def end(self, *, final: bool) -> None:
        """Keep a final answer that is whole and fits; else let the next one try.

        Raises:
            StoreUnavailable: the claim ends with its lease then.
        """
        self._lease.__exit__()
        if final and self.tape.whole and self.tape.fits:
            tape = self.tape
            await self._store.keep(self._claim, tape.status, tape.headers, tape.body)
        else:
            await self._store.release(self._claim)
