"""Commands in processes of their own end with the call that asked for them."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from gateway.runtime.children import run_child

#: Children write their process id to a file first; these go on for longer than any test.
ASLEEP = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ASLEEP}"
CHATTERING = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=LOOPS)
def run(
    request: pytest.FixtureRequest, recwarn: pytest.WarningsRecorder
) -> Callable[[Awaitable[None]], None]:
    """Runs a test's body in a loop that then closes, and finds nothing left open."""

    def run_(body: Awaitable[None]) -> None:
        # What tests before this one have left to be collected is none of this one's.
        gc.collect()
        recwarn.clear()
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(asyncio.wait_for(body, 30.0))
        gc.collect()
        unclosed = [str(one.message) for one in recwarn if one.category is ResourceWarning]
        # Children have pipes; a connection to another end is somebody else's.
        assert [one for one in unclosed if "raddr=" not in one] == []

    return run_


def child(script: str, note: Path, seconds: float | None = None) -> Awaitable[object]:
    """A call of a child that first notes its process id."""
    noting = f"import os, pathlib; pathlib.Path({str(note)!r}).write_text(f'{{os.getpid()}}.')\n"
    return run_child((sys.executable, "-c", noting + script), os.environ, seconds)


async def noted(note: Path) -> int:
    """The process id that a child has noted, once it has."""
    while not (note.exists() and note.read_text().endswith(".")):
        await asyncio.sleep(0.01)
    return int(note.read_text()[:-1])


def children() -> set[str]:
    """The process ids of this process's children."""
    threads = Path("/proc/self/task").iterdir()
    return {pid for thread in threads for pid in (thread / "children").read_text().split()}


def is_there(pid: int) -> bool:
    """Whether there is such a process, be it only one that nobody has waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_tells_how_it_ended(run: Callable[[Awaitable[None]], None]) -> None:
    """The exit status, and what was written."""

    async def body() -> None:
        script = "import sys; print('told'); sys.exit('complaint')"
        ended = await run_child((sys.executable, "-c", script), os.environ)

        assert (ended.status, ended.told, ended.complaint) == (1, b"told\n", "complaint\n")

    run(body())


@pytest.mark.parametrize("script", [ASLEEP, CHATTERING, DEAF], ids=["asleep", "chattering", "deaf"])
def test_no_child_outlives_a_cancelled_call(
    run: Callable[[Awaitable[None]], None], tmp_path: Path, script: str
) -> None:
    """Whatever it does, it is gone when the call is over."""

    async def body() -> None:
        call = asyncio.ensure_future(child(script, tmp_path / "pid"))
        pid = await noted(tmp_path / "pid")
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert not is_there(pid)

    run(body())


@pytest.mark.parametrize("turns", range(6))
def test_a_call_is_cancelled_while_it_starts(
    run: Callable[[Awaitable[None]], None], turns: int
) -> None:
    """A child that is just being started is ended, too."""

    async def body() -> None:
        before = children()
        call = asyncio.ensure_future(run_child((sys.executable, "-c", ASLEEP), os.environ))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert children() <= before

    run(body())


def test_a_call_that_is_cancelled_twice_ends_its_child_all_the_same(
    run: Callable[[Awaitable[None]], None], tmp_path: Path
) -> None:
    """It no longer waits for that, but the child's end goes on."""

    async def body() -> None:
        call = asyncio.ensure_future(child(DEAF, tmp_path / "pid"))
        pid = await noted(tmp_path / "pid")
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(5.0):
            while is_there(pid):
                await asyncio.sleep(0.01)

    run(body())


def test_a_child_that_takes_too_long_is_ended(
    run: Callable[[Awaitable[None]], None], tmp_path: Path
) -> None:
    """And the caller is told so."""

    async def body() -> None:
        call = asyncio.ensure_future(child(ASLEEP, tmp_path / "pid", 3.0))
        pid = await noted(tmp_path / "pid")
        with pytest.raises(TimeoutError):
            await call

        assert not is_there(pid)

    run(body())
