"""Keeps the hold of a long attempt alive while the attempt runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.core.errors import StoreUnavailable


class Lease:
    """While entered, renews a hold each third of its lease; quick attempts pay one timer."""

    def __init__(self, renew: Callable[[], Awaitable[object]], lease_seconds: float) -> None:
        self._renew = renew
        self._pause = lease_seconds / 3.0
        self._timer: asyncio.TimerHandle | None = None
        self._renewal: asyncio.Task[None] | None = None

    def __enter__(self) -> Lease:
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._begin)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._renewal is not None:
            self._renewal.cancel()

    def _begin(self) -> None:
        self._renewal = asyncio.ensure_future(self._keep_alive())

    async def _keep_alive(self) -> None:
        while True:
            try:
                await self._renew()
            except StoreUnavailable:
                # The settlement decides in the end; a reaped hold is corrected then.
                await asyncio.sleep(min(1.0, self._pause))
                continue
            await asyncio.sleep(self._pause)
