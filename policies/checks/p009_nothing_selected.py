"""p009: a selection that no deployment fits: the statement refuses or does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.model.selectors import Selector
from policies.resolve import Known, resolve
from policies.selection import select

CODE = "p009"
TITLE = "a selection fits no deployment"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
constraints:
  - {id: health, when: {findings: [medical]}, only: {provider: vllm}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("{provider: vllm}", "{provider: ctransformers}")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every selection by properties fits at least one deployment."""
    resolved = [resolve(one, known.adapters) for one in policy.deployments]
    for selector, path, effect in _selectors(policy):
        if not selector.names and not select(selector, resolved):
            yield Finding(
                at=selector.at,
                message=f"no deployment is like this, so {effect}",
                hint="look at the deployments' provider, model, clearance and self_hosted",
                path=path,
            )
    at_home = any(one.self_hosted for one in resolved)
    for constraint in policy.constraints:
        if "self_hosted" in constraint.require and not at_home:
            yield Finding(
                at=constraint.at,
                message="no deployment is self-hosted, so whatever it applies to is refused",
                hint="write 'self_hosted: true' where that is so",
                path=f"constraints.{constraint.id}.require",
            )


def _selectors(policy: PolicyFile) -> Iterator[tuple[Selector, str, str]]:
    for constraint in policy.constraints:
        path = f"constraints.{constraint.id}"
        if constraint.only is not None:
            yield constraint.only, f"{path}.only", "whatever it applies to is refused"
        if constraint.forbid is not None:
            yield constraint.forbid, f"{path}.forbid", "it forbids nothing"
    for route in policy.routes:
        if route.use.among is not None:
            yield route.use.among, f"routes.{route.id}.use", "whatever takes the route is refused"
