"""Holds, settlements and audit records in Redis: one round trip each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

import msgspec

from gateway.core.budgets import BudgetCounter, BudgetUse, Refused, refusal
from gateway.core.ledger import Granted, Hold, Settlement, correction_of
from gateway.core.limits import Limited, LimitUse
from gateway.core.periods import offsets, rolling_seconds
from gateway.core.records import AuditRecord, LedgerLine
from gateway.core.rollups import cell_of, changes_of
from gateway.stores import names
from gateway.stores.connection import Argument, NotSent, RedisConnection, Reply
from gateway.stores.scripts import load_scripts

#: How long a settled hold is remembered, in seconds, so that a repeated settlement is harmless.
#: Repeats come within seconds; every remembered hold costs about 100 bytes of Redis memory.
SETTLED_SECONDS = 3600
#: The same for what waited on a gateway's disk, which may be found there much later, in seconds.
SPOOLED_SECONDS = 30 * 86400
#: Tuples of counters that are remembered.
_MOST_PLACES = 10_000
#: How long it is remembered that somebody was told of a budget: longer than any period, seconds.
_TOLD_SECONDS = 100 * 86400
#: How long a hold that was booked in doubt can still be corrected, in seconds.
IN_DOUBT_SECONDS = 86400


class _Places(msgspec.Struct, frozen=True, kw_only=True):
    """Counters as the scripts are told of them; `counters` is kept so that its id stays its own."""

    org: str
    counters: tuple[BudgetCounter, ...]
    made_at: float
    keys: tuple[bytes, ...]
    pers: tuple[bytes, ...]
    asked: tuple[bytes, ...]


class LedgerStore:
    """The book of money of all orgs, in one Redis.

    Every method raises `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(
        self, connection: RedisConnection, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._connection = connection
        self._wall = wall
        self._scripts = load_scripts()
        self._known_orgs: set[str] = set()
        # Holds whose answer never came: they may stand in Redis although no call follows.
        self._unsure: set[tuple[str, str]] = set()
        # The same counters come again and again, as the same tuple.
        self._places: dict[int, _Places] = {}

    async def hold(self, hold: Hold) -> Granted | Refused | Limited:
        """Reserve the amount in every counter and room in every limit, or nothing at all.

        Asking twice reserves once. When Redis does not answer, the hold is not to be used;
        should it stand all the same, the next `reap` gives it back.
        """
        org = hold.org
        keys: list[Argument] = [names.leases(org), names.hold_prefix(org) + hold.hold_id]
        args: list[Argument] = [
            hold.amount_nanousd,
            hold.lease_seconds,
            hold.hold_id,
            msgspec.json.encode(hold.line),
            _encoded(hold.audit),
            cell_of(hold.line),
            hold.tokens,
            len(hold.counters),
        ]
        places = self._places_of(org, hold.counters)
        keys += places.keys
        args += places.asked
        for limit in hold.limits:
            keys.append(names.limit(org, limit.scope, limit.seconds))
            most = (limit.requests, limit.tokens, limit.concurrent)
            args += (limit.seconds, *(-1 if one is None else one for one in most))
            args.append(0 if hold.repeated else 1)
        if org not in self._known_orgs:
            await self._remember(org)
        try:
            reply = _texts(await self._connection.run(self._scripts.hold, keys, args))
        except NotSent:
            raise
        except BaseException:
            self._unsure.add((org, hold.hold_id))
            raise
        return _answer_to(hold, reply)

    async def settle(self, settlement: Settlement) -> None:
        """Book the real cost, release the hold and write the line (and the audit record).

        A settlement that was booked before changes nothing; one that comes after the lease was
        booked in doubt writes a correction line with the difference.
        """
        org, line = settlement.org, settlement.line
        hold_key = names.hold_prefix(org) + settlement.hold_id
        audit = _encoded(settlement.audit)
        keys: list[Argument] = [names.leases(org), hold_key, names.ledger(org)]
        keys += (names.audit(org), names.cells(org))
        args: list[Argument] = [
            settlement.hold_id,
            line.cost_nanousd,
            msgspec.json.encode(line),
            audit,
            SPOOLED_SECONDS if line.spooled else SETTLED_SECONDS,
            line.usage.input_tokens + line.usage.output_tokens,
            line.at,
            names.rollup_prefix(org),
            cell_of(line),
            len(settlement.counters),
        ]
        places = self._places_of(org, settlement.counters)
        keys += places.keys
        args += places.pers
        for change in changes_of(line):
            args += change
        reply = _texts(await self._connection.run(self._scripts.settle, keys, args))
        if reply[0] == b"late":
            booked = msgspec.json.decode(reply[1], type=LedgerLine)
            await self._correct(hold_key, correction_of(booked, line), audit)

    async def renew(self, org: str, hold_id: str, lease_seconds: float) -> bool:
        """Lengthen the lease to so many seconds from now; False when the hold is not open."""
        args = (hold_id, lease_seconds)
        reply = await self._connection.run(self._scripts.renew, (names.leases(org),), args)
        return reply == 1

    async def reap(self, org: str, limit: int = 100) -> int:
        """Book up to `limit` expired leases as in doubt; returns how many there were."""
        await self._give_back_unsure(org)
        keys = (names.leases(org), names.ledger(org), names.audit(org), names.cells(org))
        args = (limit, names.hold_prefix(org), IN_DOUBT_SECONDS, names.rollup_prefix(org))
        return cast(int, await self._connection.run(self._scripts.reap, keys, args))

    async def cancel(self, org: str, hold_id: str) -> bool:
        """Give back a hold under which no call was made; False when there was no open one."""
        keys = (names.leases(org), names.hold_prefix(org) + hold_id)
        return await self._connection.run(self._scripts.cancel, keys, (hold_id,)) == 1

    async def record(self, record: AuditRecord) -> None:
        """Write a decision that no settlement carries, such as a refusal."""
        if record.org not in self._known_orgs:
            await self._remember(record.org)
        stream, entry = names.audit(record.org), msgspec.json.encode(record)
        await self._connection.execute("XADD", stream, "*", "record", entry)

    async def record_once(self, record: AuditRecord) -> None:
        """Write a decision that waited on the disk, unless it was written before."""
        if record.org not in self._known_orgs:
            await self._remember(record.org)
        mark = f"{names.hold_prefix(record.org)}record:{record.request_id}"
        args = (msgspec.json.encode(record), SPOOLED_SECONDS)
        await self._connection.run(self._scripts.record, (mark, names.audit(record.org)), args)

    async def slice(
        self,
        org: str,
        slice_id: str,
        counter: BudgetCounter,
        wanted: int,
        thousandths: int,
        lease_seconds: float,
    ) -> int:
        """Bring a slice of a budget to a size: nano-USD, at most so much of what is left."""
        keys = (
            names.leases(org),
            names.hold_prefix(org) + slice_id,
            _place_of(org, counter),
        )
        args: list[Argument] = [slice_id, wanted, thousandths, lease_seconds]
        args += (spelled(counter, self._wall()), counter.cap_nanousd)
        return int(cast(bytes, await self._connection.run(self._scripts.slice, keys, args)))

    async def claim_alert(self, org: str, use: BudgetUse, share: float) -> bool:
        """Mark a share of a budget's period as told; False when somebody told it already."""
        place = names.told(org, use.scope, use.per, use.period, share)
        marked = await self._connection.execute(
            "SET", place, use.cap_nanousd, "NX", "EX", _TOLD_SECONDS
        )
        return marked is not None

    async def open_holds(self, org: str) -> int:
        """How many holds are neither settled nor reaped."""
        return cast(int, await self._connection.execute("ZCARD", names.leases(org)))

    async def orgs(self) -> tuple[str, ...]:
        """Every org that ever placed a hold or wrote a record, sorted."""
        members = _texts(await self._connection.execute("SMEMBERS", names.ORGS))
        return tuple(sorted(member.decode() for member in members))

    async def has_finished_hours(self) -> bool:
        """Whether a ledger in Redis begins with lines of before the current hour."""
        for org in await self.orgs():
            first = await self._connection.execute(
                "XRANGE", names.ledger(org), "-", "+", "COUNT", 1
            )
            if isinstance(first, list) and first:
                written = int(_texts(first[0])[0].split(b"-")[0]) / 1000
                if written < self._wall() // 3600 * 3600:
                    return True
        return False

    async def budget_use(
        self, org: str, counters: Sequence[BudgetCounter]
    ) -> tuple[BudgetUse, ...]:
        """Where the counters stand in their current periods."""
        if not counters:
            return ()
        now = self._wall()
        keys = [_place_of(org, counter) for counter in counters]
        args = [spelled(counter, now) for counter in counters]
        reply = await self._connection.run(self._scripts.use, keys, args)
        return _uses(counters, _texts(reply))

    def _places_of(self, org: str, counters: tuple[BudgetCounter, ...]) -> _Places:
        """Where counters are kept and how they are asked for, worked out once an hour."""
        now = self._wall()
        known = self._places.get(id(counters))
        if (
            known is not None
            and known.counters is counters
            and known.org == org
            and known.made_at <= now < known.made_at + 3600
        ):
            return known
        if len(self._places) >= _MOST_PLACES:
            self._places.clear()
        pers = [spelled(counter, now).encode() for counter in counters]
        asked: list[bytes] = []
        for counter, per in zip(counters, pers, strict=True):
            asked += (per, b"%d" % counter.cap_nanousd, b"1" if counter.enforce else b"0")
        made = _Places(
            org=org,
            counters=counters,
            made_at=now,
            keys=tuple(_place_of(org, counter).encode() for counter in counters),
            pers=tuple(pers),
            asked=tuple(asked),
        )
        self._places[id(counters)] = made
        return made

    async def _give_back_unsure(self, org: str) -> None:
        for entry in [entry for entry in self._unsure if entry[0] == org]:
            await self.cancel(*entry)
            self._unsure.discard(entry)

    async def _remember(self, org: str) -> None:
        # The set has another hash tag than the org's keys, so no script can write it.
        await self._connection.execute("SADD", names.ORGS, org, idempotent=True)
        self._known_orgs.add(org)

    async def _correct(self, hold_key: str, correction: LedgerLine, audit: bytes) -> None:
        org = correction.org
        keys = (hold_key, names.ledger(org), names.audit(org), names.cells(org))
        args: list[Argument] = [
            correction.cost_nanousd,
            msgspec.json.encode(correction),
            audit,
            SETTLED_SECONDS,
            correction.at,
            names.rollup_prefix(org),
            cell_of(correction),
        ]
        for change in changes_of(correction):
            args += change
        await self._connection.run(self._scripts.correct, keys, args)


def spelled(counter: BudgetCounter, now: float) -> str:
    """How a counter is counted, as the scripts read it (see counters.lua)."""
    rolling = rolling_seconds(counter.per)
    if rolling:
        return f"rolling:{rolling}"
    if counter.zone == "UTC" or counter.per == "total":
        return counter.per
    offset, change, later = offsets(counter.zone, now)
    return f"{counter.per}@{offset},{change},{later}"


def _place_of(org: str, counter: BudgetCounter) -> str:
    return names.budget(org, counter.scope, counter.per, counter.zone)


def _answer_to(hold: Hold, reply: list[bytes]) -> Granted | Refused | Limited:
    if reply[0] == b"refused":
        refusing = hold.counters[int(reply[2]) - 1]
        taken = int(reply[3]) + int(reply[4])
        return refusal(refusing, hold.amount_nanousd, taken, float(reply[1]))
    if reply[0] == b"limited":
        kind, wait = reply[3].decode(), float(reply[5])
        asked = {"requests": 0 if hold.repeated else 1, "tokens": hold.tokens}
        return Limited(
            counter=hold.limits[int(reply[2]) - 1],
            kind=kind,
            asked=asked.get(kind, 1),
            taken=int(reply[4]),
            retry_after=None if wait < 0 else wait,
            at=float(reply[1]),
        )
    counted, limited = reply[2 : 2 + 3 * len(hold.counters)], reply[2 + 3 * len(hold.counters) :]
    return Granted(
        hold_id=hold.hold_id,
        at=float(reply[1]),
        used=_uses(hold.counters, counted),
        limits=tuple(
            LimitUse(
                counter=limit,
                requests=int(limited[at]),
                tokens=int(limited[at + 1]),
                concurrent=int(limited[at + 2]),
            )
            for at, limit in zip(range(0, len(limited), 3), hold.limits, strict=True)
        ),
    )


def _encoded(record: AuditRecord | None) -> bytes:
    return b"" if record is None else msgspec.json.encode(record)


def _texts(reply: Reply) -> list[bytes]:
    return cast(list[bytes], reply)


def _uses(counters: Sequence[BudgetCounter], reply: list[bytes]) -> tuple[BudgetUse, ...]:
    return tuple(
        BudgetUse(
            scope=counter.scope,
            per=counter.per,
            period=reply[at].decode(),
            spent_nanousd=int(reply[at + 1]),
            held_nanousd=int(reply[at + 2]),
            cap_nanousd=counter.cap_nanousd,
            zone=counter.zone,
        )
        for at, counter in zip(range(0, len(reply), 3), counters, strict=True)
    )
