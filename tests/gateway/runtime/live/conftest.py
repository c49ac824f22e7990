"""One gateway worker's live policy in the test's loop: real Redis, a real file, real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from adapters.registry import open_adapter
from adapters.transport import Transport
from gateway.classify.classifier import Classifier, load_classifier
from gateway.core.versions import digest_of
from gateway.runtime.live.changes import Changes
from gateway.runtime.live.follower import Follower, InForce
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.runtime.live.proof import Prover
from gateway.runtime.live.start import bench_for
from gateway.runtime.live.trial import Bench, compiled
from gateway.runtime.live.watch import FileWatch
from gateway.runtime.ruling import Rulings
from gateway.stores.connection import RedisConnection

TEXT = """\
fairlead: 1
deployments:
  house: {adapter: ollama_native, model: m, clearance: restricted,
          price: {gpu_hour_usd: 1, tokens_per_second: 100, utilisation: 0.5}}
aliases: {auto: {}}
routes: [{id: ROUTE, use: [house]}]
"""


def text(route: str = "first") -> str:
    """A good policy whose only route has this name."""
    return TEXT.replace("ROUTE", route)


BROKEN = text() + "routes: [\n"
UNFIT = text("unfit") + "tests: [{name: never true, given: {}, expect: {deployment: nowhere}}]\n"
FAILING = text("failing") + "tests: [{name: never true, given: {}, expect: {refused: true}}]\n"


@cache
def _classifier() -> Classifier:
    return load_classifier()


class Lines:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def note(self, event: str, **fields: Any) -> None:
        self.kept.append((event, fields))

    info = warning = error = note

    def events(self) -> list[str]:
        return [event for event, _ in self.kept]


@dataclass
class Stand:
    """The parts of one worker, to be turned by hand."""

    path: Path
    bench: Bench
    connection: RedisConnection
    rulings: Rulings
    follower: Follower
    changes: Changes
    watch: FileWatch
    log: Lines
    registry: CollectorRegistry

    def route(self) -> str:
        """The name of the route that is served by."""
        return self.rulings.current.policy.routes[0].id

    def metrics(self) -> str:
        """What Prometheus would scrape."""
        return generate_latest(self.registry).decode()

    async def turn(self, times: int = 3) -> None:
        """What the watch and the follower do in the background, so many times."""
        for _ in range(times):
            await self.watch.look()
            await self.follower.look()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """A transport that is closed after the test."""
    opened = Transport()
    yield opened
    await opened.close()


@pytest.fixture
async def new_stand(
    connection: RedisConnection, transport: Transport, tmp_path: Path
) -> AsyncIterator[Any]:
    """Makes workers of one gateway, all on the same Redis and the same file."""
    made: list[Stand] = []

    async def make(
        begun: str = "", environ: dict[str, str] | None = None, proof_seconds: float = 0.0
    ) -> Stand:
        path = tmp_path / "policy.yaml"
        begun = begun or text()
        if not path.exists():
            path.write_text(begun)
        bench = bench_for(path, environ or {}, lambda: _classifier().judge_text)
        rulings = Rulings(lambda one: open_adapter(one, transport, run_dir=tmp_path / "run"))
        await rulings.adopt(compiled(begun, str(path), bench))
        log, registry = Lines(), CollectorRegistry()
        parts: dict[str, Any] = {"log": log, "metrics": PolicyMetrics(registry)}
        follower = Follower(
            connection=connection,
            rulings=rulings,
            bench=bench,
            source=str(path),
            begun=InForce(begun),
            **parts,
        )
        prover = Prover(proof_seconds)
        changes = Changes(connection, rulings, follower, bench, prover, str(path))
        watch = FileWatch(
            path,
            tmp_path / "run" / "lock",
            connection=connection,
            follower=follower,
            changes=changes,
            **parts,
        )
        made.append(
            Stand(path, bench, connection, rulings, follower, changes, watch, log, registry)
        )
        return made[-1]

    yield make
    for stand in made:
        await stand.rulings.close()
        await stand.changes.prover.close()


@pytest.fixture
async def stand(new_stand: Any) -> Stand:
    """A worker that has brought its file into force as version 1."""
    made: Stand = await new_stand()
    await made.turn()
    assert made.follower.in_force.number == 1
    assert made.follower.in_force.digest == digest_of(text())
    return made
