"""Proofs run in a process of their own, within bounds, and refuse what leaks."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.runtime.live.proof import Prover, prove_once
from policies.problems import PolicyError
from tests.gateway.runtime.live.conftest import text

pytest.importorskip("z3")
LEAKING = text("leaking").replace(
    "aliases:",
    "  away: {adapter: openai, model: gpt-4o, api_key: 'env:AWAY_KEY', clearance: confidential}\n"
    "aliases:",
).replace("use: [house]", "use: [away, house]")  # fmt: skip


@pytest.fixture
async def prover() -> AsyncIterator[Prover]:
    """A patient prover that is ended after the test."""
    made = Prover(60)
    yield made
    await made.close()


async def test_a_text_without_a_leak_is_proved(prover: Prover) -> None:
    """Also once in a process that ends; secrets are not needed for it."""
    verdict = await prover.verdict(text(), "p.yaml")

    assert (verdict.leaks, verdict.words) == ((), "proved to open no leak")
    assert prove_once(text(), "p.yaml", 60) == verdict


async def test_a_leak_is_found_with_its_place(prover: Prover) -> None:
    """What the file lets out without a reason."""
    verdict = await prover.verdict(LEAKING, "p.yaml")
    (leak,) = verdict.leaks

    assert leak.code.startswith("leak")
    assert leak.line == 5
    assert "confidential data leaves the company" in leak.message
    assert prove_once(LEAKING, "p.yaml", 60) == verdict


async def test_a_leak_refuses_a_change(new_stand: Any) -> None:
    """The last good version stays."""
    stand = await new_stand(environ={"AWAY_KEY": "k"}, proof_seconds=60)
    await stand.turn()
    with pytest.raises(PolicyError, match="a leak: "):
        await stand.changes.bring(LEAKING, source="admin", by="ann")
    changed = await stand.changes.bring(text("second"), source="admin", by="ann")

    assert changed.version.number == 2
    assert changed.version.proof == "proved to open no leak"


async def test_a_proof_that_takes_too_long_is_given_up() -> None:
    """And is said not to be one; the next question gets a new process."""
    hasty = Prover(0.01)
    verdict = await hasty.verdict(text(), "p.yaml")
    await hasty.close()

    assert verdict.words == "not proved: it takes longer than 0.01 seconds"
    assert prove_once(text(), "p.yaml", 0.01) == verdict


async def test_proofs_can_be_switched_off() -> None:
    """Nothing is started then."""
    off = Prover(0)

    assert (await off.verdict(LEAKING, "p.yaml")).unproved.startswith("proofs are switched off")
    assert prove_once(LEAKING, "p.yaml", 0).unproved.startswith("proofs are switched off")


async def test_a_prover_that_dies_is_started_again(prover: Prover) -> None:
    """Whatever ends it, changes go on, and are said not to be proved."""
    await prover.verdict(text(), "p.yaml")
    process = prover._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    died = await prover.verdict(text(), "p.yaml")
    again = await prover.verdict(text(), "p.yaml")

    assert died.unproved == "the prover ended" or not died.unproved
    assert not again.unproved


async def test_what_is_in_force_already_is_told_to_leak(new_stand: Any) -> None:
    """The first policy is taken as it is; the log says what is wrong with it."""
    stand = await new_stand(LEAKING, environ={"AWAY_KEY": "k"}, proof_seconds=60)
    await stand.watch._prove_in_force()

    assert stand.log.events() == ["policy_leaks"]
