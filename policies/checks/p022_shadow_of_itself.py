"""p022: copies for the only deployment that answers; it would be compared with itself."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve
from policies.selection import used_by

CODE = "p022"
TITLE = "a copy for whoever answered"
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
  - {id: code, when: {task: code}, use: [larger]}
  - {id: rest, use: [house], shadow: house}
"""
GOOD = BAD.replace("shadow: house", "shadow: larger")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Somebody else than the shadow can answer."""
    resolved = [resolve(one, known.adapters) for one in policy.deployments]
    for route in policy.routes:
        if route.shadow is not None and used_by(route.use, resolved) == (route.shadow.deployment,):
            yield Finding(
                at=route.shadow.at,
                message=f"only '{route.shadow.deployment}' answers in '{route.id}', and whoever "
                "answered gets no copy",
                hint="name another deployment, or remove 'shadow'",
                path=f"routes.{route.id}.shadow",
            )
