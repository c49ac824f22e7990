"""What the audit log keeps of a decision's facts is all of them, exactly."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.decision import Decision, Facts
from gateway.core.findings import Finding, SensitivityRules
from gateway.core.output_length import Lengths
from gateway.core.principal import KeyBudget, Principal
from gateway.core.profile import FamilyTokens, Needs, Profile, TokenEstimate
from gateway.core.recorded import NotReplayable, facts_of, record_of
from gateway.core.records import AuditRecord
from gateway.core.sensitivity import Sensitivity
from gateway.core.speed import Speed

RULES = SensitivityRules()
DECISION = Decision(candidates=(), route="r", revision="rev")
FACTS = Facts(
    requested_model="auto",
    principal=Principal(key_id="k"),
    profile=Profile(sensitivity=Sensitivity.INTERNAL),
)
#: For every part of the facts a value that none of them has by itself.
OTHERS: dict[type, dict[str, Any]] = {
    Facts: {
        "requested_model": "gpt-4o",
        "principal": Principal(key_id="k2"),
        "profile": Profile(sensitivity=Sensitivity.INTERNAL, task="code"),
        "stream": True,
        "choices": 3,
        "max_output_tokens": 77,
        "now": 1_767_787_200.123456,
        "budget_used": 0.1 + 0.2,
        "tags": (("team", "x"), ("stage", "live")),
        "api": "messages",
        "request_id": "req_1",
        "session": "4711",
        "speeds": {"house": Speed(first_byte_seconds=0.1 + 0.2, tokens_per_second=31.7)},
        "kept": {"all": "house"},
        "thresholds": {"all": 0.1 + 0.2},
        "shifts": {"house": -0.1 - 0.2},
        "answers": {"house": 12.3},
        "lengths": {"house": Lengths(mean=0.1 + 0.2, p50=7, p90=70, p99=None)},
    },
    Principal: {
        "key_id": "k3",
        "org": "o",
        "team": "t",
        "app": "a",
        "user": "u",
        "models": ("auto", "gpt-4o"),
        "max_sensitivity": Sensitivity.CONFIDENTIAL,
    },
    Profile: {
        "sensitivity": Sensitivity.RESTRICTED,
        "findings": (Finding(type="email", start=0, end=0), Finding(type="iban", start=0, end=0)),
        "difficulty": 0.123456789012345,
        "reliability": 1 / 3,
        "task": "maths",
        "tokens": TokenEstimate(
            expected=1001,
            upper_bound=4004,
            families=(
                FamilyTokens(family="llama3", expected=1002, upper_bound=1200, calibrated=1100),
            ),
            images=2,
        ),
        "needs": Needs(vision=True, schema=True),
        "failed": ("findings",),
        "floor": Sensitivity.CONFIDENTIAL,
    },
}
#: Kept elsewhere: tags become those of the record, and what a budget says is `budget_used`.
ELSEWHERE = {"Principal.tags", "Principal.budget"}


def through_the_log(facts: Facts) -> Facts:
    """Written down, read and understood again."""
    written = msgspec.json.encode(record_of(facts, DECISION))
    return facts_of(msgspec.json.decode(written, type=AuditRecord), RULES)


def changed(kind: type, field: str) -> Facts:
    """The facts with one field changed, and the level that follows from it."""
    given = {field: OTHERS[kind][field]}
    if kind is Facts:
        return msgspec.structs.replace(FACTS, **given)
    if kind is Principal:
        return msgspec.structs.replace(
            FACTS, principal=msgspec.structs.replace(FACTS.principal, **given)
        )
    if field in ("findings", "failed"):
        given["sensitivity"] = Sensitivity.RESTRICTED
    if field == "sensitivity":
        given["floor"] = given[field]
    if field == "floor":
        given["sensitivity"] = given[field]
    return msgspec.structs.replace(FACTS, profile=msgspec.structs.replace(FACTS.profile, **given))


@pytest.mark.parametrize("kind", OTHERS)
def test_no_fact_is_forgotten(kind: type) -> None:
    """A fact that somebody adds must get a value above, and pass the test below."""
    fields = set(kind.__struct_fields__)  # type: ignore[attr-defined]

    assert fields == OTHERS[kind].keys() | {
        name.partition(".")[2] for name in ELSEWHERE if name.startswith(kind.__name__)
    }


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in OTHERS.items() for field in fields]
)
def test_every_fact_comes_back_exactly(kind: type, field: str) -> None:
    """Floats to the last bit, moments to the microsecond."""
    facts = changed(kind, field)

    assert facts != FACTS
    assert through_the_log(facts) == facts


def test_a_keys_tag_wins_over_the_callers() -> None:
    """The record says what conditions compared."""
    principal = Principal(key_id="k", tags=(("stage", "live"),), budget=KeyBudget(cap_nanousd=1))
    facts = msgspec.structs.replace(
        FACTS, principal=principal, tags=(("stage", "test"), ("run", "7"))
    )

    assert dict(through_the_log(facts).tags) == {"stage": "live", "run": "7"}


def test_the_level_follows_from_the_rules_of_who_decides_again() -> None:
    """A map that takes e-mail addresses as public lets the declared floor speak."""
    mail = (Finding(type="email", start=3, end=9, confidence=0.7),)
    profile = Profile(
        sensitivity=Sensitivity.CONFIDENTIAL, findings=mail, floor=Sensitivity.INTERNAL
    )
    record = record_of(msgspec.structs.replace(FACTS, profile=profile), DECISION)
    easier = SensitivityRules(levels={"email": Sensitivity.PUBLIC}, default=Sensitivity.PUBLIC)

    assert facts_of(record, RULES).profile.sensitivity is Sensitivity.CONFIDENTIAL
    assert facts_of(record, easier).profile.sensitivity is Sensitivity.INTERNAL


def test_what_could_not_be_judged_stays_restricted_under_any_rules() -> None:
    """A failed detector may have missed anything."""
    profile = Profile(sensitivity=Sensitivity.RESTRICTED, failed=("findings",))
    record = record_of(msgspec.structs.replace(FACTS, profile=profile), DECISION)
    easier = SensitivityRules(default=Sensitivity.PUBLIC)

    assert facts_of(record, easier).profile.sensitivity is Sensitivity.RESTRICTED


def test_a_record_without_facts_is_not_guessed() -> None:
    """Older records are told as such."""
    record = msgspec.structs.replace(record_of(FACTS, DECISION), facts=None)

    with pytest.raises(NotReplayable, match="before records kept all facts"):
        facts_of(record, RULES)
