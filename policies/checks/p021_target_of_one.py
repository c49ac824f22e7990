"""p021: a target that no threshold can reach, because the route has only one deployment."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve
from policies.selection import used_by

CODE = "p021"
TITLE = "a target without a choice"
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
aliases: {auto: {}}
routes:
  - {id: code, when: {task: code}, use: {among: [house], target: {frontier_share: 20%}}}
  - {id: rest, use: [house, larger]}
"""
GOOD = BAD.replace("among: [house]", "among: [house, larger]")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every target chooses between two deployments at least."""
    resolved = [resolve(one, known.adapters) for one in policy.deployments]
    for route in policy.routes:
        if route.use.target is not None and len(used_by(route.use, resolved)) == 1:
            yield Finding(
                at=route.use.at,
                message=f"the target of '{route.id}' has one deployment to choose from",
                hint="name a stronger one last: among: [house, frontier]",
                path=f"routes.{route.id}.use",
            )
