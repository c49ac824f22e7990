"""p001: a route, constraint or test names a deployment that the file does not have."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.problems import Place, did_you_mean
from policies.resolve import Known

CODE = "p001"
TITLE = "a deployment is named that does not exist"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: all, use: [hause]}
"""
GOOD = BAD.replace("hause", "house")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every name in a selector or an expectation must be a deployment."""
    there = [deployment.name for deployment in policy.deployments]
    for name, at, path in _names(policy):
        if name not in there:
            yield Finding(
                at=at,
                message=f"there is no deployment '{name}'",
                hint=did_you_mean(name, there),
                path=path,
            )


def _names(policy: PolicyFile) -> Iterator[tuple[str, Place, str]]:
    for route in policy.routes:
        if route.use.among is not None:
            for name, at in route.use.among.names:
                yield name, at, f"routes.{route.id}.use"
        for share in route.use.shares:
            yield share.name, share.at, f"routes.{route.id}.use.shares"
        if route.shadow is not None:
            yield route.shadow.deployment, route.shadow.at, f"routes.{route.id}.shadow"
            if route.shadow.judge:
                yield route.shadow.judge, route.shadow.at, f"routes.{route.id}.shadow.judge"
    stage = policy.sensitivity.second_stage
    if stage is not None and stage.deployment:
        yield stage.deployment, stage.at, "sensitivity.second_stage.deployment"
    for constraint in policy.constraints:
        for key, selector in (("only", constraint.only), ("forbid", constraint.forbid)):
            for name, at in selector.names if selector is not None else ():
                yield name, at, f"constraints.{constraint.id}.{key}"
    for invariant in policy.never:
        for name, at in invariant.deployment.names:
            yield name, at, f"never.{invariant.id}.deployment"
    for case in policy.tests:
        expect = case.expect
        wanted = tuple(name for name in (expect.deployment, expect.shadow, expect.judge) if name)
        for name in (*wanted, *(expect.any_of or ()), *(expect.never or ())):
            yield name, expect.at, f"tests.{case.name}.expect"
