"""Decides recorded requests again under another policy: facts alone, no prompt is needed.

Rules of this file:
- under its own revision a record gives the very same decision, or something is wrong;
- a record that lacks something needed is one that cannot be replayed; nothing is guessed;
- a request costs what it used at the price of the deployment that would have served it; where it
  used nothing because it was refused, the likely cost of the strategies stands in.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Deployment
from gateway.core.prices import cost_of
from gateway.core.recorded import NotReplayable, facts_of
from gateway.core.records import AuditRecord, RecordedDecision
from gateway.core.replaying import Replayed, Side
from gateway.core.usage import Usage
from policies.compiled import CompiledPolicy
from policies.engine import decide
from policies.estimates import likely_cost

#: The reason of a deployment that the API which was called has no way to.
_NO_WAY = "endpoint"
#: The refusal where none of the candidates can be asked.
_NOBODY_TO_ASK = "endpoint_not_supported"
_NO_USAGE = Usage()


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that decides again; `measured` are its routes that order by measured speed."""

    policy: CompiledPolicy
    measured: frozenset[str]


def candidate_of(policy: CompiledPolicy) -> Candidate:
    """Prepare a policy for deciding many records again."""
    measured = (one.id for one in policy.routes if one.strategy in ("fastest", "balanced"))
    return Candidate(policy=policy, measured=frozenset(measured))


def replay(candidate: Candidate, record: AuditRecord) -> Replayed:
    """Decide one record again.

    Raises:
        NotReplayable: it lacks something that the decision needs; the message says what.
    """
    if record.shadow_of or record.judge_of or record.second_stage_of:
        raise NotReplayable("a call beside another request, which is replayed itself")
    kept = record.decided
    facts = facts_of(record, candidate.policy.rules)
    if kept is None:
        raise NotReplayable("made before records kept the whole decision")
    decision = decide(candidate.policy, facts)
    if (
        facts.speeds is None
        and decision.route in candidate.measured
        and len(decision.candidates) > 1
    ):
        raise NotReplayable("ordered by measured speed, which was not recorded")
    before, after = _before(record, kept), _after(candidate.policy, record, facts, decision)
    same = candidate.policy.revision == record.policy
    return Replayed(
        request_id=record.request_id,
        team=record.team,
        model=record.requested_model,
        before=before,
        after=after,
        obliged=_obligations(decision) != _recorded(kept),
        relevelled=facts.profile.sensitivity.label != record.sensitivity,
        guessed=after.cost_nanousd > 0 and not before.destination,
        agrees=_is_the_same(decision, record, kept) if same else None,
    )


def _before(record: AuditRecord, kept: RecordedDecision) -> Side:
    first = next((one for one in kept.candidates if record.rejected.get(one) != _NO_WAY), "")
    return Side(
        destination=first,
        outside=first in kept.outside,
        refusal="" if first else kept.refusal or _NOBODY_TO_ASK,
        cost_nanousd=record.attempts[-1].cost_nanousd if _spent(record) else 0,
    )


def _after(policy: CompiledPolicy, record: AuditRecord, facts: Facts, decision: Decision) -> Side:
    open_to = [one for one in decision.candidates if record.rejected.get(one.name) != _NO_WAY]
    if not open_to:
        return Side(destination="", refusal=decision.refusal_code or _NOBODY_TO_ASK)
    first = open_to[0]
    return Side(
        destination=first.name,
        outside=not first.self_hosted,
        cost_nanousd=_cost(policy, record, facts, decision, open_to),
    )


def _cost(
    policy: CompiledPolicy,
    record: AuditRecord,
    facts: Facts,
    decision: Decision,
    open_to: list[Deployment],
) -> int:
    """What the request costs where it goes; who fell back still does where nothing changes."""
    first = open_to[0]
    if not _spent(record):
        refused = record.decided is not None and not record.decided.candidates
        return likely_cost(policy, facts, first, decision.output_cap) if refused else 0
    served = first
    if record.decided is not None and first.name == _first_of(record, record.decided):
        served = next((one for one in open_to if one.name == record.deployment), first)
    at = record.attempts[-1].at or record.at
    return cost_of(record.usage or _NO_USAGE, served.price, at)


def _spent(record: AuditRecord) -> bool:
    """Whether the last attempt used something; one that is in doubt has no usage yet."""
    last = record.attempts[-1] if record.attempts else None
    return last is not None and last.outcome != "in_doubt" and record.usage not in (None, _NO_USAGE)


def _first_of(record: AuditRecord, kept: RecordedDecision) -> str:
    return next((one for one in kept.candidates if record.rejected.get(one) != _NO_WAY), "")


_Obligations = tuple[tuple[str, ...], int | None, tuple[str, str], Mapping[str, str]]


def _obligations(decision: Decision) -> _Obligations:
    masked = tuple(sorted(decision.mask))
    compared = (decision.copied_to, decision.judged_by)
    return masked, decision.output_cap, compared, dict(decision.tags)


def _recorded(kept: RecordedDecision) -> _Obligations:
    return kept.mask, kept.output_cap, (kept.shadow, kept.judge), kept.tags


def _is_the_same(decision: Decision, record: AuditRecord, kept: RecordedDecision) -> bool:
    rejected: Mapping[str, str] = {one.deployment: one.reason for one in decision.rejected}
    recorded = {name: reason for name, reason in record.rejected.items() if reason != _NO_WAY}
    return (
        tuple(one.name for one in decision.candidates) == kept.candidates
        and decision.route == record.route
        and tuple(reason.id for reason in decision.reasons) == record.reasons
        and rejected == recorded
        and _obligations(decision) == _recorded(kept)
        and decision.refusal_code == kept.refusal
    )
