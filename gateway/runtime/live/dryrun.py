"""One worker's part in a dry run: what it served is decided again by the candidate, and counted.

Rules of this file:
- no request waits for it: what was served is noted, and decided again between requests;
- it decides from the same facts as a replay of the audit log would, and counts the same way;
- when there is more than can be noted, what is left out is counted too.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from contextlib import suppress
from time import time
from typing import Any

from gateway.core.dryruns import DryRun
from gateway.core.errors import StoreUnavailable
from gateway.core.recorded import NotReplayable
from gateway.core.records import AuditRecord
from gateway.core.replaying import Tally
from gateway.runtime.live.follower import Follower
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.runtime.replaying import compiled_for_replay
from gateway.stores import dryruns
from gateway.stores.connection import RedisConnection
from gateway.stores.versions import ask
from policies.problems import PolicyError
from policies.replay import Candidate, candidate_of, replay

#: How often the candidate is looked for and the tally written down, in seconds.
_LOOK_SECONDS = 0.5
#: Records that wait to be decided again, and how many are in one go.
_MOST_WAITING = 10_000
_AT_ONCE = 50
_TOO_MANY = "left out: too many requests at once"


def new_dry_run(revision: str, against: str, by: str, note: str = "") -> DryRun:
    """A dry run that begins now."""
    return DryRun(
        id=secrets.token_hex(6), revision=revision, against=against, by=by, at=time(), note=note
    )


class DryRunner:
    """Follows the dry run that goes on, if one does."""

    def __init__(
        self,
        connection: RedisConnection,
        follower: Follower,
        log: Any,
        metrics: PolicyMetrics,
    ) -> None:
        self._connection = connection
        self._follower = follower
        self._log = log
        self._metrics = metrics
        self._id = ""
        self._candidate: Candidate | None = None
        self._waiting: deque[AuditRecord] = deque()
        self._tally = Tally()
        self._written = 0

    @property
    def goes_on(self) -> bool:
        """Whether what is served is to be noted."""
        return self._candidate is not None

    def note(self, record: AuditRecord) -> None:
        """Note one decision of the traffic, to be decided again soon."""
        if len(self._waiting) >= _MOST_WAITING:
            self._tally.skip(_TOO_MANY)
        else:
            self._waiting.append(record)

    async def follow(self) -> None:
        """Follow until cancelled."""
        while True:
            with suppress(StoreUnavailable):
                await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Take up or put down a candidate, decide what waits, and write down what was counted.

        Raises:
            StoreUnavailable: Redis does not answer; what was counted is written down later.
        """
        await self._decide()
        await self._write()
        if self._follower.head.candidate != self._id:
            await self._take_up(self._follower.head.candidate)

    async def _take_up(self, wanted: str) -> None:
        self._candidate = None
        self._waiting.clear()
        self._tally, self._written = Tally(), 0
        found = await ask(self._connection, dryruns.latest()) if wanted else None
        self._id = wanted
        if found is None or found[0].id != wanted:
            return
        try:
            policy = await asyncio.to_thread(compiled_for_replay, found[1], "candidate")
        except PolicyError as error:
            self._log.error("dry_run_not_possible_here", id=wanted, problem=str(error))
            return
        self._candidate = candidate_of(policy)
        self._log.info("dry_run", id=wanted, candidate=policy.revision)

    async def _decide(self) -> None:
        candidate = self._candidate
        while self._waiting and candidate is not None:
            for _ in range(min(_AT_ONCE, len(self._waiting))):
                self._count(candidate, self._waiting.popleft())
            await asyncio.sleep(0)

    def _count(self, candidate: Candidate, record: AuditRecord) -> None:
        try:
            replayed = replay(candidate, record)
        except NotReplayable as reason:
            self._tally.skip(str(reason))
            return
        self._tally.count(replayed, record.at)
        self._metrics.compared(tuple(replayed.kinds()))

    async def _write(self) -> None:
        if self._tally.read == self._written:
            return
        for question in dryruns.note(self._id, self._follower.worker, self._tally):
            await ask(self._connection, question)
        self._written = self._tally.read
