"""p027: a second stage that nobody can be, or that may not see what it is asked about."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.sensitivity import Sensitivity
from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve

CODE = "p027"
TITLE = "a second stage that may not see what it is asked about"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: ctransformers, model: m, clearance: internal,
     price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
sensitivity: {second_stage: {deployment: house}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("clearance: internal", "clearance: restricted")
_PATH = "sensitivity.second_stage"


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Whoever is asked is one, at home, and cleared for whatever there may be in the text."""
    stage = policy.sensitivity.second_stage
    if stage is None:
        return
    if (stage.presidio is None) == (not stage.deployment):
        yield Finding(
            at=stage.at,
            message="a second stage asks either 'presidio' or a 'deployment'",
            hint='second_stage: {presidio: {url: "http://127.0.0.1:5002"}}',
            path=_PATH,
        )
    for one in policy.deployments:
        if one.name != stage.deployment:
            continue
        at_home = resolve(one, known.adapters).self_hosted
        if not at_home or one.clearance.level < Sensitivity.RESTRICTED:
            lacks = "is not self-hosted" if not at_home else "is not cleared for restricted data"
            yield Finding(
                at=stage.at,
                message=f"the second stage '{one.name}' {lacks}, and what it is asked about may "
                "be anything",
                hint="name a deployment with 'self_hosted: true' and 'clearance: restricted'",
                path=f"{_PATH}.deployment",
            )
