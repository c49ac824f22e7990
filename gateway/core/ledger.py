"""The arithmetic of budgets: hold, settle and reap, as values and pure functions.

The functions at the end of this file are the twin of the Lua scripts in `gateway/stores/lua`;
a test runs both over the same histories. Rules that both keep:
- a hold is granted only when every enforced counter has room for all of it;
- a settlement releases the hold and books the real cost in the period of the hold;
- a lease that ran out is booked at the held amount, and a later settlement corrects that;
- hold and settle are idempotent by hold id;
- two counters of one scope and period are one counter with two caps.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from gateway.core.money import MAX_NANOUSD, NANO
from gateway.core.prices import CostPart
from gateway.core.records import AuditRecord, LedgerLine
from gateway.core.usage import difference

#: The periods that a budget can be counted in; all begin at UTC boundaries, weeks on Mondays.
PERIODS = ("hour", "day", "week", "month", "quarter", "total")


class BudgetCounter(msgspec.Struct, frozen=True, kw_only=True):
    """One counter that a hold must fit under: a scope such as `team/support` and a period.

    With `enforce` False the money is counted and never refused.

    Raises:
        ValueError: an unknown period, a cap below 0 or one that Redis cannot count exactly.
    """

    scope: str
    per: str
    cap_nanousd: int
    enforce: bool = True

    def __post_init__(self) -> None:
        if self.per not in PERIODS:
            raise ValueError(f"'{self.per}' is not a period; use one of: {', '.join(PERIODS)}")
        if not 0 <= self.cap_nanousd <= MAX_NANOUSD:
            limit = MAX_NANOUSD // NANO
            raise ValueError(f"the cap of {self.scope} must lie between $0 and ${limit:,}")


class BudgetUse(msgspec.Struct, frozen=True, kw_only=True):
    """Where one counter stands in its current period."""

    scope: str
    per: str
    period: str
    spent_nanousd: int
    held_nanousd: int
    cap_nanousd: int

    @property
    def share(self) -> float:
        """Spent and held over the cap; 1.0 and more means that the budget is used up."""
        taken = self.spent_nanousd + self.held_nanousd
        if self.cap_nanousd == 0:
            return 1.0
        return taken / self.cap_nanousd


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Money to reserve for one attempt.

    `amount_nanousd` is the most that the attempt can cost; `lease_seconds` how long the hold
    lives unless it is renewed. `line` and `audit` are what is written when nobody settles:
    `line.kind` is in_doubt and `line.cost_nanousd` the held amount.

    Raises:
        ValueError: an amount below 0 or above what Redis counts exactly, or no lease.
    """

    hold_id: str
    request_id: str
    org: str
    amount_nanousd: int
    lease_seconds: float
    counters: tuple[BudgetCounter, ...]
    line: LedgerLine
    audit: AuditRecord | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.amount_nanousd <= MAX_NANOUSD:
            raise ValueError(f"a hold of {self.amount_nanousd} nano-USD cannot be counted exactly")
        if self.lease_seconds <= 0:
            raise ValueError("the lease of a hold must be longer than 0 seconds")


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """The hold stands; `used` is where each of its counters stands now, this hold included.

    `at` is when it was placed, in epoch seconds of the store's clock.
    """

    hold_id: str
    at: float = 0.0
    used: tuple[BudgetUse, ...] = ()


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A counter has no room; nothing was reserved anywhere.

    `available_nanousd` is what is left under the cap; `resets_at` is in epoch seconds, None for
    a budget that never resets.
    """

    counter: BudgetCounter
    amount_nanousd: int
    available_nanousd: int
    resets_at: float | None

    @property
    def message(self) -> str:
        """The refusal in words for the caller: which budget, its cap and when it resets."""
        counter = self.counter
        cap, left = _dollars(counter.cap_nanousd), _dollars(self.available_nanousd)
        span = "in total" if counter.per == "total" else f"per {counter.per}"
        if self.resets_at is None:
            until = "It does not reset."
        else:
            moment = datetime.fromtimestamp(self.resets_at, UTC)
            until = f"It resets at {moment:%Y-%m-%d %H:%M} UTC."
        return (
            f"The budget of {counter.scope} ({cap} {span}) cannot cover this request, which may "
            f"cost up to {_dollars(self.amount_nanousd)}: {left} is left. {until}"
        )


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt really cost; `audit` is given with the last attempt of a request.

    `counters` are those of the hold; they are used only when the store no longer knows the hold
    (it lost its memory), so that the money is counted all the same.
    """

    hold_id: str
    org: str
    line: LedgerLine
    audit: AuditRecord | None = None
    counters: tuple[BudgetCounter, ...] = ()


def correction_of(in_doubt: LedgerLine, line: LedgerLine) -> LedgerLine:
    """The line that turns a booked in_doubt line into what was really spent.

    Money and tokens are differences, and both lines have the same date, so that sums over any
    span of the ledger come out exact.
    """
    return msgspec.structs.replace(
        line,
        kind="correction",
        at=in_doubt.at,
        usage=difference(line.usage, in_doubt.usage),
        cost_nanousd=line.cost_nanousd - in_doubt.cost_nanousd,
        parts=(*line.parts, *(_taken_back(part) for part in in_doubt.parts)),
        list_nanousd=_listed(line) - _listed(in_doubt),
        because="settled late",
    )


def _taken_back(part: CostPart) -> CostPart:
    return msgspec.structs.replace(part, quantity=-part.quantity, cost_nanousd=-part.cost_nanousd)


def _listed(line: LedgerLine) -> int:
    return line.cost_nanousd if line.list_nanousd is None else line.list_nanousd


def period_start(per: str, now: float) -> datetime:
    """The beginning, in UTC, of the period that holds `now` (epoch seconds)."""
    moment = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        return moment
    midnight = moment.replace(hour=0)
    match per:
        case "day":
            return midnight
        case "week":
            return midnight - timedelta(days=midnight.weekday())
        case "month":
            return midnight.replace(day=1)
        case "quarter":
            return midnight.replace(day=1, month=midnight.month - (midnight.month - 1) % 3)
        case _:
            return datetime.fromtimestamp(0, UTC)


def period_of(per: str, now: float) -> str:
    """The id of the period that holds `now`; ids of one kind sort by time."""
    if per == "total":
        return "total"
    start = period_start(per, now)
    match per:
        case "hour":
            return f"{start:%Y-%m-%dT%H}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            return f"{start:%Y}-Q{(start.month + 2) // 3}"
        case _:
            return f"{start:%Y-%m-%d}"


def period_end(per: str, now: float) -> float | None:
    """When the period that holds `now` ends (epoch seconds); None when it never does."""
    start = period_start(per, now)
    match per:
        case "total":
            return None
        case "hour":
            return (start + timedelta(hours=1)).timestamp()
        case "day":
            return (start + timedelta(days=1)).timestamp()
        case "week":
            return (start + timedelta(days=7)).timestamp()
        case _:
            months = 1 if per == "month" else 3
            later = start.replace(day=1) + timedelta(days=31 * months)
            return later.replace(day=1).timestamp()


def refusal(counter: BudgetCounter, amount: int, taken: int, now: float) -> Refused:
    """The refusal by a counter of which `taken` nano-USD are spent or held."""
    return Refused(
        counter=counter,
        amount_nanousd=amount,
        available_nanousd=max(0, counter.cap_nanousd - taken),
        resets_at=period_end(counter.per, now),
    )


def _dollars(nanousd: int) -> str:
    """Dollars with at least two decimals and no trailing zeros beyond them."""
    whole, fraction = divmod(nanousd, NANO)
    digits = f"{fraction:09d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{digits}"


# The twin of the Lua scripts.

CounterKey = tuple[str, str, str, str]


class HeldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One hold that is not settled; `state` is open or in_doubt."""

    hold: Hold
    state: str
    expires_at: float
    placed: tuple[CounterKey, ...]


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis holds of money: counters by (org, scope, per, period), holds and lines.

    `settled` are the ids of holds that were settled, also of those that were never known.
    """

    spent: Mapping[CounterKey, int] = {}
    held: Mapping[CounterKey, int] = {}
    holds: Mapping[str, HeldEntry] = {}
    settled: frozenset[str] = frozenset()
    lines: tuple[LedgerLine, ...] = ()
    audits: tuple[AuditRecord, ...] = ()


def place_hold(book: Book, hold: Hold, now: float) -> tuple[Book, Granted | Refused]:
    """The book after a hold was asked for, and the answer."""
    placed = tuple((hold.org, c.scope, c.per, period_of(c.per, now)) for c in hold.counters)
    if hold.hold_id in book.holds or hold.hold_id in book.settled:
        return book, Granted(hold_id=hold.hold_id, at=now, used=_uses(book, hold, placed))
    for counter, key in zip(hold.counters, placed, strict=True):
        taken = book.spent.get(key, 0) + book.held.get(key, 0)
        if counter.enforce and taken + hold.amount_nanousd > counter.cap_nanousd:
            return book, refusal(counter, hold.amount_nanousd, taken, now)
    entry = HeldEntry(hold=hold, state="open", expires_at=now + hold.lease_seconds, placed=placed)
    after = msgspec.structs.replace(
        book,
        held=_added(book.held, placed, hold.amount_nanousd),
        holds={**book.holds, hold.hold_id: entry},
    )
    return after, Granted(hold_id=hold.hold_id, at=now, used=_uses(after, hold, placed))


def settle_hold(book: Book, settlement: Settlement, now: float) -> Book:
    """The book after a settlement; a second one of the same hold changes nothing."""
    hold_id, line = settlement.hold_id, settlement.line
    if hold_id in book.settled:
        return book
    entry = book.holds.get(hold_id)
    if entry is None:
        placed = tuple(
            (settlement.org, c.scope, c.per, period_of(c.per, now)) for c in settlement.counters
        )
    else:
        placed = entry.placed
        if entry.state == "open":
            book = _released(book, entry)
        else:
            line = correction_of(entry.hold.line, line)
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
        book = _released(book, entry)
        spent = _added(book.spent, entry.placed, hold.amount_nanousd)
        book = _booked(book, hold.line, hold.audit, spent)
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


def _uses(book: Book, hold: Hold, placed: tuple[CounterKey, ...]) -> tuple[BudgetUse, ...]:
    def use(counter: BudgetCounter, key: CounterKey) -> BudgetUse:
        return BudgetUse(
            scope=counter.scope,
            per=counter.per,
            period=key[3],
            spent_nanousd=book.spent.get(key, 0),
            held_nanousd=book.held.get(key, 0),
            cap_nanousd=counter.cap_nanousd,
        )

    return tuple(use(counter, key) for counter, key in zip(hold.counters, placed, strict=True))


def _added(
    counters: Mapping[CounterKey, int], keys: tuple[CounterKey, ...], amount: int
) -> dict[CounterKey, int]:
    after = dict(counters)
    for key in dict.fromkeys(keys):
        after[key] = after.get(key, 0) + amount
    return after


def _released(book: Book, entry: HeldEntry) -> Book:
    held = _added(book.held, entry.placed, -entry.hold.amount_nanousd)
    return msgspec.structs.replace(book, held=held)


def _booked(
    book: Book, line: LedgerLine, audit: AuditRecord | None, spent: Mapping[CounterKey, int]
) -> Book:
    audits = book.audits if audit is None else (*book.audits, audit)
    return msgspec.structs.replace(book, spent=spent, lines=(*book.lines, line), audits=audits)
