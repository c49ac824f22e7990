"""p007: a route that can never be taken, because an earlier one is always taken."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
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
    """Nothing stands after a route without a condition, and no condition stands twice."""
    always = ""
    earlier: dict[str, str] = {}
    for route in policy.routes:
        path = f"routes.{route.id}"
        written = repr(_bare(route.when))
        if always:
            yield Finding(
                at=route.at,
                message=f"the route '{route.id}' is never taken: '{always}' before it always is",
                hint="move it up, or give the earlier route a 'when'",
                path=path,
            )
        elif written in earlier:
            yield Finding(
                at=route.at,
                message=(
                    f"the route '{route.id}' is never taken: '{earlier[written]}' before it "
                    "has the same condition"
                ),
                hint="change its 'when' or remove it",
                path=path,
            )
        earlier.setdefault(written, route.id)
        if not always and is_always(route.when):
            always = route.id


def is_always(condition: Condition | None) -> bool:
    """Whether a condition asks nothing at all."""
    return condition is None or (
        isinstance(condition, Group) and condition.kind == "all" and not condition.parts
    )


def _bare(condition: Condition | None) -> object:
    """A condition without the places where it is written."""
    if condition is None:
        return None
    if isinstance(condition, Group):
        return (condition.kind, tuple(_bare(part) for part in condition.parts))
    return (condition.fact, condition.test)
