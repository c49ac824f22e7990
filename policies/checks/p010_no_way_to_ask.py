"""p010: no alias leads to the routes, so that they decide nothing."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
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
    """There is an alias that apps can ask for."""
    if not policy.aliases:
        yield Finding(
            at=policy.at,
            message="there are no aliases: who asks for a deployment by name gets that one only",
            hint="add: aliases: {auto: {}}",
            path="aliases",
        )
