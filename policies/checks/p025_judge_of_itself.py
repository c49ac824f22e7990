"""p025: a judge that compares its own answers; models prefer what they wrote themselves."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve
from policies.selection import used_by

CODE = "p025"
TITLE = "a judge of its own answers"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
  larger:
    {adapter: ctransformers, model: n, clearance: restricted,
     price: {gpu_hour_usd: 4, tokens_per_second: 100, utilisation: 0.5}}
  umpire:
    {adapter: ctransformers, model: o, clearance: restricted,
     price: {gpu_hour_usd: 4, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: code, when: {task: code}, use: [umpire]}
  - {id: rest, use: [house], shadow: {deployment: larger, judge: larger}}
"""
GOOD = BAD.replace("judge: larger", "judge: umpire")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """The judge runs another model than those that it compares."""
    resolved = {one.name: resolve(one, known.adapters) for one in policy.deployments}
    for route in policy.routes:
        shadow = route.shadow
        if shadow is None or shadow.judge not in resolved:
            continue
        compared = (shadow.deployment, *used_by(route.use, tuple(resolved.values())))
        model = resolved[shadow.judge].model
        own = next(
            (name for name in compared if name in resolved and resolved[name].model == model), None
        )
        if own is not None:
            whose = "its own answers" if own == shadow.judge else f"those of '{own}', its own model"
            yield Finding(
                at=shadow.at,
                message=f"'{shadow.judge}' judges {whose} in '{route.id}', and models prefer what "
                "they wrote themselves",
                hint="name a deployment of another model as the judge",
                path=f"routes.{route.id}.shadow.judge",
            )
