"""Retry and fallback as a state machine: `step(state, event) -> (state, commands)`.

Rules of this file:
- one attempt at a time, each under a hold of its own, and every hold that was placed is settled;
- the same deployment is tried again only for failures that a pause can cure;
- the next candidate is tried only while no content byte has gone to the client;
- after the first content byte a failure ends the stream with an explicit error event;
- in a cascade an answer that falls short of a check is settled and kept, and the next rung above
  is asked; where none above can serve, the kept answer is delivered rather than an error;
- the machine ends in exactly one of Deliver, Abort, Refuse or Abandon.
"""

from __future__ import annotations

import msgspec

from gateway.core.cascade import (
    PASSED,
    SAMPLE,
    Checks,
    Gist,
    majority,
    out_of_reach,
)
from gateway.core.decision import Candidate, Plan
from gateway.core.degradation import AT_HOME, REFUSE
from gateway.core.errors import (
    FairleadError,
    PolicyRefusal,
    RateLimited,
    StoreUnavailable,
    UpstreamFailed,
)
from gateway.core.events import (
    Abandon,
    Abort,
    AttemptFailed,
    AttemptSucceeded,
    BackoffOver,
    Begin,
    ClientGone,
    Command,
    ContentSent,
    Deliver,
    Event,
    HoldLimited,
    HoldPlaced,
    HoldRefused,
    PlaceHold,
    Refuse,
    SettleAttempt,
    StartAttempt,
    StoreFailed,
    Wait,
)
from gateway.core.exhaustion import exhausted
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.usage import Usage

#: First pause before the same deployment is called again, in seconds; doubled each time.
BACKOFF_SECONDS = 0.1
#: The outcome of an attempt whose answer came whole and fell short of a check.
INADEQUATE = "inadequate"
#: The longest pause a machine waits for, even when the upstream asks for more.
LONGEST_BACKOFF_SECONDS = 5.0


class Kept(msgspec.Struct, frozen=True):
    """An answer that was set aside, by its attempt, and the rung that gave it."""

    attempt: int
    rung: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where an execution stands; `attempt` numbers calls upstream from 1 over the whole plan.

    `samples` are the attempts of the candidate in turn that wait to be compared, and what each
    came to.
    """

    plan: Plan
    index: int = 0
    tries: int = 0
    attempt: int = 0
    hold_id: str = ""
    content_sent: bool = False
    failures: tuple[tuple[str, AttemptFailure], ...] = ()
    budget_message: str = ""
    at_home: bool = False
    limited: HoldLimited | None = None
    done: bool = False
    kept: Kept | None = None
    samples: tuple[tuple[int, Gist], ...] = ()

    @property
    def candidate(self) -> Candidate:
        """The candidate in turn."""
        return self.plan.candidates[self.index]

    @property
    def checks(self) -> Checks | None:
        """What the candidate's answer must pass; None where nobody above it is left to ask."""
        one = self.candidate
        later = self.plan.candidates[self.index + 1 :]
        return one.checks if any(other.rung > one.rung for other in later) else None


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
        case StoreFailed(at_home):
            if at_home and not state.candidate.deployment.self_hosted:
                return _stay_home(state)
            return _give_up(state, StoreUnavailable(_STORE_MESSAGE, retry_after=1.0))
        case ContentSent():
            return _replace(state, content_sent=True), ()
        case AttemptSucceeded():
            return _succeeded(state, event)
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
        return _give_up(state, PolicyRefusal("No deployment may serve this request."))
    if now >= state.plan.deadline:
        return _give_up(state, _exhausted(state, deadline=True))
    begun = _replace(state, attempt=state.attempt + 1, tries=state.tries + 1)
    return begun, (PlaceHold(begun.candidate, begun.attempt),)


def _stay_home(state: State) -> Step:
    """Without a store only those at home are asked; where there is none, as without a policy."""
    passed = _replace(state, attempt=state.attempt - 1, at_home=True)
    following = _following(passed)
    if following is None:
        error = StoreUnavailable(_STORE_MESSAGE, retry_after=1.0)
        return _give_up(passed, error)
    moved = _replace(passed, index=following, tries=1, attempt=state.attempt)
    return moved, (PlaceHold(moved.candidate, moved.attempt),)


def _hold_limited(state: State, limited: HoldLimited) -> Step:
    known = _replace(state, limited=_sooner(state.limited, limited))
    if not limited.callers:
        return _hold_refused(known)
    ended = _replace(known, attempt=state.attempt - 1)
    return _give_up(ended, _over_limit(limited))


def _hold_refused(state: State) -> Step:
    # A cheaper candidate later in the plan, or one with room, may still fit.
    refused = _replace(state, attempt=state.attempt - 1)
    following = _following(refused)
    if following is not None:
        moved = _replace(refused, index=following, tries=1, attempt=refused.attempt + 1)
        return moved, (PlaceHold(moved.candidate, moved.attempt),)
    return _give_up(refused, _exhausted(refused, deadline=False))


def _succeeded(state: State, event: AttemptSucceeded) -> Step:
    checks, found = state.checks, event.examined
    if checks is None or found is None:
        return _end(state, _settle(state, event.usage, "ok", free=False), Deliver(state.attempt))
    if found.failed:
        return _escalate(state, event, found.failed)
    if not checks.agreement:
        return _pass(state, event, state.attempt)
    sampled = _replace(state, samples=(*state.samples, (state.attempt, found.gist)))
    gists = [gist for _, gist in sampled.samples]
    chosen = majority(gists, checks.agreement)
    if chosen is not None:
        return _pass(sampled, event, sampled.samples[chosen][0])
    if out_of_reach(gists, checks.agreement):
        return _escalate(sampled, event, "agreement")
    settle = _settle(state, event.usage, "ok", free=False, check=SAMPLE)
    waiting = _replace(sampled, hold_id="", tries=0, kept=_kept(sampled))
    begun, commands = _next_attempt(waiting, event.now)
    return begun, (settle, *commands)


def _pass(state: State, event: AttemptSucceeded, attempt: int) -> Step:
    settle = _settle(state, event.usage, "ok", free=False, check=PASSED)
    return _end(state, settle, Deliver(attempt))


def _escalate(state: State, event: AttemptSucceeded, failed: str) -> Step:
    """Set the answer aside and ask the next rung above, under a hold of its own."""
    settle = _settle(state, event.usage, INADEQUATE, free=False, check=failed)
    above = _replace(state, hold_id="", tries=0, kept=_kept(state), samples=())
    following = _following(above)
    if following is None:
        return _end(above, settle, Deliver(_kept(state).attempt))
    begun, commands = _next_attempt(_replace(above, index=following), event.now)
    return begun, (settle, *commands)


def _kept(state: State) -> Kept:
    """The first of the samples, or the answer that came last."""
    attempt = state.samples[0][0] if state.samples else state.attempt
    return Kept(attempt, state.candidate.rung)


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
    if failure.unhealthy:
        seen = _replace(seen, at_home=seen.at_home or state.plan.provider_down == AT_HOME)
    alone = failure.unhealthy and state.plan.provider_down == REFUSE
    following = _following(seen) if failure.falls_back and not alone else None
    if following is not None:
        begun, commands = _next_attempt(_replace(seen, index=following, tries=0), now)
        return begun, (settle, *commands)
    late = now >= seen.plan.deadline or failure.kind is FailureKind.TIMEOUT
    ended, (terminal,) = _give_up(seen, _exhausted(seen, deadline=late))
    return ended, (settle, terminal)


def _following(state: State) -> int | None:
    """The next candidate in turn; those in reserve only once a budget has refused one, or
    policy lets only those at home take over.

    Once an answer is kept, only rungs above its own can better it; samples of one candidate are
    of no use to another.
    """
    if state.samples:
        return None
    for index in range(state.index + 1, len(state.plan.candidates)):
        one = state.plan.candidates[index]
        if state.kept is not None and one.rung <= state.kept.rung:
            continue
        if state.at_home and not one.deployment.self_hosted:
            continue
        if state.budget_message or state.at_home or not one.reserve:
            return index
    return None


def _give_up(state: State, error: FairleadError) -> Step:
    """Nobody is left to ask: an answer that was kept serves, else the caller is told why not."""
    if state.kept is not None:
        return _end(state, Deliver(state.kept.attempt))
    return _end(state, Refuse(error, _last_failure(state)))


def _client_gone(state: State, usage: Usage) -> Step:
    if not state.hold_id:
        return _end(state, Abandon())
    settle = _settle(state, usage, FailureKind.CANCELLED.value, free=False)
    return _end(state, settle, Abandon())


def _settle(
    state: State, usage: Usage, outcome: str, *, free: bool, check: str = ""
) -> SettleAttempt:
    return SettleAttempt(state.candidate, state.attempt, state.hold_id, usage, outcome, free, check)


def _pause(state: State, failure: AttemptFailure) -> float:
    if failure.retry_after is not None:
        return failure.retry_after
    return BACKOFF_SECONDS * float(2 ** max(0, state.tries - 1))


def _last_failure(state: State) -> AttemptFailure | None:
    return state.failures[-1][1] if state.failures else None


def _exhausted(state: State, *, deadline: bool) -> FairleadError:
    return exhausted(
        state.failures,
        deadline=deadline,
        budget_message=state.budget_message,
        over_limit=None if state.limited is None else _over_limit(state.limited),
    )


def _over_limit(limited: HoldLimited) -> RateLimited:
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


def _end(state: State, *commands: Command) -> Step:
    return _replace(state, done=True), commands


def _replace(state: State, **changes: object) -> State:
    return msgspec.structs.replace(state, **changes)
