"""p004: nobody knows what a deployment costs, so its money could not be held or booked."""

from __future__ import annotations

from collections.abc import Iterator

from policies.checks.base import Finding
from policies.model.file import PolicyFile
from policies.pricing import price_of
from policies.resolve import Known, resolve

CODE = "p004"
TITLE = "a deployment has no price"
SEVERITY = "error"
BAD = """\
fairlead: 1
deployments:
  house: {adapter: ctransformers, model: m, clearance: restricted}
aliases: {auto: {}}
routes:
  - {id: all, use: [house]}
"""
GOOD = BAD.replace(
    "restricted}",
    "restricted, price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}",
)

_BY_TOKENS = "price: {input_usd_per_mtok: 2.50, output_usd_per_mtok: 10.00}"
_BY_HOUR = "price: {gpu_hour_usd: 2.00, tokens_per_second: 1000, utilisation: 0.3}"


def check(policy: PolicyFile, known: Known) -> Iterator[Finding]:
    """Every deployment has a price, from the file or from the price book, or is left out."""
    if policy.degradation.price_unknown == "leave_out":
        return
    for deployment in policy.deployments:
        resolved = resolve(deployment, known.adapters)
        price = price_of(deployment, resolved, known.prices)
        if isinstance(price, str):
            line = _BY_HOUR if resolved.self_hosted else _BY_TOKENS
            at = deployment.price[0].at if deployment.price else deployment.at
            yield Finding(
                at=at,
                message=(
                    f"the deployment '{deployment.name}' ({resolved.provider}, "
                    f"{deployment.model}) cannot be booked: {price}"
                ),
                hint=f"add, with your own figures: {line}",
                path=f"deployments.{deployment.name}.price",
            )
