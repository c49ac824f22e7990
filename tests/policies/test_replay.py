"""A record decided again under another policy: what moves, what it costs, what cannot be told."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from gateway.core.decision import Decision, Facts
from gateway.core.prices import cost_of
from gateway.core.principal import Principal
from gateway.core.recorded import NotReplayable, record_of
from gateway.core.records import AttemptRecord, AuditRecord
from gateway.core.replaying import Replayed, Side
from gateway.core.sensitivity import Sensitivity
from gateway.core.speed import Speed
from gateway.core.usage import Usage
from policies.compiled import CompiledPolicy
from policies.engine import decide
from policies.replay import candidate_of, replay

AS_LISTED = "routes: [{id: r, use: [house, frontier]}]\n"
OUTSIDE = "routes: [{id: r, use: [frontier, house]}]\n"
NOBODY = "constraints: [{id: c, block: true}]\nroutes: [{id: r, use: [house]}]\n"
USAGE = Usage(input_tokens=1000, output_tokens=500)

Compile = Callable[[str], CompiledPolicy]
MakeFacts = Callable[..., Facts]


@pytest.fixture
def recorded(deployments: str, compiled: Compile, facts: MakeFacts) -> Callable[..., AuditRecord]:
    """The record of facts that were decided under these statements, and then paid for."""

    def make(statements: str, *, served: str = "", **given: object) -> AuditRecord:
        policy = compiled(deployments + statements)
        asked = facts(**given)
        decision = decide(policy, asked)
        return paid(record_of(asked, decision), decision, policy, served)

    return make


def paid(
    record: AuditRecord, decision: Decision, policy: CompiledPolicy, served: str = ""
) -> AuditRecord:
    """As after an answer of the first candidate, or of `served`."""
    if not decision.candidates:
        return record
    name = served or decision.candidates[0].name
    cost = cost_of(USAGE, policy.deployments[name].price, record.at or None)
    attempt = AttemptRecord(deployment=name, outcome="ok", cost_nanousd=cost, at=record.at)
    return msgspec.structs.replace(record, deployment=name, attempts=(attempt,), usage=USAGE)


@pytest.fixture
def again(deployments: str, compiled: Compile) -> Callable[..., Replayed]:
    """Decide a record again under other statements."""

    def make(record: AuditRecord, statements: str) -> Replayed:
        return replay(candidate_of(compiled(deployments + statements)), record)

    return make


def test_a_request_that_would_go_outside_is_told(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """With what it would have cost there, by the tokens that it really used."""
    replayed = again(recorded(AS_LISTED, sensitivity=Sensitivity.PUBLIC), OUTSIDE)

    assert replayed.before == Side(destination="house", cost_nanousd=2_000_000)
    assert replayed.after == Side(destination="frontier", outside=True, cost_nanousd=7_500_000)
    assert replayed.agrees is None


def test_clearance_holds_under_any_candidate(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """A card number stays home whatever the routes say."""
    replayed = again(recorded(AS_LISTED, findings=("payment_card",)), OUTSIDE)

    assert replayed.after.destination == "house"


def test_refusals_are_told_in_both_directions(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """Who is newly served used no tokens yet: the likely cost stands in and is marked."""
    blocked = again(recorded(AS_LISTED), NOBODY)
    served = again(recorded(NOBODY), AS_LISTED)

    assert blocked.after == Side(destination="", refusal="blocked_by_policy")
    assert set(blocked.kinds()) >= {"newly_refused"}
    assert served.before == Side(destination="", refusal="blocked_by_policy")
    assert served.after.destination == "house"
    assert served.guessed
    assert served.after.cost_nanousd > 0


def test_who_fell_back_still_does_where_nothing_changes(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """The price of the one that answered counts on both sides."""
    record = recorded(OUTSIDE, served="house")
    cap = "constraints: [{id: c, cap_output_tokens: 100}]\n"
    replayed = again(record, cap + OUTSIDE)

    assert replayed.before.destination == replayed.after.destination == "frontier"
    assert replayed.before.cost_nanousd == replayed.after.cost_nanousd == 2_000_000
    assert set(replayed.kinds()) == {"obliged"}


def test_a_deployment_that_could_not_be_asked_still_cannot(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """The API that was called has no way to it, whatever the policy says."""
    record = recorded(AS_LISTED, sensitivity=Sensitivity.PUBLIC)
    record = msgspec.structs.replace(record, rejected={**record.rejected, "frontier": "endpoint"})
    replayed = again(record, OUTSIDE)
    nobody = again(record, "routes: [{id: r, use: [frontier]}]\n")

    assert replayed.after.destination == "house"
    assert nobody.after.refusal == "endpoint_not_supported"


def test_another_map_of_sensitivity_gives_another_level(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """Computed from what was found, and never below what the caller declared."""
    easier = 'sensitivity: {findings: {email: {level: public, because: "x"}}, default: public}\n'
    found = again(recorded(OUTSIDE, findings=("email",)), easier + OUTSIDE)
    record = recorded(OUTSIDE, findings=("email",))
    assert record.facts is not None
    declared = msgspec.structs.replace(record.facts, floor="confidential")
    floored = again(msgspec.structs.replace(record, facts=declared), easier + OUTSIDE)

    assert (found.before.destination, found.after.destination) == ("house", "frontier")
    assert set(found.kinds()) == {"moved", "newly_outside", "relevelled"}
    assert floored.after.destination == "house"
    assert not floored.relevelled


def test_what_was_not_recorded_is_not_guessed(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """Older records, and speeds that the policy in force did not ask for."""
    fastest = "routes: [{id: r, use: {strategy: fastest, among: {clearance: internal}}}]\n"
    record = recorded(AS_LISTED, sensitivity=Sensitivity.PUBLIC)
    speeds = {"house": Speed(first_byte_seconds=9), "frontier": Speed(first_byte_seconds=1)}
    measured = recorded(AS_LISTED, sensitivity=Sensitivity.PUBLIC, speeds=speeds)

    with pytest.raises(NotReplayable, match="measured speed"):
        again(record, fastest)
    assert again(measured, fastest).after.destination == "frontier"
    for lacking in ("facts", "decided"):
        with pytest.raises(NotReplayable, match="before records kept"):
            again(msgspec.structs.replace(record, **{lacking: None}), AS_LISTED)


def test_a_request_for_a_deployment_that_vanished_is_newly_refused(
    recorded: Callable[..., AuditRecord], deployments: str, compiled: Compile
) -> None:
    """As the gateway would answer it."""
    without = deployments.replace("  tiny:", "  small:") + AS_LISTED
    replayed = replay(candidate_of(compiled(without)), recorded(AS_LISTED, model="tiny"))

    assert replayed.before.destination == "tiny"
    assert replayed.after.refusal == "model_not_found"


def test_the_keys_own_limits_hold_under_any_candidate(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """Which models it may ask for and what it may send are facts of the record."""
    limited = Principal(key_id="k", models=("auto",), max_sensitivity=Sensitivity.INTERNAL)
    mail = "sensitivity: {findings: {email: confidential}, default: public}\n"
    record = recorded(
        "sensitivity: {findings: {email: {level: public, because: x}}}\n" + AS_LISTED,
        findings=("email",),
        sensitivity=Sensitivity.INTERNAL,
        principal=limited,
    )

    assert again(record, mail + AS_LISTED).after.refusal == "sensitivity_above_key"


def test_a_decision_that_was_tampered_with_disagrees(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """Whatever of it was changed: nothing under the same revision may come out otherwise."""
    record = recorded(AS_LISTED, sensitivity=Sensitivity.PUBLIC)
    assert record.decided is not None
    changed = [
        msgspec.structs.replace(record, route="other"),
        msgspec.structs.replace(record, reasons=("r", "c")),
        msgspec.structs.replace(record, rejected={"tiny": "clearance"}),
        *(
            msgspec.structs.replace(
                record, decided=msgspec.structs.replace(record.decided, **fields)
            )
            for fields in (
                {"candidates": ("frontier", "house")},
                {"mask": ("email",)},
                {"output_cap": 5},
                {"refusal": "no_candidate"},
            )
        ),
    ]

    assert again(record, AS_LISTED).agrees is True
    assert [again(one, AS_LISTED).agrees for one in changed] == [False] * len(changed)


def test_an_attempt_in_doubt_costs_nothing_on_either_side(
    recorded: Callable[..., AuditRecord], again: Callable[..., Replayed]
) -> None:
    """Nobody knows what it used."""
    record = recorded(AS_LISTED, sensitivity=Sensitivity.PUBLIC)
    doubtful = AttemptRecord(deployment="house", outcome="in_doubt", cost_nanousd=99)
    replayed = again(msgspec.structs.replace(record, attempts=(doubtful,)), OUTSIDE)

    assert (replayed.before.cost_nanousd, replayed.after.cost_nanousd) == (0, 0)
