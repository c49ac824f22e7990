"""p012: a deployment elsewhere is called without encryption."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.resolve import Known, is_loopback, resolve

CODE = "p012"
TITLE = "prompts and keys travel unencrypted"
SEVERITY = "warning"
BAD = """\
fairlead: 1
deployments:
  house:
    {adapter: openai_compatible, base_url: "http://models.example/v1", model: m,
     clearance: internal, price: {input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace("http:", "https:")


_HINT = "use https, or leave the check out where the network is encrypted itself"


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Whatever is not on this machine is called by https."""
    for deployment in policy.deployments:
        base_url = resolve(deployment, known.adapters).base_url
        if base_url.startswith("http:") and not is_loopback(base_url):
            yield Finding(
                at=deployment.at,
                message=f"'{deployment.name}' is called by http: prompts travel unencrypted",
                hint=_HINT,
                path=f"deployments.{deployment.name}.base_url",
            )
    stage = policy.sensitivity.second_stage
    presidio = None if stage is None else stage.presidio
    if presidio and presidio.url.startswith("http:") and not is_loopback(presidio.url):
        yield Finding(
            at=presidio.at,
            message="Presidio is asked by http: prompts travel unencrypted",
            hint=_HINT,
            path="sensitivity.second_stage.presidio.url",
        )
