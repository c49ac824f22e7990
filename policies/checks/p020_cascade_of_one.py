"""p020: a cascade that has nobody to ask when an answer fails a check."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve
from policies.selection import used_by

CODE = "p020"
TITLE = "a cascade of one"
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
  - {id: code, when: {task: code}, use: {cascade: [house], checks: [schema]}}
  - {id: rest, use: [house, larger]}
"""
GOOD = BAD.replace("cascade: [house]", "cascade: [house, larger]")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every cascade has a rung above its lowest."""
    resolved = [resolve(one, known.adapters) for one in policy.deployments]
    for route in policy.routes:
        used = used_by(route.use, resolved)
        if route.use.strategy == "cascade" and len(used) == 1:
            yield Finding(
                at=route.use.at,
                message=f"the cascade of '{route.id}' has no deployment above '{used[0]}', "
                "so no answer is ever checked",
                hint="name a stronger deployment after it, or write 'use: [" + used[0] + "]'",
                path=f"routes.{route.id}.use",
            )
