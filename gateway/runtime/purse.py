"""The money of one request: held before each call, settled after it, whatever happens."""

from __future__ import annotations

from gateway.core import events as ev
from gateway.core.budgets import Refused
from gateway.core.decision import Candidate
from gateway.core.errors import StoreUnavailable
from gateway.core.ledger import UNDATED, Granted, Hold, Settlement
from gateway.core.limits import LimitCounter, Limited
from gateway.core.planning import recounted, shrunk
from gateway.core.records import AuditRecord
from gateway.runtime.exchange import Exchange
from gateway.runtime.lease import Lease
from gateway.runtime.manners import own_limit_headers, refused_limit_headers
from gateway.runtime.ruling import Charges
from gateway.runtime.services import Services


class Purse:
    """Holds and settles what the attempts of one request cost."""

    def __init__(self, services: Services, exchange: Exchange) -> None:
        self._services = services
        self._exchange = exchange
        self._held_at = exchange.at
        self._charges = Charges((), (), None)

    async def hold(self, candidate: Candidate, attempt: int) -> ev.Event:
        """Reserve the most that an attempt can cost; the event says how it went."""
        smaller = None
        try:
            answer = await self._ask(candidate, attempt)
            if isinstance(answer, Refused):
                smaller = await self._counted(candidate)
                if smaller is not None:
                    candidate = smaller
                    answer = await self._ask(candidate, attempt)
            if isinstance(answer, Refused):
                smaller = self._smaller(candidate, answer)
                if smaller is not None:
                    answer = await self._ask(smaller, attempt)
        except StoreUnavailable:
            return ev.StoreFailed(at_home=self._exchange.ruling.stays_home)
        finally:
            self._exchange.mark("hold")
        match answer:
            case Granted():
                self._learn(answer)
                return ev.HoldPlaced(answer.hold_id, smaller)
            case Refused():
                return ev.HoldRefused(answer.message)
            case Limited():
                wire = self._exchange.api.wire
                self._exchange.own_limits = refused_limit_headers(wire, answer, self._exchange.at)
                return ev.HoldLimited(
                    answer.message, answer.retry_after, not answer.counter.of_deployment
                )

    async def _ask(self, candidate: Candidate, attempt: int) -> Granted | Refused | Limited:
        exchange = self._exchange
        hold_id = f"{exchange.request_id}:{attempt}"
        line = exchange.doubtful_line(candidate, hold_id=hold_id, attempt=attempt, at=UNDATED)
        self._charges = exchange.charges_for(candidate)
        return await self._place(
            Hold(
                hold_id=hold_id,
                request_id=exchange.request_id,
                org=line.org,
                amount_nanousd=candidate.hold_nanousd,
                lease_seconds=self._services.settings.lease_seconds,
                counters=self._charges.counters,
                line=line,
                audit=exchange.doubtful_record(candidate),
                limits=self._limits(),
                tokens=candidate.most_tokens,
                repeated=attempt > 1,
            )
        )

    def _limits(self) -> tuple[LimitCounter, ...]:
        """The limits that count; whoever asked once is not limited for what we call beside it."""
        limits = self._charges.limits
        if not self._exchange.aside:
            return limits
        return tuple(one for one in limits if one.of_deployment)

    async def _place(self, hold: Hold) -> Granted | Refused | Limited:
        """Hold in Redis or, where policy is lenient and Redis is away, from the slices."""
        services, lenient = self._services, self._exchange.ruling.lenient
        try:
            answer = await services.ledger.hold(hold)
        except StoreUnavailable:
            kept_out = self._exchange.ruling.stays_home and not hold.line.self_hosted
            if not lenient or kept_out:
                raise
            return services.slices.hold(hold)
        if lenient and isinstance(answer, Granted):
            services.slices.note(hold)
        return answer

    def _learn(self, granted: Granted) -> None:
        exchange = self._exchange
        self._held_at = granted.at
        self._services.budgets.learn(exchange.caller.org, granted.used)
        self._services.alerts.heard(exchange.caller.org, self._charges.budgets, granted.used)
        if granted.limits:
            exchange.own_limits = own_limit_headers(exchange.api.wire, granted.limits, granted.at)
        exchange.warnings = [
            (use.scope, use.per, use.share)
            # Without Redis nobody knows where the budgets stand.
            for budget, use in zip(self._charges.budgets, granted.used, strict=False)
            if budget.warn_at and use.share >= budget.warn_at[0]
        ]

    async def _counted(self, candidate: Candidate) -> Candidate | None:
        """The candidate at what its tokens cost when they are counted, if nobody has done so."""
        exchange = self._exchange
        request, profile = exchange.request, exchange.profile
        if request is None or profile is None or profile.tokens.families or exchange.hidden:
            return None
        family = candidate.deployment.tokenizer
        profile = await self._services.count_tokens(exchange.ruling, request, profile, (family,))
        exchange.profile = profile
        return recounted(
            candidate,
            request,
            profile,
            at=exchange.at,
            seconds=exchange.ruling.policy.defaults.request_timeout_seconds,
        )

    def _smaller(self, candidate: Candidate, refused: Refused) -> Candidate | None:
        """The candidate with an output cap that what is left can pay for, if policy cuts down."""
        exchange, floor = self._exchange, refused.counter.shrink_to
        if not floor or exchange.request is None or exchange.profile is None:
            return None
        return shrunk(
            candidate,
            exchange.request,
            exchange.profile,
            room_nanousd=refused.available_nanousd,
            floor=floor,
            at=exchange.at,
            seconds=exchange.ruling.policy.defaults.request_timeout_seconds,
        )

    async def settle(
        self,
        command: ev.SettleAttempt,
        duration_ms: float,
        ending: tuple[str, int, str] | None,
        delivered: int = 0,
    ) -> None:
        """Book what an attempt cost and give the rest of its hold back.

        Args:
            duration_ms: how long the attempt took.
            ending: outcome, HTTP status and error code of the request, when the attempt is its
                last; the audit record is then written in the same step.
            delivered: the attempt whose answer the client gets, 0 for none.
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
            check=command.check,
        )
        exchange.book_attempt(line, command.check)
        if delivered:
            exchange.serve_from(delivered)
        audit: AuditRecord | None = None
        if ending is not None:
            outcome, status, code = ending
            audit = exchange.audit_record(outcome, status=status, error=code)
        self._services.metrics.attempt(line, command.check)
        settlement = Settlement(
            hold_id=line.hold_id,
            org=line.org,
            line=line,
            audit=audit,
            counters=self._charges.counters,
        )
        self._services.slices.settle(settlement)
        await self._services.write(self._services.outbox.settle, settlement)
        exchange.mark("settle")

    def lease(self, hold_id: str) -> Lease:
        """Keeps the hold alive for as long as it is entered."""
        ledger, seconds = self._services.ledger, self._services.settings.lease_seconds
        org = self._exchange.caller.org
        return Lease(lambda: ledger.renew(org, hold_id, seconds), seconds)
