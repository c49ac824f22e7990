"""Retry and fallback, read as dialogues between what happens and what is asked for."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import events as ev
from gateway.core import execution as ex
from gateway.core.decision import Candidate, Plan
from gateway.core.deployment import Deployment
from gateway.core.errors import (
    BudgetExhausted,
    DeadlineExceeded,
    RateLimited,
    StoreUnavailable,
    UpstreamFailed,
    UpstreamRejected,
)
from gateway.core.failure import AttemptFailure, FailureKind
from gateway.core.prices import Price
from gateway.core.sensitivity import Sensitivity
from gateway.core.usage import Usage

PRICE = Price(input=1, output=1, cached_input=1, cache_write=1)
USAGE = Usage(input_tokens=3, output_tokens=4)


def candidate(name: str, attempts: int = 1) -> Candidate:
    deployment = Deployment(
        name=name, adapter="openai", model="m", clearance=Sensitivity.PUBLIC, price=PRICE
    )
    return Candidate(deployment=deployment, output_cap=10, hold_nanousd=5, attempts=attempts)


def failed(kind: FailureKind, now: float = 1.0, **more: object) -> ev.AttemptFailed:
    return ev.AttemptFailed(AttemptFailure(kind=kind, **more), USAGE, now)  # type: ignore[arg-type]


class Dialogue:
    """Feeds events to the machine and remembers the commands that came last."""

    def __init__(self, *candidates: Candidate, deadline: float = 100.0) -> None:
        self.state = ex.State(plan=Plan(candidates=candidates, deadline=deadline))
        self.commands: tuple[ev.Command, ...] = ()

    def hear(self, *events: ev.Event) -> list[str]:
        for event in events:
            self.state, self.commands = ex.step(self.state, event)
        return [type(command).__name__ for command in self.commands]


def test_a_good_answer_is_held_called_settled_and_delivered() -> None:
    """The shortest life: one hold, one call, one settlement, one answer."""
    talk = Dialogue(candidate("a"))

    assert talk.hear(ev.Begin(0.0)) == ["PlaceHold"]
    assert talk.hear(ev.HoldPlaced("h1")) == ["StartAttempt"]
    assert talk.hear(ev.AttemptSucceeded(USAGE)) == ["SettleAttempt", "Deliver"]


def test_a_failure_that_a_pause_can_cure_is_tried_again_on_the_same_deployment() -> None:
    """A server error settles, waits and calls the same deployment under a new hold."""
    talk = Dialogue(candidate("a", attempts=2), candidate("b"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(failed(FailureKind.SERVER_ERROR)) == ["SettleAttempt", "Wait"]
    assert talk.hear(ev.BackoffOver(1.1)) == ["PlaceHold"]
    assert talk.state.candidate.deployment.name == "a"


def test_when_the_retries_are_used_up_the_next_candidate_is_held_anew() -> None:
    """Fallback places its own hold, because the next deployment has its own price."""
    talk = Dialogue(candidate("a"), candidate("b"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(failed(FailureKind.SERVER_ERROR)) == ["SettleAttempt", "PlaceHold"]
    assert talk.state.candidate.deployment.name == "b"


def test_a_time_out_is_not_tried_again_on_the_same_deployment() -> None:
    """A deployment that just used up the whole time would use it up again."""
    talk = Dialogue(candidate("a", attempts=3), candidate("b"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(failed(FailureKind.TIMEOUT)) == ["SettleAttempt", "PlaceHold"]


def test_after_the_first_content_byte_a_failure_ends_the_stream_with_an_error() -> None:
    """Two answers are never spliced: no retry and no fallback once the client has content."""
    talk = Dialogue(candidate("a", attempts=3), candidate("b"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), ev.ContentSent())

    assert talk.hear(failed(FailureKind.CUT_STREAM)) == ["SettleAttempt", "Abort"]


def test_the_callers_own_mistake_is_not_shopped_around() -> None:
    """A rejected request ends at once with the backend's status."""
    talk = Dialogue(candidate("a", attempts=3), candidate("b"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(failed(FailureKind.REJECTED, status=422)) == ["SettleAttempt", "Refuse"]
    refuse = talk.commands[-1]
    assert isinstance(refuse, ev.Refuse)
    assert isinstance(refuse.error, UpstreamRejected)
    assert refuse.error.http_status == 422


def test_a_failure_that_never_ran_a_model_costs_nothing() -> None:
    """A refused connection is settled as free; a broken stream is not."""
    free = Dialogue(candidate("a"))
    free.hear(ev.Begin(0.0), ev.HoldPlaced("h"), failed(FailureKind.CONNECT))
    spent = Dialogue(candidate("a"))
    spent.hear(ev.Begin(0.0), ev.HoldPlaced("h"), failed(FailureKind.CUT_STREAM))

    assert isinstance(free.commands[0], ev.SettleAttempt)
    assert free.commands[0].free
    assert isinstance(spent.commands[0], ev.SettleAttempt)
    assert not spent.commands[0].free


def test_a_refused_hold_tries_the_next_candidate_and_then_names_the_budget() -> None:
    """A cheaper candidate may still fit; if none does, the caller learns which budget it was."""
    talk = Dialogue(candidate("a"), candidate("b"))
    talk.hear(ev.Begin(0.0))

    assert talk.hear(ev.HoldRefused("team/x is used up")) == ["PlaceHold"]
    assert talk.hear(ev.HoldRefused("team/x is used up")) == ["Refuse"]
    refuse = talk.commands[-1]
    assert isinstance(refuse, ev.Refuse)
    assert isinstance(refuse.error, BudgetExhausted)


def test_a_limit_of_the_caller_ends_it_and_one_of_a_deployment_does_not() -> None:
    """Another candidate has room where the deployment has none; the caller takes its own along."""
    talk = Dialogue(candidate("a"), candidate("b"), candidate("c"))
    talk.hear(ev.Begin(0.0))

    assert talk.hear(ev.HoldLimited("a is full", 9.0, callers=False)) == ["PlaceHold"]
    assert talk.hear(ev.HoldLimited("b is full", 4.0, callers=False)) == ["PlaceHold"]
    assert talk.hear(ev.HoldLimited("c is full", None, callers=False)) == ["Refuse"]
    error = talk.commands[-1].error  # type: ignore[union-attr]
    assert isinstance(error, RateLimited)
    assert (error.public_message, error.retry_after) == ("b is full", 4.0)

    other = Dialogue(candidate("a"), candidate("b"))
    other.hear(ev.Begin(0.0))
    assert other.hear(ev.HoldLimited("team/x is full", 2.0, callers=True)) == ["Refuse"]


def test_a_smaller_candidate_takes_the_place_of_the_planned_one() -> None:
    """What was held for is what is called, and what is settled."""
    talk = Dialogue(candidate("a"), candidate("b"))
    smaller = msgspec.structs.replace(candidate("a"), output_cap=7)
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1", smaller))

    (start,) = talk.commands
    assert isinstance(start, ev.StartAttempt)
    assert start.candidate.output_cap == talk.state.candidate.output_cap == 7


def test_a_reserve_serves_when_a_budget_refuses_but_not_when_a_model_fails() -> None:
    """`self_hosted_only` opens models outside the route for lack of money, for nothing else."""
    reserve = msgspec.structs.replace(candidate("home"), reserve=True)
    poor = Dialogue(candidate("a"), reserve)
    failing = Dialogue(candidate("a"), reserve)
    failing.hear(ev.Begin(0.0), ev.HoldPlaced("h"))

    assert poor.hear(ev.Begin(0.0), ev.HoldRefused("used up")) == ["PlaceHold"]
    assert poor.state.candidate.deployment.name == "home"
    assert failing.hear(failed(FailureKind.SERVER_ERROR)) == ["SettleAttempt", "Refuse"]


def test_without_a_ledger_nothing_is_called() -> None:
    """A store that does not answer refuses the request before any money is spent."""
    talk = Dialogue(candidate("a"), candidate("b"))

    assert talk.hear(ev.Begin(0.0), ev.StoreFailed()) == ["Refuse"]
    assert isinstance(talk.commands[0].error, StoreUnavailable)  # type: ignore[union-attr]


def test_a_client_that_leaves_is_settled_and_abandoned() -> None:
    """What was spent for a client that left is booked all the same."""
    talk = Dialogue(candidate("a"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), ev.ContentSent())

    assert talk.hear(ev.ClientGone(USAGE)) == ["SettleAttempt", "Abandon"]


def test_a_pause_that_would_pass_the_deadline_moves_on_instead() -> None:
    """Waiting longer than the request may live helps nobody."""
    talk = Dialogue(candidate("a", attempts=5), candidate("b"), deadline=2.0)
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))
    slow = failed(FailureKind.RATE_LIMITED, now=1.0, retry_after=3.0)

    assert talk.hear(slow) == ["SettleAttempt", "PlaceHold"]


def test_a_passed_deadline_is_told_as_such() -> None:
    """When no time is left the error is a time-out, not a failure of the models."""
    talk = Dialogue(candidate("a"), deadline=2.0)
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))
    talk.hear(failed(FailureKind.SERVER_ERROR, now=3.0))

    assert isinstance(talk.commands[-1], ev.Refuse)
    assert isinstance(talk.commands[-1].error, DeadlineExceeded)


def test_when_all_fail_every_failure_is_named_in_order() -> None:
    """The caller's error tells the whole story."""
    talk = Dialogue(candidate("a"), candidate("b"))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), failed(FailureKind.CONNECT))
    talk.hear(ev.HoldPlaced("h2"), failed(FailureKind.OVERLOADED))

    refuse = talk.commands[-1]
    assert isinstance(refuse, ev.Refuse)
    assert isinstance(refuse.error, UpstreamFailed)
    assert "a: connect; b: overloaded" in refuse.error.public_message


@given(
    attempts=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    story=st.lists(st.sampled_from([*FailureKind, "ok", "content", "gone", "no money"])),
)
def test_whatever_happens_every_placed_hold_is_settled_once(
    attempts: list[int], story: list[object]
) -> None:
    """Property: holds and settlements pair up, and the machine calls nobody after its end."""
    talk = Dialogue(*(candidate(f"d{i}", n) for i, n in enumerate(attempts)))
    talk.hear(ev.Begin(0.0))
    placed: list[str] = []
    settled: list[str] = []
    calls = 0
    for turn, happening in enumerate(story):
        if talk.state.done:
            break
        command = talk.commands[-1] if talk.commands else None
        if isinstance(command, ev.PlaceHold) and happening == "no money":
            talk.hear(ev.HoldRefused("no"))
            continue
        if isinstance(command, ev.PlaceHold):
            placed.append(f"h{turn}")
            talk.hear(ev.HoldPlaced(f"h{turn}"))
            calls += 1
        elif isinstance(command, ev.Wait):
            talk.hear(ev.BackoffOver(1.0))
            continue
        if happening == "content":
            talk.state, _ = ex.step(talk.state, ev.ContentSent())
            happening = FailureKind.CUT_STREAM
        if happening == "ok":
            talk.hear(ev.AttemptSucceeded(USAGE))
        elif happening == "gone":
            talk.hear(ev.ClientGone(USAGE))
        elif isinstance(happening, FailureKind):
            talk.hear(failed(happening))
        else:
            talk.hear(failed(FailureKind.SERVER_ERROR))
        settled += [c.hold_id for c in talk.commands if isinstance(c, ev.SettleAttempt)]

    assert settled == placed[: len(settled)]
    assert len(placed) - len(settled) <= 0
    assert calls <= sum(attempts)
