"""The parent process of a gateway: Redis, local models and HTTP workers, started and kept alive.

The workers inherit one listening socket and a pipe from here; when this process ends, even by
`kill -9`, the pipe closes and they end too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec
import redis

from gateway.app.local_models import LocalModels
from gateway.config.settings import Settings
from gateway.core.deployment import Deployment
from gateway.runtime.live.start import Begin, begin_gateway, bench_for
from gateway.runtime.log import logger
from gateway.runtime.pictures import obstacle
from gateway.runtime.policies import FoundPolicy, PolicyUnusable, find_policy
from gateway.stores import versions
from gateway.stores.embedded import EmbeddedRedis, EmbeddedRedisError, open_embedded
from gateway.stores.endpoint import open_client
from gateway.stores.keybook import KeyBook, NewKey
from gateway.stores.pepper import load_pepper
from gateway.stores.versions import ask_now

#: How long a gateway worker may take to start serving, in seconds.
_START_SECONDS = 60.0
#: The pause before a dead worker is started again grows between these, in seconds.
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class StartFailed(Exception):
    """The gateway cannot start; the message says what is wrong and what to do."""


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What is told to whoever started the gateway; `virtual_key` only the first time."""

    url: str
    policy: str
    revision: str
    deployments: tuple[str, ...]
    notes: tuple[str, ...]
    admin_key: str
    virtual_key: str = ""


async def supervise(
    settings: Settings, environ: Mapping[str, str], announce: Callable[[Announcement], None]
) -> int:
    """Run the gateway until a signal ends it; returns the exit status.

    Raises:
        StartFailed: something that is needed is missing or wrong.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stop.set)
    if because := obstacle(settings.ocr_seconds):
        raise StartFailed(because)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = msgspec.structs.replace(settings, home=settings.home.absolute())
    listening = _listen(settings)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(listening.close)
        settings, admin_key, virtual_key = _open_stores(settings, stack)
        found, begin = await _begin(settings, environ)
        bench = bench_for(found.path, environ)
        local = LocalModels(settings.home / "run", begin, bench, settings.redis_url or "")
        stack.push_async_callback(local.close)
        try:
            await local.start()
        except ValueError as error:
            raise StartFailed(str(error)) from None
        workers = Workers(settings, found.path, admin_key, environ, listening)
        stack.push_async_callback(workers.close)
        await workers.start()
        announce(
            Announcement(
                url=f"http://{settings.host}:{listening.getsockname()[1]}",
                policy=str(found.path),
                revision=begin.policy.revision,
                deployments=tuple(_describe(one) for one in begin.policy.deployments.values()),
                notes=(*found.notes, *begin.notes),
                admin_key=admin_key if settings.admin_key is None else "(from FAIRLEAD_ADMIN_KEY)",
                virtual_key=virtual_key,
            )
        )
        keeping = asyncio.gather(workers.keep_alive(), local.follow())
        await stop.wait()
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
    return 0


async def _begin(settings: Settings, environ: Mapping[str, str]) -> tuple[FoundPolicy, Begin]:
    """The policy file, and what the gateway begins with: the last active version or an edit."""
    with open_client(settings.redis_url or "") as client:
        try:
            number = ask_now(client, versions.head()).number
            active = ask_now(client, versions.text(number)) if number else None
            found = await find_policy(settings, environ, active)
            bench = bench_for(found.path, environ)
            seconds = settings.proof_seconds
            begin = await asyncio.to_thread(begin_gateway, client, found.path, bench, seconds)
            return found, begin
        except PolicyUnusable as error:
            raise StartFailed(str(error)) from None
        except (OSError, redis.RedisError) as error:
            raise StartFailed(f"Redis cannot be used: {error}") from None


def _describe(deployment: Deployment) -> str:
    place = "self-hosted" if deployment.self_hosted else "proprietary"
    return (
        f"{deployment.name} ({deployment.model}, {place}, clearance {deployment.clearance.label})"
    )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise StartFailed(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}). Another "
            "program may use the port; set FAIRLEAD_PORT to a free one."
        ) from None
    listening.listen(2048)
    listening.set_inheritable(True)
    return listening


def _open_stores(settings: Settings, stack: contextlib.AsyncExitStack) -> tuple[Settings, str, str]:
    """Settings with the Redis to use, the admin key, and a first virtual key if there is none."""
    try:
        if settings.redis_url is None:
            embedded: EmbeddedRedis = open_embedded(settings.home)
            stack.callback(embedded.close)
            settings = msgspec.structs.replace(settings, redis_url=embedded.url)
        client = open_client(settings.redis_url or "")
        book = KeyBook(client, load_pepper(settings.home, settings.pepper))
        first = "" if book.all() else book.create(NewKey(name="first key")).text
        client.close()
    except EmbeddedRedisError as error:
        raise StartFailed(str(error)) from None
    except (OSError, ValueError) as error:
        raise StartFailed(f"Redis cannot be used: {error}") from None
    return settings, settings.admin_key or _stored_admin_key(settings.home), first


def _stored_admin_key(home: Path) -> str:
    """The admin key of this home, made on first use and readable by its owner alone."""
    path = home / "admin_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = "fla_" + secrets.token_urlsafe(32)
        file.write(key + "\n")
    return key


class Workers:
    """The HTTP workers: started together, and each one started again when it dies."""

    def __init__(
        self,
        settings: Settings,
        policy: Path,
        admin_key: str,
        environ: Mapping[str, str],
        listening: socket.socket,
    ) -> None:
        self._settings = settings
        self._listening = listening
        self._processes: list[asyncio.subprocess.Process] = []
        self._environ = dict(environ) | {
            "FAIRLEAD_HOME": str(settings.home),
            "FAIRLEAD_POLICY": str(policy.absolute()),
            "FAIRLEAD_REDIS_URL": settings.redis_url or "",
            "FAIRLEAD_ADMIN_KEY": admin_key,
        }
        if settings.workers > 1:
            shared = settings.home / "run" / f"metrics-{os.getpid()}"
            shared.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)

    async def start(self) -> None:
        """Start all workers and wait until the gateway answers.

        Raises:
            StartFailed: a worker ended or did not come up in time.
        """
        for _ in range(self._settings.workers):
            self._processes.append(await self._spawn())
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await self._answers():
            for process in self._processes:
                if process.returncode is not None:
                    raise StartFailed("a gateway worker could not start; its log says why.")
            if asyncio.get_running_loop().time() > deadline:
                raise StartFailed("the gateway workers did not start in time.")
            await asyncio.sleep(0.05)

    async def keep_alive(self) -> None:
        """Start dead workers again, each time after a longer pause."""
        await asyncio.gather(*(self._keep(slot) for slot in range(len(self._processes))))

    async def close(self) -> None:
        """Let the workers finish what they have begun, then make sure that they are gone."""
        alive = [process for process in self._processes if process.returncode is None]
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        if not await _ended(alive, self._settings.drain_seconds + 5.0):
            for process in alive:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            # What is killed is gone in no time, unless the machine itself hangs.
            await _ended(alive, 5.0)
        if "PROMETHEUS_MULTIPROC_DIR" in self._environ:
            shutil.rmtree(self._environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)

    async def _spawn(self) -> asyncio.subprocess.Process:
        descriptor = self._listening.fileno()
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.app.worker",
            str(descriptor),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(descriptor,),
            env=self._environ,
            start_new_session=True,
        )

    async def _keep(self, slot: int) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            code = await self._processes[slot].wait()
            if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE:
                pause = _SHORTEST_PAUSE
            logger().error("worker_died", exit_code=code, restart_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
            self._processes[slot] = await self._spawn()

    async def _answers(self) -> bool:
        host, port = self._listening.getsockname()[:2]
        try:
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(
                    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                answer = await reader.read(64)
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in answer


async def _ended(processes: Iterable[asyncio.subprocess.Process], seconds: float) -> bool:
    """Whether all of them have ended within so many seconds."""
    waiting = asyncio.gather(*(process.wait() for process in processes))
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return False
    return True
