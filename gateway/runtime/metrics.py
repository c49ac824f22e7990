"""Prometheus metrics, kept across worker processes when there are several."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.core.health import Breaker, state_name
from gateway.core.records import LedgerLine, StageRecord
from gateway.runtime.exchange import Exchange

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BREAKER_STATES = ("closed", "half_open", "open")


class Metrics:
    """All of this process's metrics; one instance a process."""

    def __init__(self, *, several_workers: bool) -> None:
        self._several = several_workers
        # Looking a labelled child up costs more than counting, so each is looked up once.
        self._children: dict[tuple[Counter | Histogram | str, ...], Any] = {}
        self.registry = CollectorRegistry()
        one = self.registry
        self._requests = Counter(
            "fairlead_requests", "Requests by how they ended.", ["outcome", "status"], registry=one
        )
        by = ["deployment", "outcome"]
        self._attempts = Counter("fairlead_attempts", "Calls upstream.", by, registry=one)
        self._checks = Counter(
            "fairlead_cascade_checks",
            "Answers that cascades looked at, by the check that they failed.",
            ["deployment", "check"],
            registry=one,
        )
        self._shadows = Counter(
            "fairlead_shadows", "Copies for comparison by how they ended.", by, registry=one
        )
        self._judgements = Counter(
            "fairlead_judgements", "Verdicts on copies by how they ended.", by, registry=one
        )
        self._tokens = Counter(
            "fairlead_tokens", "Tokens by class.", ["deployment", "class"], registry=one
        )
        self._cost = Counter(
            "fairlead_cost_nanousd", "Cost in nano-USD.", ["deployment"], registry=one
        )
        self._stage = Histogram(
            "fairlead_stage_seconds",
            "Time per stage of a request.",
            ["stage"],
            buckets=_SECONDS,
            registry=one,
        )
        self._upstream = Histogram(
            "fairlead_attempt_seconds",
            "Time per call upstream.",
            ["deployment"],
            buckets=_SECONDS,
            registry=one,
        )
        self._of_privacy()
        self._holds = Gauge(
            "fairlead_holds_open",
            "Holds that are neither settled nor expired.",
            ["org"],
            registry=one,
            multiprocess_mode="mostrecent",
        )
        self._breaker = Gauge(
            "fairlead_breaker_state",
            "1 for the state that the deployment's breaker is in.",
            ["deployment", "state"],
            registry=one,
            multiprocess_mode="mostrecent",
        )

    def _of_privacy(self) -> None:
        self._second_stages = Counter(
            "fairlead_second_stages",
            "Requests that a second stage of privacy was asked about, by how that ended.",
            ["by", "outcome"],
            registry=self.registry,
        )
        self._second_stage_time = Histogram(
            "fairlead_second_stage_seconds",
            "Time for which requests waited for the second stage of privacy.",
            ["by"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def request(self, exchange: Exchange) -> None:
        """Count a finished request and the time of its stages."""
        self._child(self._requests, exchange.outcome, str(exchange.status)).inc()
        for stage, milliseconds in exchange.stages.items():
            self._child(self._stage, stage).observe(milliseconds / 1000.0)

    def attempt(self, line: LedgerLine, check: str = "") -> None:
        """Count one settled call upstream, and what a cascade found in its answer."""
        name = line.deployment
        if check:
            self._child(self._checks, name, check).inc()
        self._child(self._attempts, name, line.outcome).inc()
        self._child(self._upstream, name).observe(line.duration_ms / 1000.0)
        if line.cost_nanousd:
            self._child(self._cost, name).inc(line.cost_nanousd)
        usage = line.usage
        classes = (
            ("input", usage.input_tokens),
            ("cached_input", usage.cached_input_tokens),
            ("output", usage.output_tokens),
        )
        for kind, tokens in classes:
            if tokens:
                self._child(self._tokens, name, kind).inc(tokens)

    def shadow(self, deployment: str, outcome: str) -> None:
        """Count a copy for comparison, or one that was skipped because too many were under way."""
        self._child(self._shadows, deployment, outcome).inc()

    def judgement(self, deployment: str, outcome: str) -> None:
        """Count a comparison of two answers by this deployment, or why there was none."""
        self._child(self._judgements, deployment, outcome).inc()

    def second_stage(self, stage: StageRecord) -> None:
        """Count a question to the second stage of privacy and the time it took."""
        self._child(self._second_stages, stage.by, stage.outcome).inc()
        self._child(self._second_stage_time, stage.by).observe(stage.duration_ms / 1000.0)

    def holds(self, org: str, count: int) -> None:
        """Set how many holds of an org are open."""
        self._holds.labels(org).set(count)

    def breakers(self, names: list[str], breakers: Mapping[str, Breaker]) -> None:
        """Set every deployment's breaker state."""
        now = time()
        for name in names:
            current = state_name(breakers.get(name, Breaker()), now)
            for state in _BREAKER_STATES:
                self._breaker.labels(name, state).set(1 if state == current else 0)

    def _child(self, metric: Counter | Histogram, *labels: str) -> Any:
        key = (metric, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child

    def render(self) -> bytes:
        """The text that Prometheus scrapes, over all workers of this gateway."""
        if not self._several:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
        return generate_latest(gathered)
