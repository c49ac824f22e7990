"""Keeps one worker process per deployment and machine alive.

Rules of this file:
- a worker belongs to a deployment with its settings: when these change, another worker is
  started beside it, and it is ended when the last adapter that calls it has been closed;
- whoever holds the lock `<name>.lock` in the run directory runs the worker; other gateway
  processes use its socket and stand by to take over;
- a crash is followed by a restart after 0.5 s, doubled each time up to 30 s; a minute of
  health forgets them;
- a worker that says that it cannot work (status 78) is not started again until asked;
- a worker ends when the pipe to its standard input closes, so it never outlives its supervisor.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import IO

import msgspec
import structlog

from adapters.ctransformers.settings import (
    WorkerSettings,
    settings_of,
    to_arguments,
    usable_cores,
)
from adapters.ctransformers.worker_report import HOPELESS, WorkerReport
from gateway.core.deployment import Deployment

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
#: A worker that lived this long starts again with the first pause, in seconds.
HEALTHY_SECONDS = 60.0
#: How long a worker may take to end by itself, in seconds.
STOP_SECONDS = 2.0
#: How often a process that stands by looks for the lock and the worker's state, in seconds.
STANDBY_SECONDS = 0.5
#: Bytes that a Unix socket's path may have (108 with the closing NUL on Linux, 104 on macOS).
LONGEST_SOCKET_PATH = 103

#: A worker's log that is larger than this begins anew at the next start, in bytes.
LONGEST_LOG = 1024 * 1024

# The worker runs native code on other people's text: it gets no credential of the gateway.
_ENVIRONMENT = re.compile(r"PATH|HOME|TMPDIR|LANG|LC_\w+|TZ|LD_LIBRARY_PATH|CUDA_\w+|NVIDIA_\w+")

_log = structlog.get_logger(__name__)


class SocketPathTooLong(ValueError):
    """The run directory's path leaves no room for a socket's name."""


class WorkerPhase(StrEnum):
    """Where a worker stands."""

    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing_off"
    FAILED = "failed"
    STOPPED = "stopped"


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """A worker as its supervisor sees it; `reason` says why it is not ready."""

    phase: WorkerPhase
    reason: str = ""
    pid: int = 0
    crashes: int = 0
    context_tokens: int = 0


def socket_path(run_dir: Path, name: str) -> Path:
    """Where the worker of that name listens.

    Raises:
        SocketPathTooLong: the path would pass what the system allows.
    """
    path = run_dir / f"{_file_name(name)}.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise SocketPathTooLong(
            f"{path} is longer than the {LONGEST_SOCKET_PATH} bytes that a socket's path may "
            "have; set FAIRLEAD_HOME to a shorter directory"
        )
    return path


def worker_name(deployment: Deployment) -> str:
    """The name of the worker that serves a deployment with just these settings.

    Raises:
        SettingsError: an option of the deployment is wrong.
    """
    settings, _ = settings_of(deployment, usable_cores())
    return f"{deployment.name}-{hashlib.sha256(msgspec.json.encode(settings)).hexdigest()[:8]}"


def users_lock(run_dir: Path, worker: str) -> IO[bytes]:
    """The open file that users of a worker hold a shared lock on; the last one lets it end."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return socket_path(run_dir, worker).with_suffix(".users").open("a+b")


def _file_name(name: str) -> str:
    # Two names never share a file, and a name never leaves the directory.
    if re.fullmatch(r"[a-z0-9_-]{1,24}", name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return re.sub(r"[^a-z0-9_-]", "-", name.lower())[:11] + "." + digest


class WorkerSupervisor:
    """Starts, watches and ends the workers of one gateway process."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._workers: dict[str, _Worker] = {}
        # The newest worker of each deployment.
        self._newest: dict[str, str] = {}

    async def start(self, deployment: Deployment) -> None:
        """Have a worker for this deployment; a running one with the same settings stays.

        Returns at once; `state` tells when it is ready.

        Raises:
            SettingsError: an option of the deployment is wrong.
            SocketPathTooLong: the run directory's path is too long.
        """
        settings, warnings = settings_of(deployment, usable_cores())
        for warning in warnings:
            _log.warning("worker_setting_adjusted", deployment=deployment.name, reason=warning)
        name = worker_name(deployment)
        socket = socket_path(self._run_dir, name)
        self._newest[deployment.name] = name
        known = self._workers.get(name)
        if known is not None:
            if known.state.phase is not WorkerPhase.FAILED:
                return
            await known.stop()
        self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._workers[name] = _Worker(deployment.name, settings, socket)

    async def keep_only(self, deployments: Iterable[Deployment]) -> None:
        """End the workers of all other deployments that no open adapter calls any more.

        Those that are still called are ended by a later call.
        """
        kept = {worker_name(deployment) for deployment in deployments}
        for name in [name for name in self._workers if name not in kept]:
            with users_lock(self._run_dir, name) as users:
                if _locked(users):
                    await self._workers.pop(name).stop()

    def state(self, name: str) -> WorkerState:
        """Where the newest worker of the deployment of that name stands."""
        worker = self._workers.get(self._newest.get(name, ""))
        return worker.state if worker else WorkerState(phase=WorkerPhase.STOPPED)

    async def close(self) -> None:
        """End every worker that this process runs."""
        workers = list(self._workers.values())
        self._workers.clear()
        await asyncio.gather(*(worker.stop() for worker in workers))


class _Worker:
    """One worker and the task that watches it."""

    def __init__(self, name: str, settings: WorkerSettings, socket: Path) -> None:
        self.name = name
        self.settings = settings
        self.state = WorkerState(phase=WorkerPhase.STARTING)
        self._socket = socket
        self._shown = socket.with_suffix(".state")
        self._owner = False
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the worker, or stop standing by."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self.state = WorkerState(phase=WorkerPhase.STOPPED)

    async def _watch(self) -> None:
        with self._socket.with_suffix(".lock").open("a+b") as lock:
            while not _locked(lock):
                self.state = self._told()
                await asyncio.sleep(STANDBY_SECONDS)
            self._owner = True
            try:
                await self._keep_alive()
            finally:
                self._shown.unlink(missing_ok=True)

    async def _keep_alive(self) -> None:
        crashes = 0
        while True:
            self._show(WorkerState(phase=WorkerPhase.STARTING, crashes=crashes))
            began = time.monotonic()
            hopeless, reason = await self._run_once(crashes)
            if hopeless:
                _log.error("worker_failed", deployment=self.name, reason=reason)
                self._show(WorkerState(phase=WorkerPhase.FAILED, reason=reason, crashes=crashes))
                await asyncio.Event().wait()
            if time.monotonic() - began >= HEALTHY_SECONDS:
                crashes = 0
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**crashes)
            crashes += 1
            _log.warning("worker_crashed", deployment=self.name, reason=reason, pause=pause)
            backing_off = WorkerState(phase=WorkerPhase.BACKING_OFF, reason=reason, crashes=crashes)
            self._show(backing_off)
            await asyncio.sleep(pause)

    async def _run_once(self, crashes: int) -> tuple[bool, str]:
        """Run the worker to its end: whether it is hopeless, and why it ended."""
        self._socket.unlink(missing_ok=True)
        with _open_log(self._socket.with_suffix(".log")) as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "adapters.ctransformers.worker",
                *to_arguments(self.settings, self._socket),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=_environment(),
                # A Ctrl-C at the terminal is the gateway's, which ends its calls first.
                start_new_session=True,
            )
        try:
            report = await _report_of(child)
            if report is not None and not report.failure:
                ready = WorkerState(
                    phase=WorkerPhase.READY,
                    pid=child.pid,
                    crashes=crashes,
                    context_tokens=report.context_tokens,
                )
                self._show(ready)
                _log.info("worker_ready", deployment=self.name, pid=child.pid)
            status = await child.wait()
        finally:
            await _end(child)
        if status == HOPELESS and report is not None:
            return True, report.failure
        return False, _cause(status)

    def _show(self, state: WorkerState) -> None:
        """Keep the state, and show it to the processes that stand by."""
        self.state = state
        draft = self._shown.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(state))
        draft.replace(self._shown)

    def _told(self) -> WorkerState:
        """The state as the process that runs the worker shows it."""
        try:
            return msgspec.json.decode(self._shown.read_bytes(), type=WorkerState)
        except (OSError, msgspec.DecodeError):
            return WorkerState(phase=WorkerPhase.STARTING)


def _open_log(path: Path) -> IO[bytes]:
    """Where the worker's standard error goes: tracebacks of crashes, never any request text."""
    grown = path.exists() and path.stat().st_size > LONGEST_LOG
    return path.open("wb" if grown else "ab")


def _locked(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _report_of(child: asyncio.subprocess.Process) -> WorkerReport | None:
    """What the worker says once it has loaded, or None when it ends without a word."""
    if child.stdout is None:
        return None
    line = await child.stdout.readline()
    try:
        return msgspec.json.decode(line, type=WorkerReport)
    except msgspec.DecodeError:
        return None


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    if child.stdin is not None:
        child.stdin.close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        # A stopped (SIGSTOP) worker reads nothing, so it is ended from outside.
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _cause(status: int) -> str:
    if status >= 0:
        return f"the worker ended with status {status}"
    try:
        return f"the worker was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"the worker was ended by signal {-status}"


def _environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if _ENVIRONMENT.fullmatch(name)}
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH", "")
    # One thread each: numpy's own thread pools would compete with the model's threads.
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    path = os.pathsep.join(part for part in (root, inherited) if part)
    return {**kept, **single, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
