"""Proves each claim about a policy, or finds the simplest request that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from policies.checker.breach import Breach
from policies.checker.claims.base import Claim
from policies.checker.claims.registry import all_claims
from policies.checker.conditions import AnyRequest
from policies.checker.counterexample import shown_given, simplest
from policies.checker.logic import Logic, Undecided
from policies.checker.notes import Note, notes_of
from policies.checker.reaching import Reaching
from policies.checker.space import space_of
from policies.checker.subject import Subject
from policies.checker.tested import opened
from policies.testing import JudgeText

#: The code of a claim on which the solver gave up.
UNDECIDED = "undecided"
#: Is told how many claims are settled, and how many there are.
OnSettled = Callable[[int, int], None]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all requests, in words, and what does not."""

    revision: str
    proved: tuple[str, ...]
    breaches: tuple[Breach, ...]
    notes: tuple[Note, ...]

    @property
    def holds(self) -> bool:
        """Whether everything that was claimed is proved."""
        return not self.breaches


class Disagreement(Exception):
    """The solver found a breach that the engine does not see: a fault of the prover."""


def prove(
    subject: Subject,
    judge_text: JudgeText | None = None,
    on_settled: OnSettled = lambda settled, claims: None,
) -> Proof:
    """Prove everything that is claimed of a policy.

    Args:
        subject: the policy.
        judge_text: judges the texts of the file's own tests; None leaves those tests out.
        on_settled: is told how far it is.

    Raises:
        Disagreement: a counterexample that the engine does not confirm.
    """
    space = space_of(subject.guarded)
    request = AnyRequest(Logic(), space)
    reaching = Reaching(request, subject.policy)
    claims = all_claims(subject, reaching)
    proved: list[str] = []
    breaches: list[Breach] = []
    for number, claim in enumerate(claims):
        on_settled(number, len(claims))
        breach = _settle(subject, request, claim)
        if breach is None:
            proved.append(claim.says)
        else:
            breaches.append(breach)
    on_settled(len(claims), len(claims))
    breaches += opened(subject, judge_text)
    return Proof(
        revision=subject.guarded.revision,
        proved=tuple(proved),
        breaches=tuple(breaches),
        notes=tuple(notes_of(subject, reaching)),
    )


def _settle(subject: Subject, request: AnyRequest, claim: Claim) -> Breach | None:
    told: dict[str, Any] = {"at": claim.at, "path": claim.path, "says": claim.says}
    try:
        point = simplest(request, claim.breach)
    except Undecided as reason:
        message = f"could not be decided: that {claim.says} ({reason})"
        hint = "fewer thresholds in conditions make it easier; report it if the file is small"
        return Breach(code=UNDECIDED, message=message, hint=hint, **told)
    if point is None:
        return None
    space = request.space
    message = claim.witness(space.given(point))
    shown = shown_given(space, point)
    if not message:
        raise Disagreement(f"the engine does not confirm that '{claim.says}' is broken: {shown}")
    return Breach(code=claim.code, message=message, hint=claim.hint, counterexample=shown, **told)
