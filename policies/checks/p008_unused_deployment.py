"""p008: a deployment that no route uses; only a caller who knows its name would reach it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve
from policies.selection import used_by

CODE = "p008"
TITLE = "no route uses a deployment"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
  spare:
    {adapter: ctransformers, model: n, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("use: [house]", "use: [house, spare]")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every deployment stands in a route."""
    resolved = [resolve(one, known.adapters) for one in policy.deployments]
    used: set[str] = set()
    for route in policy.routes:
        used.update(used_by(route.use, resolved))
        if route.shadow is not None:
            used.update((route.shadow.deployment, route.shadow.judge))
    if policy.sensitivity.second_stage is not None:
        used.add(policy.sensitivity.second_stage.deployment)
    for deployment in policy.deployments:
        if deployment.name not in used:
            yield Finding(
                at=deployment.at,
                message=f"no route uses the deployment '{deployment.name}'",
                hint="name it in a route's 'use', or remove it",
                path=f"deployments.{deployment.name}",
            )
