"""Runs commands in processes of their own, and leaves none of them behind.

Rules of this file:
- whoever cancels a call, or lets its time run out, goes on when the child is gone;
- waiting for that is bounded: a child that does not end when it is asked to is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence

import msgspec

from gateway.config.settings import Settings

#: How long a child may take to end when it is asked to, and again when it is killed.
_PATIENCE_SECONDS = 2.0


class Ended(msgspec.Struct, frozen=True):
    """How a child ended: its exit status (a signal's number below zero) and what it wrote."""

    status: int
    told: bytes
    complaint: str


async def run_fairlead(
    settings: Settings, arguments: Sequence[str], seconds: float | None = None
) -> Ended:
    """Run a command of `fairlead` with the home, Redis and policy of these settings.

    Raises:
        TimeoutError: it took longer than that; see `run_child`.
    """
    environ = {**os.environ, "FAIRLEAD_HOME": str(settings.home.resolve()), "NO_COLOR": "1"}
    environ["COLUMNS"] = "200"
    if settings.redis_url:
        environ["FAIRLEAD_REDIS_URL"] = settings.redis_url
    if settings.policy:
        environ["FAIRLEAD_POLICY"] = str(settings.policy.resolve())
    command = (sys.executable, "-m", "gateway.cli.main", *arguments)
    return await run_child(command, environ, seconds)


async def run_child(
    command: Sequence[str], environ: Mapping[str, str], seconds: float | None = None
) -> Ended:
    """Run a command with nothing to read, and wait for its end.

    Args:
        command: the program and its arguments; no shell reads them.
        environ: its whole environment.
        seconds: how long it may take; without it, as long as it does.

    Raises:
        TimeoutError: it took longer than that, and was ended.
        OSError: it could not be started.
    """
    starting = asyncio.ensure_future(_start(command, environ))
    try:
        async with asyncio.timeout(seconds):
            # Cancelled half-way, a start would leave a child that nobody knows.
            child = await asyncio.shield(starting)
            told, complaint = await child.communicate()
    except (TimeoutError, asyncio.CancelledError):
        # In a task of its own, so that it goes on when this one is cancelled once more.
        await asyncio.wait({asyncio.ensure_future(_end(starting))})
        raise
    return Ended(child.returncode or 0, told, complaint.decode(errors="replace"))


async def _start(command: Sequence[str], environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        env=dict(environ),  # uvloop takes nothing else
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _end(starting: asyncio.Future[asyncio.subprocess.Process]) -> None:
    child = await starting
    # Reading on: with something left in them the pipes would stay open after the child's end.
    gone = asyncio.ensure_future(child.communicate())
    for stop in (child.terminate, child.kill):
        with contextlib.suppress(ProcessLookupError):
            stop()
        await asyncio.wait({gone}, timeout=_PATIENCE_SECONDS)
        if gone.done():
            return
    # The child is gone; what it started has its pipes and keeps them open.
    gone.cancel()
    await asyncio.wait({gone})
