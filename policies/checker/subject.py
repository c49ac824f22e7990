"""A policy that is to be proved right: the file, what it compiles to, and what is built in."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from gateway.core.deployment import AdapterFacts
from gateway.core.findings import default_levels
from gateway.core.sensitivity import Sensitivity
from policies.checker.receivers import unguarded
from policies.compiled import CompiledPolicy
from policies.model.deployments import DeploymentStatement
from policies.model.file import PolicyFile
from policies.resolve import is_loopback

#: The least level of what may not leave the company, unless the file says why it may.
STAYS_HOME = Sensitivity.CONFIDENTIAL


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A policy with its file; `guarded` is what serves, `policy` the same without invariants.

    `public_hosts` are the addresses of vendors: nobody hosts those at home.
    """

    file: PolicyFile
    guarded: CompiledPolicy
    policy: CompiledPolicy
    public_hosts: frozenset[str]

    def statement(self, deployment: str) -> DeploymentStatement:
        """What the file says of a deployment."""
        return next(one for one in self.file.deployments if one.name == deployment)

    def at_vendor(self, deployment: str) -> bool:
        """Whether a deployment has the public address of a vendor."""
        return _host(self.policy.deployments[deployment].base_url) in self.public_hosts

    def outside(self, deployment: str) -> bool:
        """Whether what a deployment receives leaves the company, whatever it is marked as."""
        return not self.policy.deployments[deployment].self_hosted or self.at_vendor(deployment)

    def lowered(self) -> tuple[str, ...]:
        """The finding types whose level is below the built-in one, without a reason."""
        usual = default_levels()
        return tuple(
            name
            for name, stated in self.file.sensitivity.findings
            if not stated.because and stated.level < usual.get(name, Sensitivity.PUBLIC)
        )


def subject_of(
    file: PolicyFile, policy: CompiledPolicy, adapters: Mapping[str, AdapterFacts]
) -> Subject:
    """Put together what a proof is about.

    Args:
        file: the policy as it is written.
        policy: the same, compiled.
        adapters: the adapters and vendors that deployments may name.
    """
    addresses = {facts.default_base_url for facts in adapters.values()}
    return Subject(
        file=file,
        guarded=policy,
        policy=unguarded(policy),
        public_hosts=frozenset(
            _host(address) for address in addresses if address and not is_loopback(address)
        ),
    )


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").lower()
