"""Settlements and records that Redis could not take yet: kept in memory and tried again."""

from __future__ import annotations

from collections import deque

from gateway.core.errors import StoreUnavailable
from gateway.core.ledger import Settlement
from gateway.core.records import AuditRecord
from gateway.stores.ledger import LedgerStore

#: Beyond this many the oldest is let go; its hold's lease still books it as in doubt.
_MOST_WAITING = 100_000


class Outbox:
    """Books through a ledger store and remembers what it could not book.

    What is lost with the process is booked from the hold's lease as in doubt, so waiting here
    never loses money, only precision.
    """

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._waiting: deque[Settlement | AuditRecord] = deque(maxlen=_MOST_WAITING)

    def __len__(self) -> int:
        return len(self._waiting)

    async def settle(self, settlement: Settlement) -> bool:
        """Settle now, or keep it for later; False when it is kept."""
        return await self._put(settlement)

    async def record(self, record: AuditRecord) -> bool:
        """Write a decision now, or keep it for later; False when it is kept."""
        return await self._put(record)

    async def flush(self) -> int:
        """Try again, oldest first, until one fails; returns how many still wait."""
        for _ in range(len(self._waiting)):
            entry = self._waiting.popleft()
            booked = False
            try:
                await self._book(entry)
                booked = True
            except StoreUnavailable:
                break
            finally:
                if not booked:
                    self._waiting.appendleft(entry)
        return len(self._waiting)

    async def _put(self, entry: Settlement | AuditRecord) -> bool:
        try:
            await self._book(entry)
        except StoreUnavailable:
            self._waiting.append(entry)
            return False
        return True

    async def _book(self, entry: Settlement | AuditRecord) -> None:
        if isinstance(entry, Settlement):
            await self._store.settle(entry)
        else:
            await self._store.record(entry)
