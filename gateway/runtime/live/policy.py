"""The live policy of one gateway worker: followed, watched and changed, as one part."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from gateway.runtime.live.changes import Changes
from gateway.runtime.live.dryrun import DryRunner
from gateway.runtime.live.follower import Follower, InForce
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.runtime.live.proof import Prover
from gateway.runtime.live.trial import Bench
from gateway.runtime.live.watch import FileWatch
from gateway.runtime.ruling import Rulings
from gateway.stores.connection import RedisConnection

#: The lock of the worker that watches the policy file, in the run folder of the home.
_LOCK = "policy-watch.lock"


class LivePolicy:
    """What keeps a worker's policy the newest one, and what changes it from here."""

    def __init__(
        self,
        *,
        connection: RedisConnection,
        rulings: Rulings,
        bench: Bench,
        prover: Prover,
        path: Path,
        run_dir: Path,
        begun: InForce,
        log: Any,
        metrics: PolicyMetrics,
    ) -> None:
        self.path = path
        self.metrics = metrics
        self.follower = Follower(
            connection=connection,
            rulings=rulings,
            bench=bench,
            source=str(path),
            begun=begun,
            log=log,
            metrics=metrics,
        )
        self.changes = Changes(connection, rulings, self.follower, bench, prover, str(path))
        self.connection = connection
        self._watch = FileWatch(
            path,
            run_dir / _LOCK,
            connection=connection,
            follower=self.follower,
            changes=self.changes,
            log=log,
            metrics=metrics,
        )
        self.dry_runner = DryRunner(connection, self.follower, log, metrics)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to follow and to watch."""
        self._tasks = [
            asyncio.ensure_future(self.follower.follow()),
            asyncio.ensure_future(self._watch.watch()),
            asyncio.ensure_future(self.dry_runner.follow()),
        ]

    async def close(self) -> None:
        """Stop following; what is in force stays so until the rulings are closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.follower.close()
        await self.changes.prover.close()

    def warnings(self) -> list[str]:
        """What is wrong although requests are served, in words that anybody may read."""
        told, number = [], self.follower.in_force.number
        if self.follower.head.refused is not None:
            told.append(
                "the policy file was changed and cannot be used; "
                f"version {number} stays in force (see /admin/policy/status)"
            )
        if self.follower.problem:
            told.append(
                f"the newest version of the policy cannot be used on this machine; "
                f"version {number} stays in force (see /admin/policy/status)"
            )
        return told
