"""Keeps one gateway worker at the newest version of the policy.

Rules of this file:
- a worker never serves without a policy: what cannot be used here leaves the last good one;
- a worker that is behind says so, with the reason, and tries again;
- versions are followed to whatever number is the newest, also to a lower one: then Redis was
  brought back from a copy.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, time
from typing import Any

import msgspec

from gateway.core.errors import StoreUnavailable
from gateway.core.versions import Head, PolicyVersion, WorkerReport, digest_of
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.runtime.live.trial import Bench, compiled
from gateway.runtime.ruling import Rulings
from gateway.stores import versions
from gateway.stores.connection import RedisConnection
from policies.compiled import CompiledPolicy
from policies.problems import PolicyError

#: How often Redis is asked whether there is a newer version; seconds.
LOOK_SECONDS = 0.2
#: How often a worker says that it is alive, and tries again what it could not use; seconds.
_REPORT_SECONDS = 2.0
_RETRY_SECONDS = 5.0


class InForce(msgspec.Struct, frozen=True):
    """The text that a worker serves by; `version` is None where Redis has never kept it."""

    text: str
    version: PolicyVersion | None = None

    @property
    def number(self) -> int:
        """The version's number; 0 where Redis has never kept it."""
        return self.version.number if self.version is not None else 0

    @property
    def digest(self) -> str:
        """The hash of the very text."""
        return digest_of(self.text)


class Follower:
    """Follows the newest version; `in_force` is what this worker serves by."""

    def __init__(
        self,
        *,
        connection: RedisConnection,
        rulings: Rulings,
        bench: Bench,
        source: str,
        begun: InForce,
        log: Any,
        metrics: PolicyMetrics,
    ) -> None:
        self.in_force = begun
        self.head = Head(number=begun.number)
        self.problem = ""
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._connection = connection
        self._rulings = rulings
        self._bench = bench
        self._source = source
        self._log = log
        self._metrics = metrics
        self._tried: tuple[str, CompiledPolicy] | None = None
        self._looking = asyncio.Lock()
        self._nudged = asyncio.Event()
        self._reported = (-1, "", 0.0)
        self._retry_at = 0.0

    async def follow(self) -> None:
        """Follow until cancelled."""
        while True:
            with suppress(StoreUnavailable):
                await self.look()
            self._nudged.clear()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    def nudge(self) -> None:
        """Look at once: something has changed."""
        self._nudged.set()

    def trust(self, digest: str, policy: CompiledPolicy) -> None:
        """Remember a policy that was compiled from this text here a moment ago."""
        self._tried = (digest, policy)

    async def look(self) -> Head:
        """Take over the newest version, if it is another, and tell how far this worker is.

        Raises:
            StoreUnavailable: Redis does not answer; the last good version stays in force.
        """
        async with self._looking:
            self.head = await versions.ask(self._connection, versions.head())
            number = self.head.number
            if number and number != self.in_force.number:
                await self._take_over(number)
            elif not self._problem_stays(number):
                self.problem = ""
            self._metrics.state(
                self.in_force.number,
                refused=self.head.refused is not None,
                behind=bool(self.problem),
            )
            await self._report()
            return self.head

    async def behind(self, number: int, seconds: float) -> Sequence[WorkerReport]:
        """Wait until every live worker serves by this version; those that do not, in the end.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        latest = monotonic() + seconds
        while True:
            reports = await versions.ask(self._connection, versions.workers())
            late = [one for one in versions.alive(reports, time()) if one.number != number]
            if not late or monotonic() > latest or all(one.problem for one in late):
                return late
            await asyncio.sleep(LOOK_SECONDS / 4)

    async def close(self) -> None:
        """Say goodbye, so that nobody waits for this worker."""
        try:
            await versions.ask(self._connection, versions.forget_worker(self.worker))
        except StoreUnavailable:
            return

    def _problem_stays(self, number: int) -> bool:
        return bool(self.problem) and number != self.in_force.number

    async def _take_over(self, number: int) -> None:
        if self.problem and monotonic() < self._retry_at:
            return
        version = await versions.ask(self._connection, versions.version(number))
        text = await versions.ask(self._connection, versions.text(number))
        if version is None or text is None:
            self._stay(number, "its text is not in Redis any more")
            return
        try:
            policy = await self._policy_of(text, version.digest)
            await self._rulings.adopt(policy)
        except (PolicyError, ValueError) as error:
            self._stay(number, str(error))
            return
        self.in_force, self.problem = InForce(text, version), ""
        self._log.info(
            "policy_in_force",
            number=number,
            policy=policy.revision,
            source=version.source,
            by=version.by,
        )

    async def _policy_of(self, text: str, digest: str) -> CompiledPolicy:
        tried, self._tried = self._tried, None
        if tried is not None and tried[0] == digest:
            return tried[1]
        return await asyncio.to_thread(compiled, text, self._source, self._bench)

    def _stay(self, number: int, problem: str) -> None:
        self._retry_at = monotonic() + _RETRY_SECONDS
        if problem != self.problem:
            self._log.error(
                "policy_not_usable_here",
                number=number,
                staying_at=self.in_force.number,
                problem=problem,
            )
        self.problem = problem

    async def _report(self) -> None:
        number, told, at = self._reported
        now = monotonic()
        if (number, told) == (self.in_force.number, self.problem) and now < at + _REPORT_SECONDS:
            return
        report = WorkerReport(
            worker=self.worker,
            number=self.in_force.number,
            revision=self._rulings.current.policy.revision,
            at=time(),
            problem=self.problem,
        )
        await versions.ask(self._connection, versions.report(report))
        self._reported = (self.in_force.number, self.problem, now)
