"""The copies for comparison that are under way in this worker."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

#: Copies under way at once; further ones are skipped, so that comparing never crowds out serving.
MOST_AT_ONCE = 64


class Shadows:
    """Runs copies in the background, and ends those that are left when the worker stops."""

    def __init__(self, log: Any, most: int = MOST_AT_ONCE) -> None:
        self._log = log
        self._most = most
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, copy: Coroutine[Any, Any, None]) -> bool:
        """Run a copy; whether there was room for it."""
        if len(self._running) >= self._most:
            copy.close()
            return False
        task = asyncio.ensure_future(copy)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return True

    async def finished(self) -> None:
        """Wait for all copies that are under way."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """End what is under way; it is settled as a call whose caller left."""
        for task in self._running:
            task.cancel()
        await self.finished()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its message may quote the request.
            self._log.error("shadow_failed", error=type(error).__name__)
