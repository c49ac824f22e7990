"""p011: a deployment outside the company may receive restricted data."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.sensitivity import Sensitivity
from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, resolve

CODE = "p011"
TITLE = "restricted data may leave the company"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  frontier:
    {adapter: openai, model: m, api_key: "env:OPENAI_API_KEY", clearance: restricted,
     price: {input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}
aliases: {auto: {}}
routes:
  - {id: all, use: [frontier]}
"""
GOOD = BAD.replace("clearance: restricted", "clearance: internal")


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """What is cleared for restricted data is self-hosted, or the file says why it need not be."""
    for deployment in policy.deployments:
        outside = not resolve(deployment, known.adapters).self_hosted
        stated = deployment.clearance
        if outside and stated.level >= Sensitivity.RESTRICTED and not stated.because:
            yield Finding(
                at=deployment.at,
                message=f"'{deployment.name}' may receive restricted data and is not self-hosted",
                hint=(
                    "lower its clearance, write 'self_hosted: true' if it is yours, or say why: "
                    "{level: restricted, because: …}"
                ),
                path=f"deployments.{deployment.name}.clearance",
            )
