"""A cascade, read as dialogues: what falls short is kept and the next rung is asked."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import events as ev
from gateway.core.cascade import USUAL_CHECKS, Checks, Examined, Gist
from gateway.core.decision import Candidate
from gateway.core.failure import FailureKind
from tests.gateway.core.test_execution import USAGE, Dialogue, candidate, failed

SAMPLED = Checks(agreement=3)


def rung(number: int, checks: Checks = USUAL_CHECKS, attempts: int = 1) -> Candidate:
    """A candidate on a rung, named by it."""
    plain = candidate(f"r{number}", attempts)
    return msgspec.structs.replace(plain, checks=checks, rung=number)


def answered(failed_check: str = "", *, says: str = "x", now: float = 1.0) -> ev.AttemptSucceeded:
    return ev.AttemptSucceeded(USAGE, now, Examined(failed=failed_check, gist=Gist(exact=says)))


def settled(talk: Dialogue) -> ev.SettleAttempt:
    command = talk.commands[0]
    assert isinstance(command, ev.SettleAttempt)
    return command


def test_an_answer_that_falls_short_is_settled_and_the_next_rung_is_held_anew() -> None:
    """The attempt is booked with its check; the answer from above is the one delivered."""
    talk = Dialogue(rung(0), rung(1))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(answered("schema")) == ["SettleAttempt", "PlaceHold"]
    assert (settled(talk).outcome, settled(talk).check) == ("inadequate", "schema")
    assert talk.state.candidate.deployment.name == "r1"
    assert talk.hear(ev.HoldPlaced("h2"), answered("schema")) == ["SettleAttempt", "Deliver"]
    assert talk.commands[-1] == ev.Deliver(2)
    assert (settled(talk).outcome, settled(talk).check) == ("ok", "")


def test_the_last_rungs_answer_is_not_judged() -> None:
    """Nobody above is left to ask, so its answer serves whatever it is."""
    talk = Dialogue(rung(1))
    talk.hear(ev.Begin(0.0))

    assert talk.state.checks is None


def test_a_higher_rung_that_was_put_first_does_not_escalate_downwards() -> None:
    """Where a breaker put the house behind the frontier, the frontier's answer serves."""
    talk = Dialogue(rung(1), rung(0))
    talk.hear(ev.Begin(0.0))

    assert talk.state.checks is None


def test_three_rungs_are_climbed_one_by_one() -> None:
    """Each failed check asks exactly one further rung."""
    talk = Dialogue(rung(0), rung(1), rung(2))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), answered("refusal"))
    talk.hear(ev.HoldPlaced("h2"), answered("tools"), ev.HoldPlaced("h3"))

    assert talk.hear(answered()) == ["SettleAttempt", "Deliver"]
    assert talk.commands[-1] == ev.Deliver(3)


def test_a_refused_hold_above_delivers_what_was_kept() -> None:
    """Too little money for the frontier is no reason for an error."""
    talk = Dialogue(rung(0), rung(1))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), answered("refusal"))

    assert talk.hear(ev.HoldRefused("used up")) == ["Deliver"]
    assert talk.commands[-1] == ev.Deliver(1)


def test_limits_a_store_that_is_away_and_a_deadline_deliver_what_was_kept() -> None:
    """The answer was paid for; nothing that happens later takes it away."""
    for happening in (ev.HoldLimited("full", 1.0, callers=True), ev.StoreFailed()):
        talk = Dialogue(rung(0), rung(1))
        talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), answered("refusal"))

        assert talk.hear(happening) == ["Deliver"]

    late = Dialogue(rung(0), rung(1), deadline=2.0)
    late.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))
    assert late.hear(answered("refusal", now=3.0)) == ["SettleAttempt", "Deliver"]


def test_a_rung_that_fails_is_skipped_upwards_and_never_downwards() -> None:
    """After the middle rung failed the top is asked, and then the kept answer serves."""
    talk = Dialogue(rung(0), rung(1), rung(2))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), answered("refusal"), ev.HoldPlaced("h2"))

    assert talk.hear(failed(FailureKind.UNAUTHORIZED)) == ["SettleAttempt", "PlaceHold"]
    assert talk.state.candidate.deployment.name == "r2"
    talk.hear(ev.HoldPlaced("h3"))
    assert talk.hear(failed(FailureKind.REJECTED)) == ["SettleAttempt", "Deliver"]
    assert talk.commands[-1] == ev.Deliver(1)


def test_a_failure_on_the_lowest_rung_falls_back_as_ever() -> None:
    """No answer is no answer to keep."""
    talk = Dialogue(rung(0), rung(1))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(failed(FailureKind.SERVER_ERROR)) == ["SettleAttempt", "PlaceHold"]
    talk.hear(ev.HoldPlaced("h2"))
    assert talk.hear(failed(FailureKind.SERVER_ERROR)) == ["SettleAttempt", "Refuse"]


def test_samples_are_held_one_by_one_until_most_of_them_agree() -> None:
    """The second sample agrees with the first, so no third is taken."""
    talk = Dialogue(rung(0, SAMPLED), rung(1, SAMPLED))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"))

    assert talk.hear(answered(says="a")) == ["SettleAttempt", "PlaceHold"]
    assert settled(talk).check == "sample"
    assert talk.state.candidate.deployment.name == "r0"
    assert talk.hear(ev.HoldPlaced("h2"), answered(says="a")) == ["SettleAttempt", "Deliver"]
    assert talk.commands[-1] == ev.Deliver(1)
    assert settled(talk).check == "passed"


def test_samples_that_cannot_agree_any_more_escalate() -> None:
    """Two of two that differ are enough to know."""
    two = Checks(agreement=2)
    talk = Dialogue(rung(0, two), rung(1, two))
    talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), answered(says="a"), ev.HoldPlaced("h2"))

    assert talk.hear(answered(says="b")) == ["SettleAttempt", "PlaceHold"]
    assert settled(talk).check == "agreement"
    assert talk.state.candidate.deployment.name == "r1"
    assert talk.hear(ev.HoldRefused("used up")) == ["Deliver"]
    assert talk.commands[-1] == ev.Deliver(1)


def test_a_sample_that_cannot_be_had_leaves_the_first_one() -> None:
    """Neither a refused hold nor a failed call says anything against the answer that is there."""
    for happenings in (
        [ev.HoldRefused("used up")],
        [ev.HoldPlaced("h2"), failed(FailureKind.UNAUTHORIZED)],
    ):
        talk = Dialogue(rung(0, SAMPLED), rung(1, SAMPLED))
        talk.hear(ev.Begin(0.0), ev.HoldPlaced("h1"), answered(says="a"))

        talk.hear(*happenings)
        assert talk.commands[-1] == ev.Deliver(1)


HAPPENINGS = ("ok", "short", "other", "down", "rejected", "busy", "no money", "late", "gone")


@given(
    rungs=st.permutations(range(3)).flatmap(lambda whole: st.sampled_from([whole, whole[:2]])),
    agreement=st.sampled_from([0, 2, 3]),
    story=st.lists(st.sampled_from(HAPPENINGS), max_size=14),
)
def test_whatever_happens_holds_are_settled_once_and_a_kept_answer_serves(
    rungs: list[int], agreement: int, story: list[str]
) -> None:
    """Property: money pairs up, rungs are only climbed, and no error follows a whole answer."""
    checks = msgspec.structs.replace(USUAL_CHECKS, agreement=agreement)
    talk = Dialogue(*(rung(number, checks, attempts=2) for number in rungs))
    talk.hear(ev.Begin(0.0))
    placed, settled_holds, whole, kept_rung = 0, 0, set[int](), -1
    for happening in story:
        if talk.state.done:
            break
        if isinstance(talk.commands[-1], ev.Wait):
            talk.hear(ev.BackoffOver(1.0))
            continue
        if happening == "no money":
            talk.hear(ev.HoldRefused("no"))
            continue
        placed += 1
        talk.hear(ev.HoldPlaced(f"h{placed}"))
        assert talk.state.candidate.rung >= kept_rung
        if happening in ("ok", "short", "other"):
            whole.add(talk.state.attempt)
            kept_rung = max(kept_rung, talk.state.candidate.rung)
        match happening:
            case "ok" | "short" | "other":
                failed_check = "schema" if happening == "short" else ""
                talk.hear(answered(failed_check, says=happening))
            case "gone":
                talk.hear(ev.ClientGone(USAGE))
            case "late":
                talk.hear(failed(FailureKind.SERVER_ERROR, now=1000.0))
            case "rejected":
                talk.hear(failed(FailureKind.REJECTED))
            case "busy":
                talk.hear(failed(FailureKind.RATE_LIMITED))
            case _:
                talk.hear(failed(FailureKind.TIMEOUT))
        settled_holds += sum(isinstance(one, ev.SettleAttempt) for one in talk.commands)

    end = talk.commands[-1]
    assert placed == settled_holds
    if isinstance(end, ev.Refuse):
        assert not whole
    if isinstance(end, ev.Deliver):
        assert end.attempt in whole
