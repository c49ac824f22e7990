"""The money of one request: held before each call, settled after it, whatever happens."""

from __future__ import annotations

from time import time

from gateway.core import execution as ex
from gateway.core.decision import Candidate
from gateway.core.errors import StoreUnavailable
from gateway.core.ledger import Granted, Hold, Settlement
from gateway.core.records import AuditRecord
from gateway.runtime.exchange import Exchange
from gateway.runtime.lease import Lease
from gateway.runtime.services import Services


class Purse:
    """Holds and settles what the attempts of one request cost."""

    def __init__(self, services: Services, exchange: Exchange) -> None:
        self._services = services
        self._exchange = exchange
        self._held_at = exchange.at

    async def hold(self, candidate: Candidate, attempt: int) -> ex.Event:
        """Reserve the most that an attempt can cost; the event says how it went."""
        exchange = self._exchange
        hold_id = f"{exchange.request_id}:{attempt}"
        line = exchange.doubtful_line(candidate, hold_id=hold_id, attempt=attempt, at=time())
        hold = Hold(
            hold_id=hold_id,
            request_id=exchange.request_id,
            org=line.org,
            amount_nanousd=candidate.hold_nanousd,
            lease_seconds=self._services.settings.lease_seconds,
            counters=exchange.ruling.counters_for(exchange.caller, candidate),
            line=line,
            audit=exchange.doubtful_record(candidate),
        )
        try:
            granted = await self._services.ledger.hold(hold)
        except StoreUnavailable:
            return ex.StoreFailed()
        finally:
            exchange.mark("hold")
        if isinstance(granted, Granted):
            self._held_at = granted.at
            self._services.budgets.learn(line.org, granted.used)
            return ex.HoldPlaced(hold_id)
        return ex.HoldRefused(granted.message)

    async def settle(
        self, command: ex.SettleAttempt, duration_ms: float, ending: tuple[str, int, str] | None
    ) -> None:
        """Book what an attempt cost and give the rest of its hold back.

        Args:
            duration_ms: how long the attempt took.
            ending: outcome, HTTP status and error code of the request, when the attempt is its
                last; the audit record is then written in the same step.
        """
        exchange = self._exchange
        line = exchange.settled_line(
            command.candidate,
            hold_id=command.hold_id,
            attempt=command.attempt,
            at=self._held_at,
            usage=None if command.free else command.usage,
            outcome=command.outcome,
            duration_ms=duration_ms,
        )
        exchange.book_attempt(line)
        audit: AuditRecord | None = None
        if ending is not None:
            outcome, status, code = ending
            audit = exchange.audit_record(outcome, status=status, error=code)
        self._services.metrics.attempt(line)
        settlement = Settlement(
            hold_id=line.hold_id,
            org=line.org,
            line=line,
            audit=audit,
            counters=exchange.ruling.counters_for(exchange.caller, command.candidate),
        )
        await self._services.write(self._services.outbox.settle, settlement)
        exchange.mark("settle")

    def lease(self, hold_id: str) -> Lease:
        """Keeps the hold alive for as long as it is entered."""
        ledger, seconds = self._services.ledger, self._services.settings.lease_seconds
        org = self._exchange.caller.org
        return Lease(lambda: ledger.renew(org, hold_id, seconds), seconds)
