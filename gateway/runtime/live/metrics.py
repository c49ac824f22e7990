"""Prometheus metrics about the policy in force."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class PolicyMetrics:
    """Which version a worker serves by, and what was tried to change it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._version = Gauge(
            "fairlead_policy_version",
            "The number of the policy version that is served by; of several workers the oldest.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._refused = Gauge(
            "fairlead_policy_file_refused",
            "1 while a policy file was changed and cannot be used.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._behind = Gauge(
            "fairlead_policy_behind",
            "1 while the newest policy version cannot be used here and an older one is in force.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._changes = Counter(
            "fairlead_policy_changes",
            "Tries to change the policy.",
            ["source", "outcome"],
            registry=registry,
        )
        self._compared = Counter(
            "fairlead_policy_dry_run",
            "Requests that a dry run decided again, by what changes.",
            ["change"],
            registry=registry,
        )

    def compared(self, kinds: tuple[str, ...]) -> None:
        """Count one request that a dry run decided again, by what changes."""
        for kind in kinds or ("none",):
            self._compared.labels(kind).inc()

    def state(self, number: int, *, refused: bool, behind: bool) -> None:
        """Set the version that is served by, and whether something is wrong with a newer one."""
        self._version.set(number)
        self._refused.set(refused)
        self._behind.set(behind)

    def tried(self, source: str, outcome: str) -> None:
        """Count one try to change the policy; `outcome` is in_force, unchanged or refused."""
        self._changes.labels(source, outcome).inc()
