"""p007: a route that can never be taken, because an earlier one holds whenever it does."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.implication import implies
from policies.model.conditions import Condition, Group
from policies.model.file import PolicyFile
from policies.resolve import Known

CODE = "p007"
TITLE = "a route can never be taken"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
  - {id: hard, when: {difficulty: ">= 0.6"}, use: [house]}
"""
GOOD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: hard, when: {difficulty: ">= 0.6"}, use: [house]}
  - {id: all, use: [house]}
"""


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """No route stands behind one that holds whenever it does."""
    for number, route in enumerate(policy.routes):
        before = (one for one in policy.routes[:number] if implies(route.when, one.when))
        earlier = next(before, None)
        if earlier is None:
            continue
        told = "always holds" if is_always(earlier.when) else "holds whenever it does"
        yield Finding(
            at=route.at,
            message=f"the route '{route.id}' is never taken: '{earlier.id}' before it {told}",
            hint="move it up, or give the earlier route a narrower 'when'",
            path=f"routes.{route.id}",
        )


def is_always(condition: Condition | None) -> bool:
    """Whether a condition asks nothing at all."""
    return condition is None or (
        isinstance(condition, Group) and condition.kind == "all" and not condition.parts
    )
