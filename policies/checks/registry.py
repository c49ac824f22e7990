"""The list of checks, and running them."""

from __future__ import annotations

from types import ModuleType

from policies.checks import (
    p001_unknown_deployment,
    p002_names_collide,
    p003_adapter_settings,
    p004_price_gap,
    p005_budget_scope,
    p006_constraint_without_effect,
    p007_dead_route,
    p008_unused_deployment,
    p009_nothing_selected,
    p010_no_way_to_ask,
    p011_restricted_outside,
    p012_open_wire,
    p013_test_cannot_hold,
    p014_untold_property,
    p015_mask_without_effect,
    p020_cascade_of_one,
    p021_target_of_one,
    p022_shadow_of_itself,
    p023_overlapping_routes,
    p024_pattern_that_backtracks,
    p025_judge_of_itself,
    p026_comparison_without_clearance,
    p027_second_stage_outside,
)
from policies.checks.base import Check
from policies.model.file import PolicyFile
from policies.problems import Problem
from policies.resolve import Known


def _listed(module: ModuleType) -> Check:
    return Check(
        code=module.CODE,
        title=module.TITLE,
        severity=module.SEVERITY,
        bad=module.BAD,
        good=module.GOOD,
        check=module.check,
    )


CHECKS: tuple[Check, ...] = tuple(
    _listed(module)
    for module in (
        p001_unknown_deployment,
        p002_names_collide,
        p003_adapter_settings,
        p004_price_gap,
        p005_budget_scope,
        p006_constraint_without_effect,
        p007_dead_route,
        p008_unused_deployment,
        p009_nothing_selected,
        p010_no_way_to_ask,
        p011_restricted_outside,
        p012_open_wire,
        p013_test_cannot_hold,
        p014_untold_property,
        p015_mask_without_effect,
        p020_cascade_of_one,
        p021_target_of_one,
        p022_shadow_of_itself,
        p023_overlapping_routes,
        p024_pattern_that_backtracks,
        p025_judge_of_itself,
        p026_comparison_without_clearance,
        p027_second_stage_outside,
    )
)


def run_checks(
    policy: PolicyFile,
    known: Known,
    *,
    severities: frozenset[str] = frozenset(("error", "warning")),
) -> tuple[Problem, ...]:
    """What the checks of these severities find in a policy, in the order of the file."""
    found = [
        Problem(
            line=finding.at.line,
            column=finding.at.column,
            message=finding.message,
            hint=finding.hint,
            path=finding.path,
            code=check.code,
            severity=check.severity,
        )
        for check in CHECKS
        if check.severity in severities
        for finding in check.check(policy, known)
    ]
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column, problem.code)))
