"""Runs the tests that a policy file brings along, against the policy that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from gateway.core.decision import Decision, Facts
from gateway.core.findings import Finding, SensitivityRules, sensitivity_of
from gateway.core.principal import Principal
from gateway.core.profile import FamilyTokens, Needs, Profile, TokenEstimate
from gateway.core.sensitivity import UNKNOWN
from gateway.core.speed import Speed
from policies.compiled import CompiledPolicy
from policies.engine import decide
from policies.model.cases import CaseStatement, ExpectStatement, GivenStatement, SpeedStatement
from policies.problems import Place, Problem

#: The time of a test that gives none: noon of Wednesday 7 January 2026, UTC.
NOON = 1_767_787_200.0
#: Judges a text under a policy's rules; the classifier's own function fits.
JudgeText = Callable[[str, SensitivityRules], Profile]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one test went; `failures` says in sentences what was expected and what came."""

    name: str
    at: Place
    failures: tuple[str, ...]
    candidates: tuple[str, ...]
    route: str

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.failures


def run_tests(policy: CompiledPolicy, judge_text: JudgeText | None) -> tuple[Outcome, ...]:
    """Run every test of the policy.

    Args:
        policy: the policy with its tests.
        judge_text: judges the texts of tests; None when there is no classifier at hand, and
            then a test that needs one fails with that reason.
    """
    return tuple(run_test(policy, case, judge_text) for case in policy.tests)


def problems_of(outcomes: Iterable[Outcome]) -> tuple[Problem, ...]:
    """The tests that failed, as problems at their places in the file; their code is `test`."""
    return tuple(
        Problem(
            line=outcome.at.line,
            column=outcome.at.column,
            message=f"test '{outcome.name}': {failure}",
            path=f"tests.{outcome.name}",
            code="test",
        )
        for outcome in outcomes
        for failure in outcome.failures
    )


def needs_judge(policy: CompiledPolicy) -> bool:
    """Whether a test of the policy has a text that must be judged."""
    return any(case.given.text is not None for case in policy.tests)


def run_test(policy: CompiledPolicy, case: CaseStatement, judge_text: JudgeText | None) -> Outcome:
    """Run one test."""
    try:
        facts = facts_of(policy, case.given, judge_text)
    except ValueError as error:
        return Outcome(name=case.name, at=case.at, failures=(str(error),), candidates=(), route="")
    decision = decide(policy, facts)
    return Outcome(
        name=case.name,
        at=case.at,
        failures=tuple(_failures(case.expect, decision, facts)),
        candidates=tuple(one.name for one in decision.candidates),
        route=decision.route,
    )


def facts_of(policy: CompiledPolicy, given: GivenStatement, judge_text: JudgeText | None) -> Facts:
    """The facts that a test gives: the judged text, and on top what is set by hand.

    Raises:
        ValueError: the text cannot be judged here, the time is not one, or no model is named
            and the policy has no alias.
    """
    model = given.model or next(iter(policy.aliases), "")
    if not model:
        raise ValueError("the policy has no alias, so 'given' must name a model")
    return Facts(
        requested_model=model,
        principal=Principal(
            key_id=given.key, org=given.org, team=given.team, app=given.app, user=given.user
        ),
        profile=profile_of(policy.rules, given, judge_text),
        stream=given.stream,
        max_output_tokens=given.max_output_tokens,
        now=_moment(given.time),
        budget_used=float(given.budget_used),
        tags=given.tags,
        api=given.api,
        session=given.session,
        request_id=given.request_id,
        speeds=MappingProxyType({name: _speed(told) for name, told in given.speeds}),
    )


def _speed(told: SpeedStatement) -> Speed:
    rate = told.tokens_per_second
    return Speed(
        first_byte_seconds=float(told.first_byte_seconds),
        tokens_per_second=None if rate is None else float(rate),
    )


def profile_of(
    rules: SensitivityRules, given: GivenStatement, judge_text: JudgeText | None
) -> Profile:
    """The profile of what is given; findings that are given count as found."""
    profile = Profile(sensitivity=rules.default)
    if given.text is not None:
        if judge_text is None:
            raise ValueError("the text cannot be judged: no classifier is at hand")
        profile = judge_text(given.text, rules)
    changed: dict[str, object] = {}
    if given.findings is not None:
        profile = msgspec.structs.replace(
            profile,
            findings=tuple(Finding(type=name, start=0, end=0) for name in given.findings),
        )
    if given.findings is not None or given.declared:
        level = sensitivity_of(profile.findings, rules, given.declared)
        changed["sensitivity"] = UNKNOWN if profile.failed else level
        changed["floor"] = given.declared
    if given.failed:
        changed.update(failed=given.failed, sensitivity=UNKNOWN)
    if given.sensitivity is not None:
        changed["sensitivity"] = given.sensitivity
    if given.difficulty is not None:
        changed["difficulty"] = float(given.difficulty)
    if given.reliability is not None:
        changed["reliability"] = float(given.reliability)
    if given.task is not None:
        changed["task"] = given.task
    if given.needs is not None:
        changed["needs"] = Needs(**dict.fromkeys(given.needs, True))
    changed["tokens"] = _tokens_of(profile.tokens, given)
    return msgspec.structs.replace(profile, **changed)


def _tokens_of(found: TokenEstimate, given: GivenStatement) -> TokenEstimate:
    """The token counts that are given; what is not given stays as it was found."""
    if given.input_tokens is not None:
        found = TokenEstimate(expected=given.input_tokens, upper_bound=given.input_tokens)
    if not given.counted:
        return found
    return msgspec.structs.replace(
        found,
        upper_bound=max(found.upper_bound, *(tokens for _, tokens in given.counted)),
        families=tuple(
            FamilyTokens(family=family, expected=tokens, upper_bound=tokens, calibrated=tokens)
            for family, tokens in given.counted
        ),
    )


def _moment(text: str) -> float:
    if not text:
        return NOON
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"'{text}' is not an ISO time such as 2026-03-02T09:30+01:00"
        raise ValueError(message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _failures(expect: ExpectStatement, decision: Decision, facts: Facts) -> Iterator[str]:
    names = [one.name for one in decision.candidates]
    first = f"'{names[0]}'" if names else f"a refusal ({decision.refusal})"
    if expect.deployment is not None and (not names or names[0] != expect.deployment):
        yield f"expected the deployment '{expect.deployment}', got {first}"
    if expect.any_of is not None and (not names or names[0] not in expect.any_of):
        yield f"expected one of {', '.join(expect.any_of)}, got {first}"
    for name in expect.never or ():
        if name in names:
            yield f"'{name}' must never be a candidate, and it is number {names.index(name) + 1}"
        if name == decision.copied_to:
            yield f"'{name}' must never be called, and it gets a copy"
        if name == decision.judged_by:
            yield f"'{name}' must never be called, and it judges a copy"
    if expect.refused is not None and expect.refused is bool(names):
        wanted = "a refusal" if expect.refused else "an answer"
        yield f"expected {wanted}, got {first}"
    if expect.route is not None and decision.route != expect.route:
        yield f"expected the route '{expect.route}', got '{decision.route}'"
    there = {reason.id for reason in decision.reasons}
    for reason in expect.reasons or ():
        if reason not in there:
            shown = ", ".join(sorted(there)) or "none"
            yield f"expected the reason '{reason}', got: {shown}"
    sensitivity = facts.profile.sensitivity
    if expect.sensitivity is not None and sensitivity is not expect.sensitivity:
        yield f"expected sensitivity {expect.sensitivity.label}, got {sensitivity.label}"
    if expect.mask is not None and decision.mask != frozenset(expect.mask):
        shown = ", ".join(sorted(decision.mask)) or "nothing"
        yield f"expected to mask {', '.join(expect.mask) or 'nothing'}, got {shown}"
    if expect.output_cap is not None and decision.output_cap != expect.output_cap:
        yield f"expected an output cap of {expect.output_cap}, got {decision.output_cap}"
    if expect.shadow is not None and expect.shadow != decision.copied_to:
        yield f"expected a copy for '{expect.shadow}', got {decision.copied_to or 'none'}"
    if expect.judge is not None and expect.judge != decision.judged_by:
        yield f"expected '{expect.judge}' to judge a copy, got {decision.judged_by or 'nobody'}"
    if expect.headers is not None and dict(expect.headers) != dict(decision.headers):
        yield f"expected the headers {_shown(expect.headers)}, got {_shown(decision.headers)}"
    if expect.tags is not None and dict(expect.tags) != dict(decision.tags):
        yield f"expected the tags {_shown(expect.tags)}, got {_shown(decision.tags)}"


def _shown(pairs: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}={held}" for name, held in sorted(pairs)) or "none"
