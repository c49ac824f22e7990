"""p015: a mask that hides nothing: a topic has no words that could be replaced."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.fakes import FAKED_TYPES
from gateway.core.findings import TELLING_TYPES
from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known

CODE = "p015"
TITLE = "a mask cannot hide what it names"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
constraints:
  - {id: health, when: {findings: [medical]}, mask: [email, medical]}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("mask: [email, medical]", "mask: [email, person]")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Masks name values, and ask for fakes where there are some."""
    for constraint in policy.constraints:
        mask, path = constraint.mask, f"constraints.{constraint.id}.mask"
        if mask is None:
            continue
        topics = [name for name in mask.types if name in TELLING_TYPES]
        if topics:
            yield Finding(
                at=mask.at,
                message=f"{', '.join(topics)}: that is what a text is about, and no mask hides it",
                hint="keep such requests at home (only: {clearance: …}) or block them",
                path=path,
            )
        elif mask.realistic and not FAKED_TYPES.intersection(mask.types):
            yield Finding(
                at=mask.at,
                message=f"there are no fakes for {', '.join(mask.types)}",
                hint=f"leave out the style, or name some of: {', '.join(sorted(FAKED_TYPES))}",
                path=path,
            )
