"""A level that is lower than its built-in one opens no door, unless the file says why it may.

A door is opened where a deployment outside is reached which the built-in level would keep out, be
it by its clearance, by a constraint or by a route that asks for the sensitivity; or one that is not
cleared for what is built in, wherever it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.findings import SensitivityRules, default_levels
from gateway.core.sensitivity import Sensitivity
from policies.checker.claims.base import Claim
from policies.checker.logic import any_of, both, negated
from policies.checker.reaching import Reaching
from policies.checker.receivers import level_received, receivers
from policies.checker.subject import Subject
from policies.compiled import CompiledPolicy
from policies.model.cases import GivenStatement
from policies.testing import facts_of

CODE = "leak-level"


def claims(subject: Subject, reaching: Reaching) -> Iterator[Claim]:
    """One claim for each lowered level of a finding type, and one for a lowered default."""
    rules = subject.policy.rules
    for name in subject.lowered():
        usual = default_levels()[name]
        restored = msgspec.structs.replace(rules, levels=_with(rules.levels, name, usual))
        stated = f"'{name}: {{level: {rules.levels[name].label}, because: …}}'"
        yield _claim(
            subject,
            reaching,
            restored,
            path=f"sensitivity.findings.{name}",
            says=f"that '{name}' is below {usual.label} opens no door",
            rule=f"'{name}' is built in as {usual.label}",
            hint=f"leave '{name}' at {usual.label}, or say why it may be lower: {stated}",
        )
    default = subject.file.sensitivity.default
    if default.level < Sensitivity.INTERNAL and not default.because:
        usual = Sensitivity.INTERNAL
        stated = f"'default: {{level: {default.level.label}, because: …}}'"
        yield _claim(
            subject,
            reaching,
            msgspec.structs.replace(rules, default=usual),
            path="sensitivity.default",
            says=f"that the default is below {usual.label} opens no door",
            rule=f"a request in which nothing is found counts as {usual.label}",
            hint=f"write 'default: {usual.label}', or say why it may be lower: {stated}",
        )


def _claim(
    subject: Subject,
    reaching: Reaching,
    rules: SensitivityRules,
    *,
    path: str,
    says: str,
    rule: str,
    hint: str,
) -> Claim:
    restored = msgspec.structs.replace(subject.policy, rules=rules)
    kept = Reaching(reaching.request, restored)
    doors = [
        both(reaching.reached[name], negated(kept.reached[name]))
        for name in subject.policy.deployments
        if subject.outside(name)
    ]
    doors += [
        both(reaching.reached[name], negated(kept.cleared[name]))
        for name in subject.policy.deployments
        if not subject.outside(name)
    ]
    return Claim(
        code=CODE,
        at=subject.file.sensitivity.at,
        path=path,
        says=says,
        breach=any_of(doors),
        witness=_witness(subject, restored, rule),
        hint=hint,
    )


def _witness(
    subject: Subject, restored: CompiledPolicy, rule: str
) -> Callable[[GivenStatement], str]:
    def witness(given: GivenStatement) -> str:
        facts = facts_of(subject.policy, given, None)
        level = level_received(restored, given)
        reached = receivers(subject.policy, given)
        opened = reached - receivers(restored, given)
        deployments = subject.policy.deployments
        doors = sorted(
            name
            for name in reached
            if (subject.outside(name) and name in opened)
            or (not subject.outside(name) and deployments[name].clearance < level)
        )
        if not doors:
            return ""
        told = ", ".join(f"'{name}'" for name in doors)
        return f"{rule}, and here it reaches {told} as {facts.profile.sensitivity.label}"

    return witness


def _with(
    levels: Mapping[str, Sensitivity], name: str, level: Sensitivity
) -> Mapping[str, Sensitivity]:
    return MappingProxyType({**levels, name: level})
