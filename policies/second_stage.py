"""Whether the second stage of privacy is asked about a request: what policy says of it.

It is asked where its answer could keep the request from somewhere: where somebody might be called
who is not at home, that is, not self-hosted or not cleared for everything. Constraints and
invariants bind whoever is asked as they bind whoever answers.
"""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision, Facts
from gateway.core.deployment import Deployment
from gateway.core.second_stage import ON_FAILURE, Presidio
from gateway.core.sensitivity import Sensitivity
from policies.compiled import CompiledPolicy, SecondStage
from policies.matchers import compile_condition
from policies.model.second_stage import PresidioStatement
from policies.model.sensitivity import SensitivityStatement
from policies.narrowing import apply_constraints
from policies.seeing import see


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it is asked, and why or why not.

    `barred` is the constraint or invariant that keeps the text from whoever would be asked: the
    second stage then fails.
    """

    asked: bool
    why: str
    barred: str = ""


def second_stage_of(statement: SensitivityStatement) -> SecondStage | None:
    """The compiled second stage; None where the file has none."""
    stage = statement.second_stage
    if stage is None:
        return None
    return SecondStage(
        when=compile_condition(stage.when),
        timeout_seconds=float(stage.timeout_seconds),
        restricts=stage.on_failure == ON_FAILURE[0],
        presidio=None if stage.presidio is None else _presidio(stage.presidio),
        deployment=stage.deployment,
    )


def would_ask(policy: CompiledPolicy, facts: Facts, decision: Decision) -> Asking:
    """Whether the second stage is asked, given what the first stage's facts decided."""
    stage = policy.second_stage
    if stage is None:
        return Asking(asked=False, why="the policy has none")
    if not decision.candidates:
        return Asking(asked=False, why="the request is refused anyway")
    reached = [*decision.candidates, *decision.reserve]
    if decision.shadow is not None:
        reached.append(decision.shadow.deployment)
        reached += [decision.shadow.judge] if decision.shadow.judge is not None else []
    if all(map(is_home, reached)):
        return Asking(asked=False, why="the request stays on machines cleared for everything")
    seen = see(policy, facts)
    if stage.when.holds(seen) is False:
        return Asking(asked=False, why="its condition does not hold")
    barred = apply_constraints(policy, seen).excluded.get(stage.deployment)
    if barred is not None:
        why = f"'{barred.id}' keeps the request from {stage.deployment}"
        return Asking(asked=False, why=why, barred=barred.id)
    return Asking(asked=True, why="the request might leave")


def is_home(deployment: Deployment) -> bool:
    """Whether nothing that is found could keep data from it: it is ours and may see everything."""
    return deployment.self_hosted and deployment.clearance >= Sensitivity.RESTRICTED


def _presidio(statement: PresidioStatement) -> Presidio:
    asked = Presidio(url=statement.url, language=statement.language, score=float(statement.score))
    if not statement.entities:
        return asked
    return msgspec.structs.replace(asked, entities=statement.entities)
