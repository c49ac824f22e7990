"""Slices: parts of budgets that a gateway keeps for itself, to spend while Redis is away.

Rules of this file:
- a slice is held in Redis like the money of a request, so nobody else can spend it, and what a
  gateway spends without Redis never passes its slices;
- a budget without a slice is not spent from: the request is refused as if nothing were lenient;
- limits are kept by each gateway for itself as long as Redis is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from gateway.core.budgets import BudgetCounter, Refused
from gateway.core.errors import StoreUnavailable
from gateway.core.ledger import Granted, Hold, Settlement
from gateway.core.limits import Limited
from gateway.core.money import MAX_NANOUSD
from gateway.core.twin import Book, place_hold, settle_hold
from gateway.stores.ledger import LedgerStore

#: How long a slice lives unless it is renewed, in seconds: longer than outages should be.
SLICE_SECONDS = 3600.0
#: A slice is worth so many of the dearest holds of late, but at most this share of what is left.
_WORTH = 20
_THOUSANDTHS = 50
#: Budgets that nobody used for so long keep no slice; seconds.
_IDLE_SECONDS = 600.0
#: Slices that are looked after in one turn.
_MOST_SLICES = 500

_SliceKey = tuple[str, str, str, str]


class _Slice(msgspec.Struct):
    """One budget of late: its counter, the dearest hold, when it was used, and what is kept."""

    org: str
    counter: BudgetCounter
    dearest: int
    used_at: float
    kept: int = 0


class SliceKeeper:
    """Keeps slices while Redis is there, and grants holds from them while it is not."""

    def __init__(
        self, store: LedgerStore, gateway: str, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._wall = wall
        self._slices: dict[_SliceKey, _Slice] = {}
        self._books: dict[str, Book] = {}

    def note(self, hold: Hold) -> None:
        """Remember the budgets of a hold that Redis granted."""
        now = self._wall()
        for counter in hold.counters:
            if not counter.enforce:
                continue
            key = (hold.org, counter.scope, counter.per, counter.zone)
            known = self._slices.get(key)
            if known is None:
                self._slices[key] = _Slice(
                    org=hold.org, counter=counter, dearest=hold.amount_nanousd, used_at=now
                )
                continue
            known.used_at = now
            known.dearest = max(known.dearest, hold.amount_nanousd)
            if counter.cap_nanousd < known.counter.cap_nanousd:
                known.counter = counter

    async def keep(self) -> None:
        """Bring every slice to its size and lengthen its lease; idle ones are given back.

        Only to be called when nothing that was spent without Redis still waits to be booked.

        Raises:
            StoreUnavailable: Redis does not answer; the slices stay what they were.
        """
        now = self._wall()
        for key, one in list(self._slices.items())[:_MOST_SLICES]:
            idle = now - one.used_at > _IDLE_SECONDS
            await self._resize(key, one, 0 if idle else _WORTH * one.dearest)
            if idle:
                del self._slices[key]
        # What was spent without Redis has been booked by now: the slices are whole again, but for
        # what is still under way.
        for org, book in self._books.items():
            self._books[org] = msgspec.structs.replace(book, spent={})

    async def give_back(self) -> None:
        """Give all slices back, when the gateway ends."""
        for key, one in list(self._slices.items()):
            await self._resize(key, one, 0)
            del self._slices[key]

    def hold(self, hold: Hold) -> Granted | Limited:
        """Grant a hold from the slices, without Redis.

        Raises:
            StoreUnavailable: a budget of it has no slice, or not enough is left of one.
        """
        counters = []
        for counter in hold.counters:
            known = self._slices.get((hold.org, counter.scope, counter.per, counter.zone))
            kept = known.kept if known is not None else 0
            if counter.enforce and not kept:
                raise _not_covered(counter)
            cap = kept if counter.enforce else MAX_NANOUSD
            counters.append(
                BudgetCounter(
                    scope=f"{counter.scope} {counter.per} {counter.zone}",
                    per="total",
                    cap_nanousd=cap,
                    enforce=counter.enforce,
                )
            )
        local = msgspec.structs.replace(hold, counters=tuple(counters))
        book = self._books.get(hold.org, Book())
        self._books[hold.org], answer = place_hold(book, local, self._wall())
        if isinstance(answer, Refused):
            raise _not_covered(answer.counter)
        return msgspec.structs.replace(answer, used=()) if isinstance(answer, Granted) else answer

    def settle(self, settlement: Settlement) -> None:
        """Give the rest of a hold that was granted here back to the slices."""
        book = self._books.get(settlement.org)
        if book is not None and settlement.hold_id in book.holds:
            settled = settle_hold(book, settlement)
            # The lines are the outbox's.
            self._books[settlement.org] = msgspec.structs.replace(
                settled, lines=(), audits=(), rollups={}, settled=frozenset()
            )

    async def _resize(self, key: _SliceKey, one: _Slice, wanted: int) -> None:
        slice_id = f"slice:{self._gateway}:{':'.join(key[1:])}"
        one.kept = await self._store.slice(
            one.org, slice_id, one.counter, min(wanted, MAX_NANOUSD), _THOUSANDTHS, SLICE_SECONDS
        )


def _not_covered(counter: BudgetCounter) -> StoreUnavailable:
    return StoreUnavailable(
        "The gateway cannot reach its ledger, and what it may spend without it does not cover "
        "this request. Try again shortly.",
        detail=f"no slice of {counter.scope} covers it",
        retry_after=1.0,
    )
