"""p006: a constraint says when, but not what."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.constraints import ConstraintStatement
from policies.model.file import PolicyFile
from policies.resolve import Known

CODE = "p006"
TITLE = "a constraint has no effect"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
constraints:
  - {id: health, when: {findings: [medical]}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("[medical]}}", "[medical]}, only: {clearance: restricted}}")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every constraint does something."""
    for constraint in policy.constraints:
        if not has_effect(constraint):
            yield Finding(
                at=constraint.at,
                message=f"the constraint '{constraint.id}' does nothing",
                hint="add one of only, forbid, require, cap_output_tokens, mask, block",
                path=f"constraints.{constraint.id}",
            )


def has_effect(constraint: ConstraintStatement) -> bool:
    """Whether a constraint says what to do."""
    return any(
        effect is not None
        for effect in (
            constraint.only,
            constraint.forbid,
            constraint.cap_output_tokens,
            constraint.block,
            constraint.mask,
        )
    ) or bool(constraint.require)
