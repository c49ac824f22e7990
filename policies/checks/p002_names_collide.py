"""p002: two things have one name, so that a request or a reason could mean either."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.constraints import ConstraintStatement
from policies.model.file import PolicyFile
from policies.model.never import NeverStatement
from policies.model.routes import RouteStatement
from policies.resolve import Known

CODE = "p002"
TITLE = "two statements share a name"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: restricted,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases:
  house: {}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("  house: {}", "  auto: {}")

#: Reason ids that the engine itself gives.
RESERVED = frozenset(("requested", "clearance", "capabilities", "context", "key", "none"))


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Aliases differ from deployments, and ids of statements from one another."""
    deployments = {deployment.name for deployment in policy.deployments}
    for alias in policy.aliases:
        if alias.name in deployments:
            yield Finding(
                at=alias.at,
                message=f"the alias '{alias.name}' has the name of a deployment",
                hint="asking for a deployment's name bypasses the routes; rename one of them",
                path=f"aliases.{alias.name}",
            )
    seen: set[str] = set()
    statements: list[tuple[str, ConstraintStatement | NeverStatement | RouteStatement]] = [
        *(("constraints", constraint) for constraint in policy.constraints),
        *(("never", invariant) for invariant in policy.never),
        *(("routes", route) for route in policy.routes),
    ]
    for kind, statement in statements:
        path = f"{kind}.{statement.id}"
        if statement.id in RESERVED:
            message = f"the id '{statement.id}' is one that the engine itself gives"
            yield Finding(at=statement.at, message=message, hint="choose another", path=path)
        elif statement.id in seen:
            message = f"the id '{statement.id}' is used twice"
            hint = "reports tell statements apart by their ids"
            yield Finding(at=statement.at, message=message, hint=hint, path=path)
        seen.add(statement.id)
