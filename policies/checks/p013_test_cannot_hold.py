"""p013: a test expects an id that nothing in the policy has, or expects nothing."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.problems import Place, did_you_mean
from policies.resolve import Known

CODE = "p013"
TITLE = "a test cannot hold or cannot fail"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
tests:
  - {name: a test, given: {difficulty: 0.5}, expect: {route: al}}
"""
GOOD = BAD.replace("route: al}", "route: all}")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every test expects something, and only ids that exist."""
    routes = {route.id for route in policy.routes}
    narrowing = {constraint.id for constraint in policy.constraints}
    narrowing |= {invariant.id for invariant in policy.never}
    for case in policy.tests:
        expect = case.expect
        path = f"tests.{case.name}.expect"
        wanted = {name: getattr(expect, name) for name in expect.__struct_fields__ if name != "at"}
        if all(held is None for held in wanted.values()):
            message = f"the test '{case.name}' expects nothing, so it cannot fail"
            yield Finding(at=expect.at, message=message, hint="add deployment: …", path=path)
        asked = [(expect.route, routes | {"requested", "none", "key"})] if expect.route else []
        asked += [(reason, routes | narrowing | {"requested"}) for reason in expect.reasons or ()]
        for name, there in asked:
            if name is not None and name not in there:
                yield _unknown(name, there, expect.at, path)


def _unknown(name: str, there: set[str], at: Place, path: str) -> Finding:
    message = f"no statement has the id '{name}'"
    return Finding(at=at, message=message, hint=did_you_mean(name, there), path=path)
