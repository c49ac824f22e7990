"""A dry run on one worker: noted without delay, decided again between requests, written down."""

from __future__ import annotations

import pytest

from gateway.core.decision import Facts
from gateway.core.principal import Principal
from gateway.core.profile import Profile
from gateway.core.recorded import record_of
from gateway.core.records import AuditRecord
from gateway.core.replaying import Tally
from gateway.core.sensitivity import Sensitivity
from gateway.runtime.live import dryrun
from gateway.runtime.live.dryrun import DryRunner, new_dry_run
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.stores import dryruns
from gateway.stores.versions import ask
from policies.engine import decide
from tests.gateway.runtime.live.conftest import BROKEN, Stand, text

BLOCKING = text("second") + "constraints: [{id: closed, block: true}]\n"


def served(stand: Stand, number: int = 0) -> AuditRecord:
    """A decision of the policy in force."""
    facts = Facts(
        requested_model="auto",
        principal=Principal(key_id="k"),
        profile=Profile(sensitivity=Sensitivity.INTERNAL),
        request_id=f"r{number}",
    )
    return record_of(facts, decide(stand.rulings.current.policy, facts))


@pytest.fixture
def runner(stand: Stand) -> DryRunner:
    """This worker's part, to be turned by hand."""
    stand.registry = type(stand.registry)()
    metrics = PolicyMetrics(stand.registry)
    return DryRunner(stand.connection, stand.follower, stand.log, metrics)


async def begin(stand: Stand, runner: DryRunner, candidate: str) -> str:
    run = new_dry_run("rev", "against", "ann")
    for question in dryruns.keep(run, candidate):
        await ask(stand.connection, question)
    await stand.follower.look()
    await runner.look()
    return run.id


async def counted(stand: Stand, run: str) -> Tally:
    return await ask(stand.connection, dryruns.counted(run))


async def test_what_is_served_is_decided_again_and_counted(stand: Stand, runner: DryRunner) -> None:
    """From the facts of each request; nothing else of the gateway changes."""
    before = runner.goes_on
    run = await begin(stand, runner, BLOCKING)
    for number in range(120):
        runner.note(served(stand, number))
    await runner.look()
    tally = await counted(stand, run)

    assert (before, runner.goes_on) == (False, True)
    assert (tally.total.requests, tally.total.newly_refused) == (120, 120)
    assert stand.route() == "first"
    assert 'fairlead_policy_dry_run_total{change="newly_refused"} 120.0' in stand.metrics()


async def test_the_same_policy_differs_in_nothing(stand: Stand, runner: DryRunner) -> None:
    """And every decision agrees."""
    run = await begin(stand, runner, text())
    runner.note(served(stand))
    await runner.look()
    tally = await counted(stand, run)

    assert (tally.total.requests, tally.ways, tally.disagreeing) == (1, {}, 0)


async def test_a_new_candidate_counts_anew_and_none_counts_nothing(
    stand: Stand, runner: DryRunner
) -> None:
    """What was counted before stays with the run that it belongs to."""
    first = await begin(stand, runner, BLOCKING)
    runner.note(served(stand))
    second = await begin(stand, runner, text())
    runner.note(served(stand))
    await runner.look()
    for question in dryruns.end(new_dry_run("rev", "against", "ann")):
        await ask(stand.connection, question)
    await stand.follower.look()
    await runner.look()

    assert (await counted(stand, first)).total.newly_refused == 1
    assert (await counted(stand, second)).total.newly_refused == 0
    assert (await counted(stand, second)).total.requests == 1
    assert not runner.goes_on


async def test_what_cannot_be_noted_is_counted_as_left_out(
    stand: Stand, runner: DryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, and nothing is lost in silence."""
    monkeypatch.setattr(dryrun, "_MOST_WAITING", 3)
    run = await begin(stand, runner, BLOCKING)
    for number in range(5):
        runner.note(served(stand, number))
    await runner.look()
    tally = await counted(stand, run)

    assert tally.total.requests == 3
    assert tally.skipped == {"left out: too many requests at once": 2}


async def test_a_candidate_that_cannot_be_used_is_told(stand: Stand, runner: DryRunner) -> None:
    """Requests are served on."""
    await begin(stand, runner, BROKEN)

    assert not runner.goes_on
    assert "dry_run_not_possible_here" in stand.log.events()
