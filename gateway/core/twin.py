"""What the Lua scripts do with money and limits, as values and pure functions.

A test runs these and the scripts of `gateway/stores/lua` over the same histories. Rules that both
keep:
- a hold is granted only when every enforced counter has room for all of it, and every limit;
- a settlement releases the hold and books the real cost in the period of the hold;
- a lease that ran out is booked at the held amount, and a later settlement corrects that;
- hold and settle are idempotent by hold id;
- two counters of one scope and period are one counter with two caps, and so are two limits;
- what an attempt did not use of a window is given back, while the window still holds it;
- every line is counted in the rollups of the hour and the day of its date.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.budgets import BudgetUse, Refused, refusal
from gateway.core.ledger import Granted, Hold, Settlement, correction_of
from gateway.core.limits import SLOTS, LimitCounter, Limited, LimitUse
from gateway.core.periods import in_window, period_of
from gateway.core.records import AuditRecord, LedgerLine
from gateway.core.rollups import cell_of, changes_of

#: Org, scope, per with its zone, and period.
CounterKey = tuple[str, str, str, str]
#: Org, scope and length of the window.
WindowKey = tuple[str, str, int]
#: `hour` or `day` and its number since 1970, cell, and class (`lines` counts lines).
RollupKey = tuple[str, int, bytes, str]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A limit's window: requests and tokens by slot, and how many attempts are under way."""

    last: int = 0
    requests: Mapping[int, int] = {}
    tokens: Mapping[int, int] = {}
    under_way: int = 0

    def slid(self, slot: int) -> Window:
        """The window that ends with a slot: what has left it is forgotten."""
        last = max(slot, self.last)
        return msgspec.structs.replace(
            self,
            last=last,
            requests={at: n for at, n in self.requests.items() if at >= last - SLOTS},
            tokens={at: n for at, n in self.tokens.items() if at >= last - SLOTS},
        )


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What a hold takes of a window."""

    key: WindowKey
    slot: int
    requests: int
    tokens: int


class HeldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One hold that is not settled; `state` is open or in_doubt."""

    hold: Hold
    state: str
    at: float
    expires_at: float
    placed: tuple[CounterKey, ...]
    shares: tuple[Share, ...] = ()

    @property
    def line(self) -> LedgerLine:
        """The in_doubt line, dated."""
        return msgspec.structs.replace(self.hold.line, at=self.at)


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis holds of money: counters, windows, holds, lines and rollups.

    `settled` are the ids of holds that were settled, also of those that were never known.
    Rollups are pairs of quantity and nano-USD.
    """

    spent: Mapping[CounterKey, int] = {}
    held: Mapping[CounterKey, int] = {}
    holds: Mapping[str, HeldEntry] = {}
    settled: frozenset[str] = frozenset()
    lines: tuple[LedgerLine, ...] = ()
    audits: tuple[AuditRecord, ...] = ()
    windows: Mapping[WindowKey, Window] = {}
    rollups: Mapping[RollupKey, tuple[int, int]] = {}


def place_hold(book: Book, hold: Hold, now: float) -> tuple[Book, Granted | Refused | Limited]:
    """The book after a hold was asked for, and the answer."""
    placed = tuple(
        (hold.org, c.scope, f"{c.per} {c.zone}", period_of(c.per, now, c.zone))
        for c in hold.counters
    )
    if hold.hold_id in book.holds or hold.hold_id in book.settled:
        return book, _granted(book, hold, placed, now)
    for counter, key in zip(hold.counters, placed, strict=True):
        taken = taken_of(book.spent, key, counter.per) + taken_of(book.held, key, counter.per)
        if counter.enforce and taken + hold.amount_nanousd > counter.cap_nanousd:
            return book, refusal(counter, hold.amount_nanousd, taken, now)
    shares = _shares(hold, now)
    windows = dict(book.windows)
    for limit, share in zip(hold.limits, shares, strict=True):
        window = windows[share.key] = windows.get(share.key, Window()).slid(share.slot)
        refused = _limited(limit, window, share, now)
        if refused is not None:
            return msgspec.structs.replace(book, windows=windows), refused
    taking = tuple({share.key: share for share in reversed(shares)}.values())
    for share in taking:
        windows[share.key] = _taken(windows[share.key], share, 1)
    entry = HeldEntry(
        hold=hold,
        state="open",
        at=now,
        expires_at=now + hold.lease_seconds,
        placed=placed,
        shares=taking,
    )
    after = msgspec.structs.replace(
        book,
        held=_added(book.held, placed, hold.amount_nanousd),
        holds={**book.holds, hold.hold_id: entry},
        windows=windows,
    )
    return after, _granted(after, hold, placed, now)


def settle_hold(book: Book, settlement: Settlement) -> Book:
    """The book after a settlement; a second one of the same hold changes nothing."""
    hold_id, line = settlement.hold_id, settlement.line
    if hold_id in book.settled:
        return book
    entry = book.holds.get(hold_id)
    if entry is None:
        placed = tuple(
            (settlement.org, c.scope, f"{c.per} {c.zone}", period_of(c.per, line.at, c.zone))
            for c in settlement.counters
        )
    else:
        placed = entry.placed
        if entry.state == "open":
            used = line.usage.input_tokens + line.usage.output_tokens
            book = _released(book, entry, used)
        else:
            line = correction_of(entry.line, line)
    spent = _added(book.spent, placed, line.cost_nanousd)
    return msgspec.structs.replace(
        _booked(book, line, settlement.audit, spent),
        holds={known: other for known, other in book.holds.items() if known != hold_id},
        settled=book.settled | {hold_id},
    )


def reap_holds(book: Book, now: float, limit: int) -> tuple[Book, int]:
    """The book after expired leases, oldest first, were booked as in doubt, and how many."""
    expired = sorted(
        (
            entry
            for entry in book.holds.values()
            if entry.state == "open" and entry.expires_at <= now
        ),
        key=lambda entry: (entry.expires_at, entry.hold.hold_id),
    )[:limit]
    for entry in expired:
        hold = entry.hold
        book = _released(book, entry, hold.tokens)
        spent = _added(book.spent, entry.placed, hold.amount_nanousd)
        book = _booked(book, entry.line, hold.audit, spent)
        doubtful = msgspec.structs.replace(entry, state="in_doubt")
        book = msgspec.structs.replace(book, holds={**book.holds, hold.hold_id: doubtful})
    return book, len(expired)


def renew_hold(book: Book, hold_id: str, lease_seconds: float, now: float) -> tuple[Book, bool]:
    """The book with a longer lease, and whether there was an open hold to renew."""
    entry = book.holds.get(hold_id)
    if entry is None or entry.state != "open":
        return book, False
    renewed = msgspec.structs.replace(entry, expires_at=now + lease_seconds)
    return msgspec.structs.replace(book, holds={**book.holds, hold_id: renewed}), True


def cancel_hold(book: Book, hold_id: str) -> tuple[Book, bool]:
    """The book without a hold under which no call was made, and whether there was one."""
    entry = book.holds.get(hold_id)
    if entry is None or entry.state != "open":
        return book, False
    released = _released(book, entry, 0, called=False)
    kept = {known: other for known, other in book.holds.items() if known != hold_id}
    return msgspec.structs.replace(released, holds=kept), True


def taken_of(amounts: Mapping[CounterKey, int], key: CounterKey, per: str) -> int:
    """What counts in the period, or in the rolling window that ends with it."""
    org, scope, spelled, current = key
    return sum(
        amount
        for (an_org, a_scope, a_per, period), amount in amounts.items()
        if (an_org, a_scope, a_per) == (org, scope, spelled) and in_window(per, period, current)
    )


def _granted(book: Book, hold: Hold, placed: tuple[CounterKey, ...], now: float) -> Granted:
    used = tuple(
        BudgetUse(
            scope=counter.scope,
            per=counter.per,
            period=key[3],
            spent_nanousd=taken_of(book.spent, key, counter.per),
            held_nanousd=taken_of(book.held, key, counter.per),
            cap_nanousd=counter.cap_nanousd,
            zone=counter.zone,
        )
        for counter, key in zip(hold.counters, placed, strict=True)
    )
    limits = []
    for limit, share in zip(hold.limits, _shares(hold, now), strict=True):
        window = book.windows.get(share.key, Window()).slid(share.slot)
        limits.append(
            LimitUse(
                counter=limit,
                requests=sum(window.requests.values()),
                tokens=sum(window.tokens.values()),
                concurrent=window.under_way,
            )
        )
    return Granted(hold_id=hold.hold_id, at=now, used=used, limits=tuple(limits))


def _shares(hold: Hold, now: float) -> list[Share]:
    return [
        Share(
            key=(hold.org, limit.scope, limit.seconds),
            slot=int(now // (limit.seconds / SLOTS)),
            requests=0 if hold.repeated else 1,
            tokens=hold.tokens,
        )
        for limit in hold.limits
    ]


def _limited(limit: LimitCounter, window: Window, share: Share, now: float) -> Limited | None:
    """The refusal by a limit, if it has no room."""
    width = limit.seconds / SLOTS
    kinds = (
        ("requests", limit.requests, share.requests, window.requests),
        ("tokens", limit.tokens, share.tokens, window.tokens),
    )
    for kind, most, asked, counted in kinds:
        taken = sum(counted.values())
        if most is not None and taken + asked > most:
            wait = None
            if asked <= most:
                wait = _wait(counted, taken + asked - most, window.last, width, now)
            return Limited(
                counter=limit, kind=kind, asked=asked, taken=taken, retry_after=wait, at=now
            )
    if limit.concurrent is not None and window.under_way + 1 > limit.concurrent:
        return Limited(
            counter=limit, kind="concurrent", asked=1, taken=window.under_way, retry_after=1.0
        )
    return None


def _wait(counted: Mapping[int, int], needed: int, slot: int, width: float, now: float) -> float:
    freed = 0
    for old in range(slot - SLOTS, slot + 1):
        freed += counted.get(old, 0)
        if freed >= needed:
            return (old + SLOTS + 1) * width - now
    return (SLOTS + 1) * width


def _taken(window: Window, share: Share, attempts: int) -> Window:
    return msgspec.structs.replace(
        window,
        requests=_counted(window.requests, share.slot, share.requests),
        tokens=_counted(window.tokens, share.slot, share.tokens),
        under_way=window.under_way + attempts,
    )


def _counted(counted: Mapping[int, int], slot: int, more: int) -> dict[int, int]:
    return {**counted, slot: counted.get(slot, 0) + more} if more else dict(counted)


def _added(
    counters: Mapping[CounterKey, int], keys: tuple[CounterKey, ...], amount: int
) -> dict[CounterKey, int]:
    after = dict(counters)
    for key in dict.fromkeys(keys):
        after[key] = after.get(key, 0) + amount
    return after


def _released(book: Book, entry: HeldEntry, used_tokens: int, *, called: bool = True) -> Book:
    held = _added(book.held, entry.placed, -entry.hold.amount_nanousd)
    windows = dict(book.windows)
    for share in entry.shares:
        window = windows[share.key]
        back = msgspec.structs.replace(
            share,
            requests=0 if called or share.slot not in window.requests else -share.requests,
            tokens=used_tokens - share.tokens if share.slot in window.tokens else 0,
        )
        windows[share.key] = _taken(window, back, -1)
    return msgspec.structs.replace(book, held=held, windows=windows)


def _booked(
    book: Book, line: LedgerLine, audit: AuditRecord | None, spent: Mapping[CounterKey, int]
) -> Book:
    audits = book.audits if audit is None else (*book.audits, audit)
    rollups = dict(book.rollups)
    for span, length in (("hour", 3600), ("day", 86400)):
        place = (span, int(line.at // length), cell_of(line))
        for name, quantity, cost in (*changes_of(line), ("lines", 1, 0)):
            known = rollups.get((*place, name), (0, 0))
            rollups[*place, name] = (known[0] + quantity, known[1] + cost)
    return msgspec.structs.replace(
        book, spent=spent, lines=(*book.lines, line), audits=audits, rollups=rollups
    )
