"""Retry and fallback as a state machine: `step(state, event) -> (state, commands)`.

Rules of this file:
- one attempt at a time, each under a hold of its own, and every hold that was placed is settled;
- the same deployment is tried again only for failures that a pause can cure;
- the next candidate is tried only while no content byte has gone to the client;
- after the first content byte a failure ends the stream with an explicit error event;
- the machine ends in exactly one of Deliver, Abort, Refuse or Abandon.
"""

from __future__ import annotations

import msgspec

from gateway.core.decision import Candidate, Plan
from gateway.core.errors import (
    BudgetExhausted,
    DeadlineExceeded,
    FairleadError,
    InvalidRequest,
    PolicyRefusal,
    RateLimited,
    StoreUnavailable,
    UpstreamFailed,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.usage import Usage

#: First pause before the same deployment is called again, in seconds; doubled each time.
BACKOFF_SECONDS = 0.1
#: The longest pause a machine waits for, even when the upstream asks for more.
LONGEST_BACKOFF_SECONDS = 5.0


# Events: what happened.


class Begin(msgspec.Struct, frozen=True):
    """The plan is ready."""

    now: float


class HoldPlaced(msgspec.Struct, frozen=True):
    """The money for the attempt is reserved; for less than was planned, if `candidate` says so."""

    hold_id: str
    candidate: Candidate | None = None


class HoldRefused(msgspec.Struct, frozen=True):
    """A budget does not cover the attempt; `message` says which, for the caller."""

    message: str


class HoldLimited(msgspec.Struct, frozen=True):
    """A limit has no room for the attempt; no other candidate helps when it is the caller's."""

    message: str
    retry_after: float | None
    callers: bool


class StoreFailed(msgspec.Struct, frozen=True):
    """The hold could not be placed because the store does not answer."""


class ContentSent(msgspec.Struct, frozen=True):
    """The first content byte of this attempt has gone to the client."""


class AttemptSucceeded(msgspec.Struct, frozen=True):
    """The whole answer came."""

    usage: Usage


class AttemptFailed(msgspec.Struct, frozen=True):
    """The call failed; `usage` is what was spent as far as it is known."""

    failure: AttemptFailure
    usage: Usage
    now: float


class BackoffOver(msgspec.Struct, frozen=True):
    """The pause before the next try is over."""

    now: float


class ClientGone(msgspec.Struct, frozen=True):
    """The client closed its connection, or the gateway is shutting down."""

    usage: Usage


Event = (
    Begin
    | HoldPlaced
    | HoldRefused
    | HoldLimited
    | StoreFailed
    | ContentSent
    | AttemptSucceeded
    | AttemptFailed
    | BackoffOver
    | ClientGone
)


# Commands: what the driver must do, in order.


class PlaceHold(msgspec.Struct, frozen=True):
    """Reserve the candidate's money."""

    candidate: Candidate
    attempt: int


class StartAttempt(msgspec.Struct, frozen=True):
    """Call the candidate's deployment."""

    candidate: Candidate
    attempt: int


class SettleAttempt(msgspec.Struct, frozen=True):
    """Book what the attempt cost and give the rest of the hold back."""

    candidate: Candidate
    attempt: int
    hold_id: str
    usage: Usage
    outcome: str
    free: bool


class Wait(msgspec.Struct, frozen=True):
    """Pause, in seconds."""

    seconds: float


class Deliver(msgspec.Struct, frozen=True):
    """Finish the answer to the client. Terminal."""


class Abort(msgspec.Struct, frozen=True):
    """End the begun stream with an error event. Terminal."""

    error: FairleadError


class Refuse(msgspec.Struct, frozen=True):
    """Answer with an error; nothing was sent yet. Terminal."""

    error: FairleadError
    failure: AttemptFailure | None = None


class Abandon(msgspec.Struct, frozen=True):
    """Stop: nobody listens any more. Terminal."""


Command = PlaceHold | StartAttempt | SettleAttempt | Wait | Deliver | Abort | Refuse | Abandon


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where an execution stands; `attempt` numbers calls upstream from 1 over the whole plan."""

    plan: Plan
    index: int = 0
    tries: int = 0
    attempt: int = 0
    hold_id: str = ""
    content_sent: bool = False
    failures: tuple[tuple[str, AttemptFailure], ...] = ()
    budget_message: str = ""
    limited: HoldLimited | None = None
    done: bool = False

    @property
    def candidate(self) -> Candidate:
        """The candidate in turn."""
        return self.plan.candidates[self.index]


Step = tuple[State, tuple[Command, ...]]


def step(state: State, event: Event) -> Step:
    """Advance the execution by one event.

    Raises:
        ValueError: the event cannot happen in this state (a driver's mistake).
    """
    if state.done:
        raise ValueError(f"{type(event).__name__} after the end")
    match event:
        case Begin(now) | BackoffOver(now):
            return _next_attempt(state, now)
        case HoldPlaced(hold_id, smaller):
            placed = _replace(state, hold_id=hold_id)
            if smaller is not None:
                placed = _replace(placed, plan=_with_candidate(state, smaller))
            return placed, (StartAttempt(placed.candidate, state.attempt),)
        case HoldRefused(message):
            return _hold_refused(_replace(state, budget_message=message))
        case HoldLimited():
            return _hold_limited(state, event)
        case StoreFailed():
            return _end(state, Refuse(StoreUnavailable(_STORE_MESSAGE, retry_after=1.0)))
        case ContentSent():
            return _replace(state, content_sent=True), ()
        case AttemptSucceeded(usage):
            return _end(state, _settle(state, usage, "ok", free=False), Deliver())
        case AttemptFailed(failure, usage, now):
            return _failed(state, failure, usage, now)
        case ClientGone(usage):
            return _client_gone(state, usage)


_STORE_MESSAGE = (
    "The gateway cannot reach its ledger, so it will not spend money it cannot record. "
    "Try again shortly."
)


def _next_attempt(state: State, now: float) -> Step:
    if not state.plan.candidates:
        return _end(state, Refuse(PolicyRefusal("No deployment may serve this request.")))
    if now >= state.plan.deadline:
        return _end(state, Refuse(_exhausted(state, deadline=True), _last_failure(state)))
    begun = _replace(state, attempt=state.attempt + 1, tries=state.tries + 1)
    return begun, (PlaceHold(begun.candidate, begun.attempt),)


def _hold_limited(state: State, limited: HoldLimited) -> Step:
    known = _replace(state, limited=_sooner(state.limited, limited))
    if not limited.callers:
        return _hold_refused(known)
    ended = _replace(known, attempt=state.attempt - 1)
    return _end(ended, Refuse(_over_limit(limited), _last_failure(ended)))


def _hold_refused(state: State) -> Step:
    # A cheaper candidate later in the plan, or one with room, may still fit.
    refused = _replace(state, attempt=state.attempt - 1)
    following = _following(refused)
    if following is not None:
        moved = _replace(refused, index=following, tries=1, attempt=refused.attempt + 1)
        return moved, (PlaceHold(moved.candidate, moved.attempt),)
    return _end(refused, Refuse(_exhausted(refused, deadline=False), _last_failure(refused)))


def _failed(state: State, failure: AttemptFailure, usage: Usage, now: float) -> Step:
    settle = _settle(state, usage, failure.kind.value, free=failure.free)
    seen = _replace(
        state,
        hold_id="",
        failures=(*state.failures, (state.candidate.deployment.name, failure)),
    )
    if state.content_sent:
        message = "The model's answer broke off; what was sent so far is incomplete."
        return _end(seen, settle, Abort(UpstreamFailed(message, code=failure.kind.value)))
    pause = _pause(seen, failure)
    if (
        failure.retryable
        and seen.tries < seen.candidate.attempts
        and pause <= LONGEST_BACKOFF_SECONDS
        and now + pause < seen.plan.deadline
    ):
        return seen, (settle, Wait(pause))
    following = _following(seen) if failure.falls_back else None
    if following is not None:
        begun, commands = _next_attempt(_replace(seen, index=following, tries=0), now)
        return begun, (settle, *commands)
    late = now >= seen.plan.deadline or failure.kind is FailureKind.TIMEOUT
    return _end(seen, settle, Refuse(_exhausted(seen, deadline=late), failure))


def _following(state: State) -> int | None:
    """The next candidate in turn; those in reserve only once a budget has refused one."""
    for index in range(state.index + 1, len(state.plan.candidates)):
        if state.budget_message or not state.plan.candidates[index].reserve:
            return index
    return None


def _client_gone(state: State, usage: Usage) -> Step:
    if not state.hold_id:
        return _end(state, Abandon())
    settle = _settle(state, usage, FailureKind.CANCELLED.value, free=False)
    return _end(state, settle, Abandon())


def _settle(state: State, usage: Usage, outcome: str, *, free: bool) -> SettleAttempt:
    return SettleAttempt(state.candidate, state.attempt, state.hold_id, usage, outcome, free)


def _pause(state: State, failure: AttemptFailure) -> float:
    if failure.retry_after is not None:
        return failure.retry_after
    return BACKOFF_SECONDS * float(2 ** max(0, state.tries - 1))


def _last_failure(state: State) -> AttemptFailure | None:
    return state.failures[-1][1] if state.failures else None


def _exhausted(state: State, *, deadline: bool) -> FairleadError:
    """The error for a plan that has no further candidate; every failure is named in order."""
    story = "; ".join(f"{name}: {failure.kind.value}" for name, failure in state.failures)
    last = _last_failure(state)
    if last is not None and last.kind in (FailureKind.REJECTED, FailureKind.CONTEXT_EXCEEDED):
        status = last.status if 400 <= last.status < 500 else 400
        code = None if last.kind is FailureKind.REJECTED else "context_length_exceeded"
        message = last.detail or "The model's server rejected the request."
        return UpstreamRejected(message, http_status=status, code=code)
    if state.failures and all(one.kind is FailureKind.LOSSY for _, one in state.failures):
        return _not_carried(state)
    if state.limited is not None and not state.failures:
        return _over_limit(state.limited)
    if state.budget_message:
        return BudgetExhausted(state.budget_message)
    if state.failures and all(one.kind in _BUSY for _, one in state.failures):
        return _busy(state, story)
    if deadline:
        return DeadlineExceeded(f"No model answered before the deadline ({story or 'no attempt'}).")
    return UpstreamFailed(f"Every model that may serve this request failed ({story}).")


_BUSY = frozenset({FailureKind.RATE_LIMITED, FailureKind.OVERLOADED})


def _busy(state: State, story: str) -> FairleadError:
    """The error for candidates that would serve, but not now."""
    waits = [one.retry_after for _, one in state.failures if one.retry_after is not None]
    limited = all(one.kind is FailureKind.RATE_LIMITED for _, one in state.failures)
    error = UpstreamRateLimited if limited else UpstreamOverloaded
    return error(
        f"Every model that may serve this request is busy ({story}). Try again later.",
        retry_after=min(waits, default=None),
    )


def _over_limit(limited: HoldLimited) -> FairleadError:
    return RateLimited(limited.message, retry_after=limited.retry_after)


def _sooner(known: HoldLimited | None, limited: HoldLimited) -> HoldLimited:
    """Of several limits the one that has room first."""
    if known is None or known.retry_after is None:
        return limited
    if limited.retry_after is None or known.retry_after <= limited.retry_after:
        return known
    return limited


def _with_candidate(state: State, candidate: Candidate) -> Plan:
    candidates = list(state.plan.candidates)
    candidates[state.index] = candidate
    return msgspec.structs.replace(state.plan, candidates=tuple(candidates))


def _not_carried(state: State) -> FairleadError:
    """The refusal of a request that no candidate's wire carries whole."""
    lost = dict.fromkeys(pointer for _, failure in state.failures for pointer in failure.pointers)
    return InvalidRequest(
        f"The models that may serve this request cannot be given {', '.join(lost)}, and policy "
        "does not let it be left out. Leave it out yourself, or ask for another model.",
        code="cannot_carry",
        param=next(iter(lost), None),
    )


def _end(state: State, *commands: Command) -> Step:
    return _replace(state, done=True), commands


def _replace(state: State, **changes: object) -> State:
    return msgspec.structs.replace(state, **changes)
