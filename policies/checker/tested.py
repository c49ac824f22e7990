"""The tests of a file as statements of intent: those that fail because more is let out now."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.decision import Decision, Facts
from policies.checker.breach import Breach
from policies.checker.counterexample import shown
from policies.checker.receivers import receivers_of
from policies.checker.subject import Subject
from policies.engine import decide
from policies.model.cases import CaseStatement, ExpectStatement
from policies.testing import JudgeText, facts_of, run_test

CODE = "leak-test"


def opened(subject: Subject, judge_text: JudgeText | None) -> Iterator[Breach]:
    """The file's tests that fail in the direction of a leak.

    Args:
        subject: the policy, with its tests.
        judge_text: judges the texts of tests; None leaves such tests out.
    """
    for case in subject.guarded.tests:
        if case.given.text is not None and judge_text is None:
            continue
        if run_test(subject.guarded, case, judge_text).passed:
            continue
        facts = facts_of(subject.guarded, case.given, judge_text)
        told = _lets_out(subject, case.expect, facts, decide(subject.guarded, facts))
        if told:
            yield _breach(case, told)


def _lets_out(subject: Subject, expect: ExpectStatement, facts: Facts, decision: Decision) -> str:
    reached = receivers_of(subject.guarded, facts, decision)
    level = facts.profile.sensitivity
    unwanted = sorted(reached.intersection(expect.never or ()))
    if unwanted:
        return f"{', '.join(unwanted)} may be called and must never be"
    if expect.refused and decision.candidates:
        return f"it is served by {decision.candidates[0].name} instead of being refused"
    if expect.sensitivity is not None and level < expect.sensitivity:
        return f"it counts as {level.label} instead of {expect.sensitivity.label}"
    wanted = [expect.deployment] if expect.deployment is not None else (expect.any_of or ())
    first = decision.candidates[0].name if decision.candidates else ""
    at_home = wanted and not any(subject.outside(name) for name in wanted)
    if first and at_home and subject.outside(first):
        return f"it goes to {first}, outside the company, instead of {', '.join(wanted)}"
    unmasked = sorted(set(expect.mask or ()) - decision.mask)
    if unmasked and decision.candidates:
        return f"{', '.join(unmasked)} is sent without being masked"
    return ""


def _breach(case: CaseStatement, told: str) -> Breach:
    return Breach(
        code=CODE,
        at=case.at,
        path=f"tests.{case.name}",
        says=f"the test '{case.name}' lets nothing out",
        message=f"the test '{case.name}' states otherwise: {told}",
        hint="the file's own tests say what it is meant to do: mend the file, or the test",
        counterexample=shown(case.given),
    )
