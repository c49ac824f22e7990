"""p003: a deployment's adapter does not exist, or lacks what it needs to be called."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.deployments import DeploymentStatement
from policies.model.file import PolicyFile
from policies.model.secrets import SecretReference
from policies.problems import did_you_mean
from policies.resolve import Known, resolve

CODE = "p003"
TITLE = "a deployment cannot be called as it is written"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  frontier:
    {adapter: openai, model: gpt-4o, clearance: internal,
     price: {input_usd_per_mtok: 2.5, output_usd_per_mtok: 10}}
aliases: {auto: {}}
routes:
  - {id: all, use: [frontier]}
"""
GOOD = BAD.replace("gpt-4o,", 'gpt-4o, api_key: "env:OPENAI_API_KEY",')


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every adapter exists and has its address and key."""
    for deployment in policy.deployments:
        path = f"deployments.{deployment.name}"
        facts = known.adapters.get(deployment.adapter)
        if facts is None:
            yield Finding(
                at=deployment.at,
                message=f"there is no adapter '{deployment.adapter}'",
                hint=did_you_mean(deployment.adapter, known.adapters),
                path=f"{path}.adapter",
            )
            continue
        if facts.needs_api_key and not _has_secret(deployment):
            variable = facts.key_variable or "NAME"
            yield Finding(
                at=deployment.at,
                message=f"the deployment '{deployment.name}' needs an api_key",
                hint=f'add: api_key: "env:{variable}"',
                path=path,
            )
        if facts.needs_base_url and not resolve(deployment, known.adapters).base_url:
            yield Finding(
                at=deployment.at,
                message=f"the deployment '{deployment.name}' needs a base_url",
                hint='add: base_url: "http://127.0.0.1:8000/v1"',
                path=path,
            )


def _has_secret(deployment: DeploymentStatement) -> bool:
    return deployment.api_key is not None or any(
        isinstance(carried, SecretReference) for _, carried in deployment.headers
    )
