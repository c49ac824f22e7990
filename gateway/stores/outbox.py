"""Settlements and records that Redis could not take yet: on the disk, and tried again in order."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

import msgspec

from gateway.core.errors import StoreUnavailable
from gateway.core.ledger import Settlement
from gateway.core.records import AuditRecord
from gateway.stores.ledger import LedgerStore
from gateway.stores.spool import Spool, Spooled

#: Beyond this many the oldest is left to the spool, which is read again when its process is gone.
_MOST_WAITING = 100_000


class Outbox:
    """Books through a ledger store and remembers what it could not book.

    With a spool an entry is on the disk before `settle` and `record` return, and what a process
    left there is booked by the next one, exactly once. Without, what is lost with the process is
    booked from the hold's lease as in doubt.
    """

    def __init__(self, store: LedgerStore, spool: Spool | None = None) -> None:
        self._store = store
        self._spool = spool
        self._waiting: deque[Settlement | AuditRecord] = deque(maxlen=_MOST_WAITING)

    def __len__(self) -> int:
        return len(self._waiting)

    async def settle(self, settlement: Settlement) -> bool:
        """Settle now, or keep it for later; False when it is kept."""
        try:
            await self._store.settle(settlement)
        except StoreUnavailable:
            line = msgspec.structs.replace(settlement.line, spooled=True)
            await self._keep(msgspec.structs.replace(settlement, line=line))
            return False
        return True

    async def record(self, record: AuditRecord) -> bool:
        """Write a decision now, or keep it for later; False when it is kept."""
        try:
            await self._store.record(record)
        except StoreUnavailable:
            await self._keep(record)
            return False
        return True

    async def flush(self) -> int:
        """Try again, oldest first, until one fails; returns how many still wait."""
        waited = len(self._waiting)
        for _ in range(waited):
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
        if waited and not self._waiting and self._spool is not None:
            await asyncio.to_thread(self._spool.clear)
        return len(self._waiting)

    async def adopt(self) -> int:
        """Book what processes that are gone left on the disk; returns how many entries."""
        booked = 0
        if self._spool is None:
            return booked
        orphans = self._spool.orphans()
        while (found := await asyncio.to_thread(next, orphans, None)) is not None:
            path, entries = found
            for entry in entries:
                kept = entry.settlement or entry.record
                if kept is not None:
                    await self._book(kept)
            booked += len(entries)
            await asyncio.to_thread(Path.unlink, path, True)
        return booked

    async def _keep(self, entry: Settlement | AuditRecord) -> None:
        self._waiting.append(entry)
        if self._spool is not None:
            spooled = (
                Spooled(settlement=entry)
                if isinstance(entry, Settlement)
                else Spooled(record=entry)
            )
            await asyncio.to_thread(self._spool.append, spooled)

    async def _book(self, entry: Settlement | AuditRecord) -> None:
        if isinstance(entry, Settlement):
            await self._store.settle(entry)
        else:
            await self._store.record_once(entry)
