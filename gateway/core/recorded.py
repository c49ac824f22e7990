"""The facts of a decision as the audit log keeps them, and back again.

Rules of this file:
- every fact that policy can ask about goes in and comes out exactly, so that a record decided
  again under its own revision gives the same decision;
- findings are kept as counts of their types; their level is computed again by the rules of
  whoever decides again, from the counts and the recorded floor;
- a fact that a record does not have is never guessed: such a record cannot be replayed.
"""

from __future__ import annotations

from collections import Counter

from gateway.core.decision import Decision, Facts
from gateway.core.findings import Finding, SensitivityRules, sensitivity_of
from gateway.core.principal import Principal
from gateway.core.profile import Needs, Profile, TokenEstimate
from gateway.core.records import AuditRecord, RecordedDecision, RecordedFacts
from gateway.core.sensitivity import UNKNOWN, Sensitivity

#: Raised by one with every fact that is added to `Facts`; what older records lack is then named
#: in `facts_of`.
FACTS_VERSION = 6


class NotReplayable(Exception):
    """A record lacks a fact that a decision needs; the message says which, for people."""


def record_of(facts: Facts, decision: Decision) -> AuditRecord:
    """The record of a decision on which nothing has been done yet."""
    profile, principal = facts.profile, facts.principal
    return AuditRecord(
        request_id=facts.request_id,
        at=facts.now,
        org=principal.org,
        team=principal.team,
        app=principal.app,
        user=principal.user,
        key_id=principal.key_id,
        requested_model=facts.requested_model,
        sensitivity=profile.sensitivity.label,
        difficulty=profile.difficulty,
        task=profile.task,
        input_tokens=profile.tokens.expected,
        needs=tuple(sorted(profile.needs.names())),
        findings=dict(Counter(finding.type for finding in profile.findings)),
        stream=facts.stream,
        # What the key carries wins over what the caller says, as it does in conditions.
        tags={**dict(facts.tags), **dict(principal.tags)},
        deployment="",
        route=decision.route,
        reasons=tuple(reason.id for reason in decision.reasons),
        rejected={rejected.deployment: rejected.reason for rejected in decision.rejected},
        policy=decision.revision,
        attempts=(),
        outcome="",
        status=0,
        error="",
        cost_nanousd=0,
        duration_ms=0.0,
        facts=_facts(facts),
        decided=_decided(decision),
    )


def _decided(decision: Decision) -> RecordedDecision:
    return RecordedDecision(
        candidates=tuple(one.name for one in decision.candidates),
        outside=tuple(one.name for one in decision.candidates if not one.self_hosted),
        mask=tuple(sorted(decision.mask)),
        output_cap=decision.output_cap,
        refusal=decision.refusal_code,
        shadow=decision.copied_to,
        judge=decision.judged_by,
        tags=dict(decision.tags),
    )


def _facts(facts: Facts) -> RecordedFacts:
    profile, principal = facts.profile, facts.principal
    return RecordedFacts(
        version=FACTS_VERSION,
        upper_bound_tokens=profile.tokens.upper_bound,
        counted=profile.tokens.families,
        images=profile.tokens.images,
        reliability=profile.reliability,
        failed=profile.failed,
        floor=profile.floor.label,
        api=facts.api,
        choices=facts.choices,
        max_output_tokens=facts.max_output_tokens,
        budget_used=facts.budget_used,
        models=principal.models,
        max_sensitivity=principal.max_sensitivity.label,
        session=facts.session,
        speeds=None if facts.speeds is None else dict(facts.speeds),
        kept=None if facts.kept is None else dict(facts.kept),
        thresholds=None if facts.thresholds is None else dict(facts.thresholds),
        shifts=None if facts.shifts is None else dict(facts.shifts),
        answers=None if facts.answers is None else dict(facts.answers),
        lengths=None if facts.lengths is None else dict(facts.lengths),
    )


def facts_of(record: AuditRecord, rules: SensitivityRules) -> Facts:
    """The facts that a record was decided on, with the level that `rules` give its findings.

    Raises:
        NotReplayable: the record was made before a fact was kept.
    """
    kept = record.facts
    if kept is None:
        raise NotReplayable("made before records kept all facts")
    findings = tuple(Finding(type=name, start=0, end=0) for name in record.findings)
    floor = Sensitivity.parse(kept.floor)
    profile = Profile(
        sensitivity=UNKNOWN if kept.failed else sensitivity_of(findings, rules, floor),
        findings=findings,
        difficulty=record.difficulty,
        reliability=kept.reliability,
        task=record.task,
        tokens=TokenEstimate(
            expected=record.input_tokens,
            upper_bound=kept.upper_bound_tokens,
            families=kept.counted,
            images=kept.images,
        ),
        needs=Needs(**dict.fromkeys(record.needs, True)),
        failed=kept.failed,
        floor=floor,
    )
    principal = Principal(
        key_id=record.key_id,
        org=record.org,
        team=record.team,
        app=record.app,
        user=record.user,
        models=kept.models,
        max_sensitivity=Sensitivity.parse(kept.max_sensitivity),
    )
    return Facts(
        requested_model=record.requested_model,
        principal=principal,
        profile=profile,
        stream=record.stream,
        choices=kept.choices,
        max_output_tokens=kept.max_output_tokens,
        now=record.at,
        budget_used=kept.budget_used,
        tags=tuple(record.tags.items()),
        api=kept.api,
        request_id=record.request_id,
        session=kept.session,
        speeds=kept.speeds,
        kept=kept.kept,
        thresholds=kept.thresholds,
        shifts=kept.shifts,
        answers=kept.answers,
        lengths=kept.lengths,
    )
