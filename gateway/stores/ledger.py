"""Holds, settlements and audit records in Redis: one round trip each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import msgspec

from gateway.core.ledger import (
    BudgetCounter,
    BudgetUse,
    Granted,
    Hold,
    Refused,
    Settlement,
    correction_of,
    refusal,
)
from gateway.core.records import AuditRecord, LedgerLine
from gateway.stores import names
from gateway.stores.connection import Argument, NotSent, RedisConnection, Reply
from gateway.stores.scripts import load_scripts

#: How long a settled hold is remembered, in seconds, so that a repeated settlement is harmless.
#: Repeats come within seconds; every remembered hold costs about 100 bytes of Redis memory.
SETTLED_SECONDS = 3600
#: How long a hold that was booked in doubt can still be corrected, in seconds.
IN_DOUBT_SECONDS = 86400


class LedgerStore:
    """The book of money of all orgs, in one Redis.

    Every method raises `gateway.core.errors.StoreUnavailable` when Redis does not answer.
    """

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        self._scripts = load_scripts()
        self._known_orgs: set[str] = set()
        # Holds whose answer never came: they may stand in Redis although no call follows.
        self._unsure: set[tuple[str, str]] = set()

    async def hold(self, hold: Hold) -> Granted | Refused:
        """Reserve the amount in every counter, or in none. Asking twice reserves once.

        When Redis does not answer, the hold is not to be used; should it stand all the same,
        the next `reap` gives it back.
        """
        org, amount = hold.org, hold.amount_nanousd
        keys = [names.leases(org), names.hold_prefix(org) + hold.hold_id]
        args: list[Argument] = [
            amount,
            hold.lease_seconds,
            hold.hold_id,
            msgspec.json.encode(hold.line),
            _encoded(hold.audit),
        ]
        for counter in hold.counters:
            keys.append(names.budget(org, counter.scope, counter.per))
            args += (counter.per, counter.cap_nanousd, 1 if counter.enforce else 0)
        if org not in self._known_orgs:
            await self._remember(org)
        try:
            reply = _texts(await self._connection.run(self._scripts.hold, keys, args))
        except NotSent:
            raise
        except BaseException:
            self._unsure.add((org, hold.hold_id))
            raise
        if reply[0] == b"refused":
            refusing = hold.counters[int(reply[2]) - 1]
            taken = int(reply[3]) + int(reply[4])
            return refusal(refusing, amount, taken, float(reply[1]))
        return Granted(
            hold_id=hold.hold_id, at=float(reply[1]), used=_uses(hold.counters, reply[2:])
        )

    async def settle(self, settlement: Settlement) -> None:
        """Book the real cost, release the hold and write the line (and the audit record).

        A settlement that was booked before changes nothing; one that comes after the lease was
        booked in doubt writes a correction line with the difference.
        """
        org, line = settlement.org, settlement.line
        hold_key = names.hold_prefix(org) + settlement.hold_id
        audit = _encoded(settlement.audit)
        keys = [names.leases(org), hold_key, names.ledger(org), names.audit(org)]
        args: list[Argument] = [
            settlement.hold_id,
            line.cost_nanousd,
            msgspec.json.encode(line),
            audit,
            SETTLED_SECONDS,
        ]
        for counter in settlement.counters:
            keys.append(names.budget(org, counter.scope, counter.per))
            args.append(counter.per)
        reply = _texts(await self._connection.run(self._scripts.settle, keys, args))
        if reply[0] == b"late":
            booked = msgspec.json.decode(reply[1], type=LedgerLine)
            await self._correct(hold_key, correction_of(booked, line), audit)

    async def settle_many(self, settlements: Sequence[Settlement]) -> None:
        """Settle several holds in one write; each is booked even when another one fails.

        Raises:
            StoreUnavailable: at least one could not be booked; try all of them again.
        """
        outcomes = await asyncio.gather(*map(self.settle, settlements), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def renew(self, org: str, hold_id: str, lease_seconds: float) -> bool:
        """Lengthen the lease to so many seconds from now; False when the hold is not open."""
        args = (hold_id, lease_seconds)
        reply = await self._connection.run(self._scripts.renew, (names.leases(org),), args)
        return reply == 1

    async def reap(self, org: str, limit: int = 100) -> int:
        """Book up to `limit` expired leases as in doubt; returns how many there were."""
        await self._give_back_unsure(org)
        keys = (names.leases(org), names.ledger(org), names.audit(org))
        args = (limit, names.hold_prefix(org), IN_DOUBT_SECONDS)
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

    async def open_holds(self, org: str) -> int:
        """How many holds are neither settled nor reaped."""
        return cast(int, await self._connection.execute("ZCARD", names.leases(org)))

    async def orgs(self) -> tuple[str, ...]:
        """Every org that ever placed a hold or wrote a record, sorted."""
        members = _texts(await self._connection.execute("SMEMBERS", names.ORGS))
        return tuple(sorted(member.decode() for member in members))

    async def budget_use(
        self, org: str, counters: Sequence[BudgetCounter]
    ) -> tuple[BudgetUse, ...]:
        """Where the counters stand in their current periods."""
        if not counters:
            return ()
        keys = [names.budget(org, counter.scope, counter.per) for counter in counters]
        args = [counter.per for counter in counters]
        reply = await self._connection.run(self._scripts.use, keys, args)
        return _uses(counters, _texts(reply))

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
        keys = (hold_key, names.ledger(org), names.audit(org))
        line = msgspec.json.encode(correction)
        args = (correction.cost_nanousd, line, audit, SETTLED_SECONDS)
        await self._connection.run(self._scripts.correct, keys, args)


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
        )
        for at, counter in zip(range(0, len(reply), 3), counters, strict=True)
    )
