"""p026: a copy or its judge that may receive none of the route's requests, so that none is sent."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.model.selectors import Selector
from policies.resolve import Known, Resolved, resolve
from policies.selection import select, select_possible

CODE = "p026"
TITLE = "a comparison that nobody may make"
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
    {adapter: ctransformers, model: o, clearance: public,
     price: {gpu_hour_usd: 4, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house], shadow: {deployment: larger, judge: umpire}}
"""
GOOD = BAD.replace("clearance: public", "clearance: internal")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Who gets copies and who judges them are cleared for the least that is ever sent, and no
    constraint that always applies takes them away."""
    resolved = {one.name: resolve(one, known.adapters) for one in policy.deployments}
    excluded = _always_excluded(policy, tuple(resolved.values()))
    least = policy.sensitivity.default.level
    for route in policy.routes:
        if route.shadow is None:
            continue
        for name, key, does in (
            (route.shadow.deployment, "shadow", "gets no copy"),
            (route.shadow.judge, "shadow.judge", "judges nothing"),
        ):
            one = resolved.get(name)
            if one is None:
                continue
            why = excluded.get(name, "")
            if one.clearance < least:
                why = f"its clearance is below the default sensitivity, {least.label}"
            if why:
                yield Finding(
                    at=route.shadow.at,
                    message=f"'{name}' {does} in '{route.id}': {why}",
                    hint="name a deployment that may receive what the route carries",
                    path=f"routes.{route.id}.{key}",
                )


def _always_excluded(policy: PolicyFile, deployments: tuple[Resolved, ...]) -> dict[str, str]:
    """The deployments that a constraint without a condition takes away, with the reason."""
    found: dict[str, str] = {}
    for constraint in policy.constraints:
        if constraint.when is not None:
            continue
        for name in _taken_away(constraint.only, constraint.forbid, deployments):
            found.setdefault(name, f"the constraint '{constraint.id}' rules it out")
    return found


def _taken_away(
    only: Selector | None, forbid: Selector | None, deployments: tuple[Resolved, ...]
) -> Iterator[str]:
    if only is not None:
        kept = select(only, deployments)
        yield from (one.name for one in deployments if one.name not in kept)
    if forbid is not None:
        yield from select_possible(forbid, deployments)
