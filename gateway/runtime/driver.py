"""The one place that performs what the execution machine asks for.

`gateway.core.execution.step` decides; this file holds money, calls deployments, relays bytes and
books the outcome. Settling happens for success, failure, time-out, disconnect and shutdown alike.
"""

from __future__ import annotations

import asyncio
from time import monotonic, time

from adapters.base import Adapter, Outbound, Upstream
from gateway.core import execution as ex
from gateway.core.decision import Candidate, Plan
from gateway.core.errors import FairleadError, StoreUnavailable, UpstreamRejected
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.ledger import Granted, Hold, Settlement
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.runtime.answer import Answer
from gateway.runtime.bridges import back_wire, bridge_between
from gateway.runtime.exchange import Exchange
from gateway.runtime.lease import Lease
from gateway.runtime.manners import limit_headers
from gateway.runtime.pointers import shown_pointers
from gateway.runtime.rejection import read_rejection
from gateway.runtime.services import Services
from gateway.wire.base import Breakable, Bridge, Reply, Sending, StreamReader

_TERMINAL = (ex.Deliver, ex.Abort, ex.Refuse, ex.Abandon)
#: Output text per token when a server reports no usage; bytes. English prose is near 4.
_BYTES_PER_TOKEN = 4


class Driver:
    """Carries one plan out for one request."""

    def __init__(
        self, services: Services, exchange: Exchange, request: ChatRequest, answer: Answer
    ) -> None:
        self._services = services
        self._exchange = exchange
        self._request = request
        self._answer = answer
        self._state = ex.State(plan=Plan(candidates=(), deadline=0.0))
        self._reader: StreamReader | None = None
        self._reply: Reply | None = None
        self._attempt_began = 0.0
        self._corrections: dict[str, str] = {}

    async def run(self, plan: Plan) -> None:
        """Hold, call, relay, settle and audit until the machine has ended."""
        self._state = ex.State(plan=plan)
        commands = self._advance(ex.Begin(monotonic()))
        try:
            with self._exchange.client.watch():
                while commands:
                    event = await self._perform_all(commands)
                    commands = self._advance(event) if event is not None else ()
        except asyncio.CancelledError:
            await self._client_gone()
            if not self._exchange.client.gone:
                raise  # the gateway is shutting down
            if (task := asyncio.current_task()) is not None:
                task.uncancel()

    def _advance(self, event: ex.Event) -> tuple[ex.Command, ...]:
        self._state, commands = ex.step(self._state, event)
        return commands

    async def _perform_all(self, commands: tuple[ex.Command, ...]) -> ex.Event | None:
        """Perform commands in order; the event of the last one, None after the end."""
        last = commands[-1]
        settled = False
        for command in commands:
            match command:
                case ex.SettleAttempt():
                    settled = True
                    await self._settle(command, last)
                case ex.PlaceHold(candidate, attempt):
                    return await self._hold(candidate, attempt)
                case ex.StartAttempt(candidate, _):
                    return await self._attempt(candidate)
                case ex.Wait(seconds):
                    await asyncio.sleep(seconds)
                    return ex.BackoffOver(monotonic())
                case _:
                    await self._conclude(command, settled)
        return None

    # Money

    async def _hold(self, candidate: Candidate, attempt: int) -> ex.Event:
        exchange = self._exchange
        hold_id = f"{exchange.request_id}:{attempt}"
        line = exchange.ledger_line(
            candidate,
            kind="in_doubt",
            hold_id=hold_id,
            attempt=attempt,
            usage=Usage(estimated=True),
            outcome="in_doubt",
            cost_nanousd=candidate.hold_nanousd,
        )
        hold = Hold(
            hold_id=hold_id,
            request_id=exchange.request_id,
            org=line.org,
            amount_nanousd=candidate.hold_nanousd,
            lease_seconds=self._services.settings.lease_seconds,
            counters=self._services.counters_for(exchange.caller, candidate),
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
            self._services.budgets.learn(line.org, granted.used)
            return ex.HoldPlaced(hold_id)
        return ex.HoldRefused(granted.message)

    async def _settle(self, command: ex.SettleAttempt, last: ex.Command) -> None:
        exchange = self._exchange
        usage = Usage() if command.free else command.usage
        duration_ms = (monotonic() - self._attempt_began) * 1000.0
        record = exchange.book_attempt(command.candidate, usage, command.outcome, duration_ms)
        line = exchange.ledger_line(
            command.candidate,
            kind="settle",
            hold_id=command.hold_id,
            attempt=command.attempt,
            usage=usage,
            outcome=command.outcome,
            cost_nanousd=record.cost_nanousd,
            duration_ms=duration_ms,
        )
        audit = None
        if isinstance(last, _TERMINAL):
            audit = exchange.audit_record(*self._ending(last))
        self._services.metrics.attempt(line)
        settlement = Settlement(
            hold_id=line.hold_id,
            org=line.org,
            line=line,
            audit=audit,
            counters=self._services.counters_for(exchange.caller, command.candidate),
        )
        await self._services.write(self._services.outbox.settle, settlement)
        exchange.mark("settle")

    # One call upstream

    async def _attempt(self, candidate: Candidate) -> ex.Event:
        self._attempt_began = monotonic()
        self._reader = self._reply = None
        adapter = self._services.adapters[candidate.deployment.name]
        with self._lease():
            outcome = await self._call(candidate, adapter)
        self._exchange.mark("upstream")
        if isinstance(outcome, AttemptFailure):
            self._services.health.failed(candidate.deployment.name, outcome)
            self._corrections[candidate.deployment.name] = outcome.correction
            return ex.AttemptFailed(outcome, self._spent(), monotonic())
        self._services.health.succeeded(candidate.deployment.name)
        return ex.AttemptSucceeded(self._spent())

    async def _call(self, candidate: Candidate, adapter: Adapter) -> AttemptFailure | None:
        deployment = candidate.deployment
        api = self._exchange.api
        back = back_wire(api, adapter) or adapter.wire
        bridge = bridge_between(
            api,
            back,
            new_id=self._exchange.request_id.removeprefix("req_"),
            created=int(self._exchange.at),
        )
        sending = Sending(
            model=deployment.model,
            output_cap=candidate.output_cap,
            cap_field=adapter.cap_field,
            hidden=self._exchange.hidden,
            options=adapter.deployment.options,
            correction=self._corrections.get(deployment.name, ""),
        )
        left = self._state.plan.deadline - monotonic()
        encoded = bridge.encode(self._request, sending)
        self._exchange.lossy, self._exchange.limits = encoded.lossy, []
        if encoded.lossy and deployment.on_lossy == "refuse":
            return _passed_over(encoded.lossy)
        outbound = Outbound(
            body=encoded.body,
            sensitivity=self._exchange.label(),
            stream=self._request.stream,
            request_id=self._exchange.request_id,
            timeout_seconds=min(deployment.timeout_seconds, left),
            first_byte_seconds=min(deployment.first_byte_seconds, left),
            endpoint=back,
            headers=self._exchange.passed_headers() if back == api.wire else (),
        )
        upstream = await adapter.open(outbound)
        if isinstance(upstream, AttemptFailure):
            return upstream
        self._exchange.limits = limit_headers(api.wire, back, upstream.headers, time())
        try:
            if self._request.stream:
                return await self._relay(candidate, upstream, bridge)
            return await self._whole(upstream, bridge)
        finally:
            await upstream.close()

    async def _whole(self, upstream: Upstream, bridge: Bridge) -> AttemptFailure | None:
        body = await upstream.read()
        if isinstance(body, AttemptFailure):
            return body
        self._reply = bridge.reply(self._request, body)
        return self._reply.failure

    async def _relay(
        self, candidate: Candidate, upstream: Upstream, bridge: Bridge
    ) -> AttemptFailure | None:
        reader = self._reader = bridge.stream(self._request)
        async for chunk in upstream.chunks():
            if isinstance(chunk, AttemptFailure):
                return chunk
            passed = reader.feed(chunk)
            if passed:
                await self._send(candidate, passed)
            if reader.failure is not None:
                return reader.failure
        rest = reader.finish()
        if reader.failure is not None:
            return reader.failure
        if not reader.ended:
            if rest:
                await self._send(candidate, rest)
            return AttemptFailure(
                kind=FailureKind.CUT_STREAM, detail="the stream ended without its end marker"
            )
        if not self._state.content_sent:
            await self._send(candidate, b"")
        self._answer.rest = rest
        return None

    async def _send(self, candidate: Candidate, chunk: bytes) -> None:
        if not self._state.content_sent:
            self._advance(ex.ContentSent())
            self._exchange.mark("first_byte")
            await self._answer.begin_stream(candidate.deployment.name, self._state.attempt)
        await self._exchange.client.write(chunk)

    def _lease(self) -> Lease:
        ledger, settings = self._services.ledger, self._services.settings
        org, hold_id = self._exchange.caller.org, self._state.hold_id
        return Lease(
            lambda: ledger.renew(org, hold_id, settings.lease_seconds), settings.lease_seconds
        )

    def _spent(self) -> Usage:
        """What the attempt used: as reported, or estimated from what was sent and received."""
        source = self._reader or self._reply
        if source is not None and source.usage is not None:
            return source.usage
        text_size = source.text_size if source is not None else 0
        profile = self._exchange.profile
        return Usage(
            input_tokens=profile.tokens.expected if profile else 0,
            output_tokens=-(-text_size // _BYTES_PER_TOKEN),
            estimated=True,
        )

    # The end

    def _ending(self, terminal: ex.Command) -> tuple[str, int, str]:
        """Outcome, HTTP status and error code of a terminal command."""
        match terminal:
            case ex.Deliver():
                return "served", 200, ""
            case ex.Abandon():
                return "cancelled", 499, FailureKind.CANCELLED.value
            case ex.Abort(error):
                return "failed", 200, error.code
            case ex.Refuse(error):
                return "failed", error.http_status, error.code
            case _:
                raise ValueError(f"{type(terminal).__name__} does not end an execution")

    async def _conclude(self, terminal: ex.Command, settled: bool) -> None:
        outcome, status, code = self._ending(terminal)
        exchange = self._exchange
        exchange.outcome, exchange.status, exchange.error = outcome, status, code
        if not settled:
            record = exchange.audit_record(outcome, status=status, error=code)
            await self._services.write(self._services.outbox.record, record)
        match terminal:
            case ex.Deliver():
                await self._keep()
                await self._answer.deliver(self._reply)
            case ex.Abort(error):
                reader = self._reader
                event = reader.broken(error) if isinstance(reader, Breakable) else b""
                await self._answer.abort(error, event)
            case ex.Refuse(error, failure):
                await self._answer.refuse(_in_their_words(error, failure))

    async def _keep(self) -> None:
        """Store the turn before its last byte leaves: the client may continue at once."""
        exchange = self._exchange
        if exchange.recalled is not None and exchange.profile is not None:
            await self._services.conversations.keep(
                exchange.caller.org,
                exchange.recalled,
                self._answer.rest if self._reply is None else self._reply.body,
                stream=self._reply is None,
                sensitivity=exchange.profile.sensitivity,
            )

    async def _client_gone(self) -> None:
        """Settle what was spent for a client that left, or when the gateway shuts down."""
        if self._state.done:
            return
        commands = self._advance(ex.ClientGone(self._spent()))
        await asyncio.shield(self._perform_all(commands))


def _passed_over(lossy: tuple[str, ...]) -> AttemptFailure:
    """Policy does not send what a wire cannot carry whole; the next candidate may carry it."""
    return AttemptFailure(
        kind=FailureKind.LOSSY,
        detail=f"the deployment's wire cannot carry {len(lossy)} parts of the request",
        pointers=shown_pointers(lossy),
    )


def _in_their_words(error: FairleadError, failure: AttemptFailure | None) -> FairleadError:
    """For a request that the backend calls wrong: its own message, code and parameter."""
    if failure is None or failure.kind is not FailureKind.REJECTED or not failure.body:
        return error
    told = read_rejection(failure.body)
    if told is None:
        return error
    message, code, param = told
    return UpstreamRejected(
        message, code=code or error.code, param=param, http_status=error.http_status
    )
