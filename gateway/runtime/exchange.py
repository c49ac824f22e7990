"""Everything that is learnt about one request on its way, and the records made of it."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from time import monotonic, time

import msgspec

from gateway.core.conversation import Answer
from gateway.core.decision import Candidate, Decision, Facts
from gateway.core.prices import CostPart, cost_of, cost_parts, is_unpriced
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.recorded import record_of
from gateway.core.records import AttemptRecord, AuditRecord, LedgerLine, StageRecord
from gateway.core.request import ChatRequest
from gateway.core.second_stage import SECOND_STAGE
from gateway.core.sensitivity import UNKNOWN, Sensitivity
from gateway.core.usage import Usage
from gateway.runtime.client import Client, Headers
from gateway.runtime.conversations import Recalled
from gateway.runtime.pointers import without_text
from gateway.runtime.ruling import Charges, Ruling
from gateway.runtime.turn import Turn
from gateway.wire.base import Front

_MEANING = (b"anthropic-version", b"anthropic-beta", b"openai-beta")


def new_request_id() -> str:
    """An id for a request: a caller's, or one of ours beside it."""
    return "req_" + token_hex(12)


class Exchange:
    """One request from its first byte to its audit record; lives as long as the HTTP exchange."""

    def __init__(self, request_id: str, client: Client, api: Front, ruling: Ruling) -> None:
        self.request_id = request_id
        self.api = api
        self.client = client
        self.ruling = ruling
        self.started = monotonic()
        self.at = time()
        self.principal: Principal | None = None
        self.request: ChatRequest | None = None
        self.recalled: Recalled | None = None
        self.profile: Profile | None = None
        self.facts: Facts | None = None
        self.decided: Decision | None = None
        self.decision: Decision | None = None
        self.hidden: tuple[tuple[str, str], ...] = ()
        self.values: Mapping[str, str] = {}
        self.sent: Sensitivity | None = None
        self.conversation = ""
        self.shadow_of = ""
        self.judge_of = ""
        self.listens = False
        self.watched = False
        self.disobeyed: list[str] = []
        self.said: Answer | None = None
        self.second_stage_of = ""
        self.second_stage: StageRecord | None = None
        self.lossy: tuple[str, ...] = ()
        self.limits: Headers = []
        self.own_limits: Headers = []
        self.warnings: list[tuple[str, str, float]] = []
        self.turn: Turn | None = None
        self.attempts: list[AttemptRecord] = []
        self.usage = Usage()
        self.cost_nanousd = 0
        self.deployment = ""
        self.status = 0
        self.outcome = ""
        self.error = ""
        self.stages: dict[str, float] = {}
        self._mark = self.started

    def mark(self, stage: str) -> None:
        """Book the time since the last mark to a stage, in milliseconds."""
        now = monotonic()
        self.stages[stage] = self.stages.get(stage, 0.0) + (now - self._mark) * 1000.0
        self._mark = now

    @property
    def duration_ms(self) -> float:
        """Milliseconds since the request began."""
        return (monotonic() - self.started) * 1000.0

    def book_attempt(self, line: LedgerLine, check: str = "") -> None:
        """Remember one call upstream by its ledger line and the check of a cascade."""
        record = AttemptRecord(
            deployment=line.deployment,
            outcome=line.outcome,
            cost_nanousd=line.cost_nanousd,
            duration_ms=line.duration_ms,
            at=line.at,
            check=check,
        )
        self.attempts.append(record)
        self.cost_nanousd += line.cost_nanousd
        self.usage = line.usage
        self.deployment = line.deployment

    def settled_line(
        self,
        candidate: Candidate,
        *,
        hold_id: str,
        attempt: int,
        at: float,
        usage: Usage | None,
        outcome: str,
        duration_ms: float,
        check: str = "",
    ) -> LedgerLine:
        """The ledger's line for an attempt that ended; no usage means that it cost nothing.

        Args:
            at: when it was held, by the store's clock; the price of that moment counts.
        """
        price = candidate.deployment.price
        parts = cost_parts(usage, price, at) if usage is not None else ()
        listed = None
        if price.listed is not None and usage is not None:
            listed = cost_of(usage, price.listed, at)
        machine = price.machine
        return msgspec.structs.replace(
            self._line(candidate, hold_id, attempt, at),
            kind="settle",
            outcome=self._called(outcome, "ok"),
            usage=usage or Usage(),
            cost_nanousd=sum(part.cost_nanousd for part in parts),
            parts=parts,
            list_nanousd=listed,
            unpriced=usage is not None and is_unpriced(usage, price, at),
            gpu_seconds=round(machine.busy_seconds(usage), 6) if machine and usage else 0.0,
            duration_ms=round(duration_ms, 3),
            because=self._remark(check),
        )

    @property
    def aside(self) -> str:
        """What this is where it is a call of ours beside a request: shadow, judge or second_stage;
        empty for a request of a caller's."""
        if self.second_stage_of:
            return SECOND_STAGE
        return "shadow" if self.shadow_of else "judge" if self.judge_of else ""

    def _called(self, outcome: str, good: str) -> str:
        """The word for an outcome; a good answer that no caller gets is called what it is for."""
        return self.aside or outcome if outcome == good else outcome

    def _remark(self, check: str) -> str:
        if self.aside:
            whose = self.shadow_of or self.judge_of or self.second_stage_of
            return f"{self.aside.replace('_', ' ')} of {whose}"
        return f"check: {check}" if check else ""

    def doubtful_line(
        self, candidate: Candidate, *, hold_id: str, attempt: int, at: float
    ) -> LedgerLine:
        """What the ledger books when nobody settles an attempt: all that was held for it."""
        held = candidate.hold_nanousd
        return msgspec.structs.replace(
            self._line(candidate, hold_id, attempt, at),
            cost_nanousd=held,
            parts=(CostPart("in_doubt", 0, 0, held, 0),),
        )

    def _line(self, candidate: Candidate, hold_id: str, attempt: int, at: float) -> LedgerLine:
        principal, profile, deployment = self.caller, self.judged, candidate.deployment
        decision, request = self.decision, self.request
        if decision is None or request is None:
            raise ValueError("the request has not been decided yet")
        return LedgerLine(
            kind="in_doubt",
            hold_id=hold_id,
            request_id=self.request_id,
            attempt=attempt,
            at=at,
            org=principal.org,
            team=principal.team,
            app=principal.app,
            user=principal.user,
            key_id=principal.key_id,
            alias=request.model,
            deployment=deployment.name,
            provider=deployment.provider or deployment.adapter,
            model=deployment.model,
            route=decision.route,
            sensitivity=profile.sensitivity.label,
            outcome="in_doubt",
            usage=Usage(estimated=True),
            held_nanousd=candidate.hold_nanousd,
            cost_nanousd=0,
            price_revision=deployment.price.revision,
            self_hosted=deployment.self_hosted,
            tags=dict(self.tags),
            stream=request.stream,
            policy=decision.revision,
        )

    def serve_from(self, attempt: int) -> None:
        """Say that the answer of an earlier attempt (from 1) is the one that is delivered."""
        self.deployment = self.attempts[attempt - 1].deployment

    def charges_for(self, candidate: Candidate) -> Charges:
        """What an attempt with a candidate is charged to and counts in."""
        return self.ruling.charges_for(self.caller, candidate, self.tags)

    @property
    def caller(self) -> Principal:
        """Who is calling; only asked after authentication.

        Raises:
            ValueError: nobody has been authenticated yet.
        """
        if self.principal is None:
            raise ValueError("the request has not been authenticated yet")
        return self.principal

    @property
    def judged(self) -> Profile:
        """What the classifier found; only asked after it has looked.

        Raises:
            ValueError: the request has not been judged yet.
        """
        if self.profile is None:
            raise ValueError("the request has not been judged yet")
        return self.profile

    def sent_headers(self, *, same_wire: bool) -> tuple[tuple[str, str], ...]:
        """What goes upstream beside a deployment's own headers: those that policy adds.

        Where the backend speaks the client's wire, the client's own headers that say how its bytes
        are meant go first; nothing else of the client crosses.
        """
        headers = self.client.headers
        passed = (
            (name.decode(), headers[name].decode("latin-1"))
            for name in _MEANING
            if same_wire and name in headers
        )
        return (*passed, *(self.decision.headers if self.decision is not None else ()))

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """The request's tags: the caller's and the key's own, and over them those of policy."""
        own = self.facts.tags if self.facts is not None else ()
        added = self.decision.tags if self.decision is not None else ()
        return tuple({**dict(own), **dict(added)}.items()) if added else own

    @property
    def task(self) -> str:
        """The kind of task that was judged; the most general one before that."""
        return self.profile.task if self.profile is not None else "chat"

    def label(self) -> Sensitivity:
        """The sensitivity of the bytes that are sent; unknown counts as restricted."""
        if self.sent is not None:
            return self.sent
        return self.profile.sensitivity if self.profile is not None else UNKNOWN

    def doubtful_record(self, candidate: Candidate) -> AuditRecord:
        """What the audit log keeps if the gateway dies during this attempt."""
        record = self.audit_record("in_doubt", status=0, error="gateway_died")
        doubtful = AttemptRecord(
            deployment=candidate.deployment.name,
            outcome="in_doubt",
            cost_nanousd=candidate.hold_nanousd,
        )
        return msgspec.structs.replace(
            record,
            deployment=doubtful.deployment,
            attempts=(*record.attempts, doubtful),
            cost_nanousd=record.cost_nanousd + doubtful.cost_nanousd,
        )

    def audit_record(self, outcome: str, status: int, error: str = "") -> AuditRecord:
        """The decision with its facts and what came of it, as the audit log keeps it."""
        if self.facts is None or self.decided is None or self.decision is None:
            raise ValueError("the request has not been decided yet")
        rejected = self.decision.rejected
        return msgspec.structs.replace(
            record_of(self.facts, self.decided),
            deployment=self.deployment if outcome != "refused" else "",
            rejected={one.deployment: one.reason for one in rejected},
            attempts=tuple(self.attempts),
            outcome=self._called(outcome, "served"),
            status=status,
            error=error,
            cost_nanousd=self.cost_nanousd,
            duration_ms=round(self.duration_ms, 3),
            lossy=tuple(map(without_text, self.lossy)),
            usage=self.usage if self.attempts else None,
            shadow_of=self.shadow_of,
            judge_of=self.judge_of,
            second_stage_of=self.second_stage_of,
            second_stage=self.second_stage,
        )
