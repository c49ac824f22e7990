"""Watches the policy file for the workers of one gateway, and keeps it in step.

Rules of this file:
- of all workers on a machine that share a home, the one that holds the lock watches;
- an edit is a text that the file did not have before; the newest change wins, wherever it is
  made: an edit of the file goes on top of what the admin plane did, and the other way round;
- a text that cannot come into force raises an alarm and stays where it is, until it is edited;
- after a change from elsewhere the file is given the text in force, unless it holds an edit that
  is not in force, or may not be written.
"""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path
from time import monotonic, time
from typing import IO, Any

from gateway.core.errors import StoreUnavailable
from gateway.core.versions import RefusedChange, digest_of
from gateway.runtime.live.changes import Changes, Overtaken
from gateway.runtime.live.follower import Follower
from gateway.runtime.live.metrics import PolicyMetrics
from gateway.runtime.live.policy_file import (
    Stamp,
    place_of,
    read_text,
    stamp_of,
    who_keeps,
    write_text,
)
from gateway.stores import versions
from gateway.stores.connection import RedisConnection
from policies.problems import PolicyError

#: How often the file is looked at; a text is read once two looks in a row see the same. Seconds.
LOOK_SECONDS = 0.1
#: How often a worker that does not watch tries to; and how often the watching one tidies up.
_STANDBY_SECONDS = 1.0
_TIDY_SECONDS = 60.0
#: Problems told in an alarm; the log and `fairlead policy check` have all of them.
_MOST_PROBLEMS = 20


class FileWatch:
    """One worker's part in watching `path`; `lock` is shared by the workers of the machine."""

    def __init__(
        self,
        path: Path,
        lock: Path,
        *,
        connection: RedisConnection,
        follower: Follower,
        changes: Changes,
        log: Any,
        metrics: PolicyMetrics,
    ) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._follower = follower
        self._changes = changes
        self._log = log
        self._metrics = metrics
        self._stamp: Stamp | None = None
        self._settled = False
        self._tidied = 0.0
        # The digest of the text that was dealt with last, and whether it has been in force.
        self._seen = ""
        self._was_in_force = False
        self._unwritable = ""

    async def watch(self) -> None:
        """Watch until cancelled, or stand by while another worker does."""
        self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.open("a+b") as lock:
            while True:
                if _taken(lock):
                    break
                await asyncio.sleep(_STANDBY_SECONDS)
            # The first proof takes long, so that it is not left to the first edit.
            warming = asyncio.ensure_future(self._prove_in_force())
            try:
                await self._keep_looking()
            finally:
                warming.cancel()

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailable:
                self._settled = False  # again, once Redis is back
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Deal with an edit of the file, or give it the text in force.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        if self._follower.head.number == 0 and self._follower.in_force.number:
            await self._restore()
        stamp = stamp_of(self._path)
        if stamp != self._stamp:
            self._stamp, self._settled = stamp, False
        elif not self._settled:
            await self._read()
            self._settled = True
        elif self._was_in_force and self._seen != self._follower.in_force.digest:
            await self._write()
        if monotonic() > self._tidied + _TIDY_SECONDS:
            self._tidied = monotonic()
            await self._tidy()

    async def _read(self) -> None:
        try:
            text = read_text(self._path)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            await self._refuse("", (f"{self._path}: it cannot be read: {reason}",))
            return
        except PolicyError as error:
            await self._refuse("", tuple(one.text(str(self._path)) for one in error.problems))
            return
        digest = digest_of(text)
        if digest == self._seen:
            return
        head = await self._follower.look()
        if digest in (head.digest, head.file_digest):
            await self._calm(digest)
            return
        await self._bring(text, digest)

    async def _bring(self, text: str, digest: str) -> None:
        try:
            changed = await self._changes.bring(
                text, source="file", by=who_keeps(self._path), file_digest=digest
            )
        except PolicyError as error:
            problems = tuple(one.text(str(self._path)) for one in error.problems)
            await self._refuse(digest, problems)
            return
        except Overtaken:
            # Another gateway was quicker, most often with the same file; look again.
            self._stamp = None
            return
        self._metrics.tried("file", "in_force" if changed.is_new else "unchanged")
        await self._calm(digest)

    async def _calm(self, digest: str) -> None:
        """The file is right: what an earlier edit of it said does not count any more."""
        self._seen, self._was_in_force = digest, True
        refused = self._follower.head.refused
        if refused is not None and refused.by == place_of(self._path):
            await versions.ask(self._connection, versions.clear_alarm())
            self._follower.nudge()

    async def _refuse(self, digest: str, problems: tuple[str, ...]) -> None:
        self._metrics.tried("file", "refused")
        self._log.error(
            "policy_file_refused",
            path=str(self._path),
            staying_at=self._follower.in_force.number,
            problems=problems,
        )
        shown = problems[:_MOST_PROBLEMS]
        if len(problems) > len(shown):
            shown = (*shown, f"and {len(problems) - len(shown)} more")
        refused = RefusedChange(source="file", by=place_of(self._path), at=time(), problems=shown)
        await versions.ask(self._connection, versions.raise_alarm(refused))
        self._seen, self._was_in_force = digest, False
        self._follower.nudge()

    async def _write(self) -> None:
        """Give the file the text that came into force elsewhere."""
        in_force = self._follower.in_force
        try:
            if digest_of(read_text(self._path)) != self._seen:
                self._stamp = None  # edited at this very moment
                return
            await asyncio.to_thread(write_text, self._path, in_force.text)
        except OSError as error:
            if self._unwritable != in_force.digest:
                reason = error.strerror or type(error).__name__
                self._log.warning("policy_file_not_in_step", path=str(self._path), reason=reason)
            self._unwritable = in_force.digest
            self._seen = in_force.digest
            return
        self._seen, self._stamp, self._settled = in_force.digest, stamp_of(self._path), True
        await versions.ask(self._connection, versions.note_file(in_force.digest))
        self._log.info("policy_file_written", path=str(self._path), number=in_force.number)

    async def _prove_in_force(self) -> None:
        """Tell of leaks in what is in force already; the first policy was taken as it was."""
        verdict = await self._changes.prover.verdict(self._follower.in_force.text, str(self._path))
        for leak in verdict.leaks:
            self._log.warning("policy_leaks", problem=leak.text(str(self._path)))

    async def _restore(self) -> None:
        """Redis has lost all versions: what is in force here becomes the first one again."""
        await self._changes.bring(
            self._follower.in_force.text,
            source="restored",
            by=place_of(self._path),
            note="Redis had no version of the policy any more",
            file_digest=self._seen,
        )

    async def _tidy(self) -> None:
        """Forget the workers that ended without a word."""
        reports = await versions.ask(self._connection, versions.workers())
        living = {one.worker for one in versions.alive(reports, time())}
        for one in reports:
            if one.worker not in living:
                await versions.ask(self._connection, versions.forget_worker(one.worker))


def _taken(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
