"""p010: no alias leads to the routes, so that they decide nothing, or one leads to none of them."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.implication import overlap
from policies.model.conditions import Condition, Group, Words
from policies.model.file import PolicyFile
from policies.resolve import Known

CODE = "p010"
TITLE = "no alias leads to the routes"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("routes:", "aliases: {auto: {}}\nroutes:")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """There are aliases that apps can ask for, and each leads to some route."""
    if not policy.aliases:
        yield Finding(
            at=policy.at,
            message="there are no aliases: who asks for a deployment by name gets that one only",
            hint="add: aliases: {auto: {}}",
            path="aliases",
        )
    for alias in policy.aliases:
        if policy.routes and all(_excludes(route.when, alias.name) for route in policy.routes):
            yield Finding(
                at=alias.at,
                message=f"the alias '{alias.name}' leads nowhere: all routes are for other models",
                hint="name it in a route's 'model', or add a route that asks for none",
                path=f"aliases.{alias.name}",
            )


def _excludes(condition: Condition | None, alias: str) -> bool:
    """Whether a condition certainly does not hold for whoever asks for an alias."""
    if isinstance(condition, Group):
        one_is_enough = condition.kind == "all"
        excluded = (_excludes(part, alias) for part in condition.parts)
        return condition.kind != "not" and (any if one_is_enough else all)(excluded)
    if condition is None or condition.fact != "model":
        return False
    asked = Words((alias,))
    return not overlap(asked, condition.test)
