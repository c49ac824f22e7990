"""p014: a statement asks for a zone or a context window that a deployment does not tell."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.model.selectors import Selector
from policies.resolve import Known, resolve
from policies.selection import fits

CODE = "p014"
TITLE = "a selection asks what a deployment does not tell"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
  abroad:
    {adapter: ollama_native, model: m, clearance: internal, zone: us,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
constraints:
  - {id: no-us, when: {findings: [medical]}, forbid: {zone: us}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house, abroad]}
"""
GOOD = BAD.replace("restricted,", "restricted, zone: eu,")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every deployment tells what selections ask of it, or is left out for another reason."""
    resolved = [resolve(one, known.adapters) for one in policy.deployments]
    places = {one.name: one.at for one in policy.deployments}
    told: set[str] = set()
    for selector, path, effect in _selectors(policy):
        for one in resolved:
            if one.name in told or fits(selector, one) is not None:
                continue
            told.add(one.name)
            lacking = "zone" if selector.zones and not one.zone else "context_tokens"
            yield Finding(
                at=places[one.name],
                message=f"'{one.name}' has no {lacking}, and '{path}' asks for it: {effect}",
                hint=f"say its {lacking}",
                path=f"deployments.{one.name}.{lacking}",
            )


def _selectors(policy: PolicyFile) -> Iterator[tuple[Selector, str, str]]:
    for constraint in policy.constraints:
        path = f"constraints.{constraint.id}"
        if constraint.only is not None:
            yield constraint.only, f"{path}.only", "it is left out"
        if constraint.forbid is not None:
            yield constraint.forbid, f"{path}.forbid", "it counts as forbidden"
    for invariant in policy.never:
        yield invariant.deployment, f"never.{invariant.id}.deployment", "it counts as meant"
    for route in policy.routes:
        if route.use.among is not None:
            yield route.use.among, f"routes.{route.id}.use", "it is left out"
