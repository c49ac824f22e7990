"""The one place that performs what the execution machine asks for.

`gateway.core.execution.step` decides; the purse holds the money, a call asks a deployment and the
answer tells the client. Settling happens for success, failure, time-out, disconnect and shutdown
alike.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from gateway.core import events as ev
from gateway.core import execution as ex
from gateway.core.decision import Candidate, Plan
from gateway.core.errors import FairleadError, UpstreamRejected
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.request import ChatRequest
from gateway.core.usage import Usage
from gateway.runtime.answer import Answer
from gateway.runtime.call import Call
from gateway.runtime.cascade import HeldAnswer
from gateway.runtime.exchange import Exchange
from gateway.runtime.purse import Purse
from gateway.runtime.rejection import read_rejection
from gateway.runtime.services import Services

_TERMINAL = (ev.Deliver, ev.Abort, ev.Refuse, ev.Abandon)


class Driver:
    """Carries one plan out for one request."""

    def __init__(
        self, services: Services, exchange: Exchange, request: ChatRequest, answer: Answer
    ) -> None:
        self._services = services
        self._exchange = exchange
        self._request = request
        self._answer = answer
        self._purse = Purse(services, exchange)
        self._state = ex.State(plan=Plan(candidates=(), deadline=0.0))
        self._call: Call | None = None
        self._corrections: dict[str, str] = {}
        self._begun = False
        self._held: dict[int, tuple[Call, HeldAnswer]] = {}

    async def run(self, plan: Plan) -> None:
        """Hold, call, relay, settle and audit until the machine has ended."""
        self._state = ex.State(plan=plan)
        commands = self._advance(ev.Begin(monotonic()))
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

    def _advance(self, event: ev.Event) -> tuple[ev.Command, ...]:
        self._state, commands = ex.step(self._state, event)
        return commands

    async def _perform_all(self, commands: tuple[ev.Command, ...]) -> ev.Event | None:
        """Perform commands in order; the event of the last one, None after the end."""
        last = commands[-1]
        settled = False
        for command in commands:
            match command:
                case ev.SettleAttempt():
                    settled = True
                    await self._settle(command, last)
                case ev.PlaceHold(candidate, attempt):
                    return await self._purse.hold(candidate, attempt)
                case ev.StartAttempt(candidate, attempt):
                    return await self._attempt(candidate, attempt)
                case ev.Wait(seconds):
                    await asyncio.sleep(seconds)
                    return ev.BackoffOver(monotonic())
                case _:
                    await self._conclude(command, settled)
        return None

    async def _attempt(self, candidate: Candidate, attempt: int) -> ev.Event:
        name = candidate.deployment.name
        call = self._call = self._make_call(candidate, attempt)
        with self._purse.lease(self._state.hold_id):
            failure = await call.make(
                deadline=self._state.plan.deadline, correction=self._corrections.get(name, "")
            )
        exchange = self._exchange
        exchange.mark("upstream")
        if failure is not None:
            # A second stage's patience is policy's own, and tells nothing of the deployment.
            if not exchange.second_stage_of or failure.kind is not FailureKind.TIMEOUT:
                self._services.health.failed(name, failure)
            self._corrections[name] = failure.correction
            if failure.correction:
                exchange.disobeyed.append(name)
            return ev.AttemptFailed(failure, call.spent(), monotonic())
        self._services.health.succeeded(name)
        self._services.speeds.answered(name, call.speed())
        if not exchange.judge_of:  # a verdict is no answer to a task of that kind
            self._services.lengths.answered(name, exchange.task, call.length())
        examined = None if self._begun else call.examined()
        if exchange.decision is not None and (examined is None or not examined.failed):
            self._services.sticking.served(exchange.caller.org, exchange.decision, name)
        return ev.AttemptSucceeded(call.spent(), monotonic(), examined)

    def _make_call(self, candidate: Candidate, attempt: int) -> Call:
        exchange, checks = self._exchange, self._state.checks
        adapter = exchange.ruling.adapters[candidate.deployment.name]
        if checks is None:
            return Call(exchange, self._request, candidate, adapter, self._send)
        held = HeldAnswer(self._send)
        call = Call(exchange, self._request, candidate, adapter, held.write, checks)
        self._held[attempt] = call, held
        return call

    async def _send(self, chunk: bytes) -> None:
        """Pass the next bytes of a stream on; the headers go before the first of them."""
        if not self._begun:
            self._begun = True
            if not self._state.done:  # an answer that was held is sent after the end
                self._advance(ev.ContentSent())
            self._exchange.mark("first_byte")
            deployment = self._call.candidate.deployment.name if self._call else ""
            await self._answer.begin_stream(deployment, self._state.attempt)
        await self._exchange.client.write(chunk)

    async def _settle(self, command: ev.SettleAttempt, last: ev.Command) -> None:
        began = self._call.began if self._call is not None else monotonic()
        ending = _ending(last) if isinstance(last, _TERMINAL) else None
        delivered = last.attempt if isinstance(last, ev.Deliver) else 0
        await self._purse.settle(command, (monotonic() - began) * 1000.0, ending, delivered)

    # The end

    async def _conclude(self, terminal: ev.Command, settled: bool) -> None:
        outcome, status, code = _ending(terminal)
        exchange = self._exchange
        exchange.outcome, exchange.status, exchange.error = outcome, status, code
        if isinstance(terminal, ev.Deliver):
            exchange.serve_from(terminal.attempt)
        if not settled:
            record = exchange.audit_record(outcome, status=status, error=code)
            await self._services.write(self._services.outbox.record, record)
        match terminal:
            case ev.Deliver(attempt):
                await self._deliver(attempt)
            case ev.Abort(error):
                event = self._call.broken(error) if self._call is not None else b""
                await self._answer.abort(error, event)
            case ev.Refuse(error, failure):
                await self._answer.refuse(_in_their_words(error, failure))

    async def _deliver(self, attempt: int) -> None:
        call = self._call
        if attempt in self._held:
            call, held = self._held[attempt]
            self._exchange.lossy, self._exchange.limits = call.lossy, call.limits
            if call.reply is None:
                self._call = call
                await held.release()
        if call is not None:
            await self._keep(call)
            await self._answer.deliver(call.reply, call.rest)
            self._exchange.said = call.heard()

    async def _keep(self, call: Call) -> None:
        """Store the turn before its last byte leaves: the client may continue at once."""
        exchange = self._exchange
        if exchange.recalled is not None and exchange.profile is not None:
            await self._services.conversations.keep(
                exchange.caller.org,
                exchange.recalled,
                call.rest if call.reply is None else call.reply.body,
                stream=call.reply is None,
                sensitivity=exchange.profile.sensitivity,
                floor=exchange.label(),
            )

    async def _client_gone(self) -> None:
        """Settle what was spent for a client that left, or when the gateway shuts down."""
        if self._state.done:
            return
        spent = self._call.spent() if self._call is not None else Usage(estimated=True)
        commands = self._advance(ev.ClientGone(spent))
        await asyncio.shield(self._perform_all(commands))


def _ending(terminal: ev.Command) -> tuple[str, int, str]:
    """Outcome, HTTP status and error code of a terminal command."""
    match terminal:
        case ev.Deliver():
            return "served", 200, ""
        case ev.Abandon():
            return "cancelled", 499, FailureKind.CANCELLED.value
        case ev.Abort(error):
            return "failed", 200, error.code
        case ev.Refuse(error):
            return "failed", error.http_status, error.code
        case _:
            raise ValueError(f"{type(terminal).__name__} does not end an execution")


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
